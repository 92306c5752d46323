"""Parameters and multiply-accumulates, in the convention of the paper's tables.

Convention (as fvcore counts): a product of two numbers and a sum is one; a batch norm costs 2
per element at evaluation and 5 in training mode, a layer norm 5; activations, pooling and sums
are free. G = 2^30 multiply-accumulates, M = 2^20 parameters, the final classifier left out of
the parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from skeletr.model.classifier import GCNClassifier
from skeletr.model.config import L_BACKBONE, large, small
from skeletr.model.skeletr import EMBEDDING_INPUT, SkeleTR
from skeletr.skeleton import C, V

GIGA = 2**30
MEGA = 2**20
_FLOPS_PER_MAC = 2

MODELS = ("S", "L", "ST-GCN++")


@dataclass(frozen=True)
class Cost:
    """parameters: without the final classifier. macs: with batch norms at evaluation;
    macs_training: with batch norms in training mode (the paper's Table 6)."""

    model: str
    sequences: int
    frames: int
    parameters: int
    macs: int
    macs_training: int

    def as_dict(self) -> dict[str, object]:
        """Plain numbers, with the paper's units beside them."""
        return asdict(self) | {
            "parameters_M": self.parameters / MEGA,
            "macs_G": self.macs / GIGA,
            "macs_training_G": self.macs_training / GIGA,
        }


def measure(name: str, sequences: int, frames: int, classes: int = 320) -> Cost:
    """Cost of one scene of `sequences` sequences of `frames` frames.

    Raises ValueError for a name that is not in `MODELS` or sizes below 1.
    """
    if sequences < 1 or frames < 1:
        raise ValueError(f"{sequences} sequences of {frames} frames given, expected at least 1")
    model, run = _build(name, sequences, frames, classes)
    return Cost(
        name,
        sequences,
        frames,
        count_parameters(model),
        count_macs(model, run, training=False),
        count_macs(model, run, training=True),
    )


def count_parameters(model: nn.Module) -> int:
    """Parameters without the final classifier."""
    heads = ("instance_head", "scene_head")
    return sum(p.numel() for n, p in model.named_parameters() if not n.startswith(heads))


def count_macs(model: nn.Module, run: Callable[[], object], training: bool) -> int:
    """Multiply-accumulates of one call of `run`, the norms counted as in `training` mode."""
    norm = 5 if training else 2
    aten = torch.ops.aten
    batch_norm = _per_element(norm)
    custom = {
        aten.native_batch_norm: batch_norm,
        aten._native_batch_norm_legit_no_training: batch_norm,
        aten.cudnn_batch_norm: batch_norm,
        aten.native_layer_norm: _per_element(5),
    }
    counter = FlopCounterMode(display=False, custom_mapping=custom)
    was_training = model.training
    model.eval()
    with torch.no_grad(), counter:
        run()
    model.train(was_training)
    return counter.get_total_flops() // _FLOPS_PER_MAC


def _per_element(cost: int) -> Callable[..., int]:
    def flops(input_shape: tuple[int, ...], *_: object, **__: object) -> int:
        return _FLOPS_PER_MAC * cost * int(torch.Size(input_shape).numel())

    return flops


def _build(
    name: str, sequences: int, frames: int, classes: int
) -> tuple[nn.Module, Callable[[], object]]:
    # Without storage: only shapes are needed.
    x = torch.zeros(1, sequences, frames, V, C, device="meta")
    if name == "ST-GCN++":
        baseline = GCNClassifier(L_BACKBONE, classes).to("meta")
        return baseline, lambda: baseline(x)
    sizes = {"S": small, "L": large}
    if name not in sizes:
        raise ValueError(f"unknown model {name!r}, expected one of {', '.join(MODELS)}")
    model = SkeleTR(sizes[name](scene_classes=classes)).to("meta")
    embedding = torch.zeros(1, sequences, EMBEDDING_INPUT, device="meta")
    mask = torch.ones(1, sequences, dtype=torch.bool, device="meta")

    def run() -> object:
        # The explicit attention path: every product is visible to the counter.
        return model.relate(model.tokens(x[0])[None], embedding, mask, need_attention=True)

    return model, run
