"""Parameters and multiply-accumulates, in the convention of the paper's tables.

Convention (as fvcore counts): a product of two numbers and a sum is one; a batch norm costs 2
per element at evaluation and 5 in training mode, a layer norm 5; activations, pooling and sums
are free. G = 2^30 multiply-accumulates, M = 2^20 parameters, the final classifier left out of
the parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from skeletr.model.classifier import GCNClassifier
from skeletr.model.config import C_BACKBONE, L_BACKBONE, ctr, large, small
from skeletr.model.skeletr import EMBEDDING_INPUT, SkeleTR
from skeletr.skeleton import C, V

GIGA = 2**30
MEGA = 2**20
_FLOPS_PER_MAC = 2

SKELETR = {"S": small, "L": large, "C": ctr}
CLASSIC = {
    "ST-GCN++": L_BACKBONE,
    "CTR-GCN": C_BACKBONE,
    "ST-GCN": replace(L_BACKBONE, kind="stgcn"),
}
MODELS = (*SKELETR, *CLASSIC)


@dataclass(frozen=True)
class Cost:
    """parameters: without the final classifier. macs: with batch norms at evaluation;
    macs_training: with batch norms in training mode (the paper's Table 6). stage1, stage2: of
    macs what the backbone with the aggregation and what relating the sequences takes (Table 5);
    the rest are heads."""

    model: str
    sequences: int
    frames: int
    parameters: int
    macs: int
    macs_training: int
    stage1: int
    stage2: int

    def as_dict(self) -> dict[str, object]:
        """Plain numbers, with the paper's units beside them."""
        return asdict(self) | {
            "parameters_M": self.parameters / MEGA,
            "macs_G": self.macs / GIGA,
            "macs_training_G": self.macs_training / GIGA,
            "stage1_G": self.stage1 / GIGA,
            "stage2_G": self.stage2 / GIGA,
        }


def measure(name: str, sequences: int, frames: int, classes: int = 320, **options: object) -> Cost:
    """Cost of one scene of `sequences` sequences of `frames` frames.

    Args:
        options: `interaction`, `aggregation`, ... of `SkeleTRConfig`, not for classic GCNs.

    Raises:
        ValueError: a name that is not in `MODELS`, options or sizes that cannot be.
    """
    if sequences < 1 or frames < 1:
        raise ValueError(f"{sequences} sequences of {frames} frames given, expected at least 1")
    # Without storage: only shapes are needed.
    x = torch.zeros(1, sequences, frames, V, C, device="meta")
    if name in SKELETR:
        model: nn.Module = SkeleTR(SKELETR[name](scene_classes=classes, **options)).to("meta")
        runs = _stages(model, x)
    elif name in CLASSIC and not options:
        model = GCNClassifier(CLASSIC[name], classes).to("meta")
        runs = (lambda: model(x), lambda: model.backbone(x[0]), lambda: None)
    else:
        raise ValueError(f"no model {name!r} with {options}, expected one of {', '.join(MODELS)}")
    whole, *stages = runs
    return Cost(
        name,
        sequences,
        frames,
        count_parameters(model),
        count_macs(model, whole, training=False),
        count_macs(model, whole, training=True),
        *(count_macs(model, stage, training=False) for stage in stages),
    )


def _stages(model: SkeleTR, x: torch.Tensor) -> tuple[Callable[[], object], ...]:
    """The whole network, stage 1 and stage 2 of one scene (1, M, T, V, C)."""
    embedding = torch.zeros(*x.shape[:2], EMBEDDING_INPUT, device="meta")
    mask = torch.ones(x.shape[:2], dtype=torch.bool, device="meta")
    with torch.no_grad():
        tokens = model.tokens(x[0])[None]
    # The explicit attention path: every product is visible to the counter.
    return (
        lambda: model.relate(model.tokens(x[0])[None], embedding, mask, need_attention=True),
        lambda: model.tokens(x[0]),
        lambda: model.interact(tokens, embedding, mask, need_attention=True),
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
