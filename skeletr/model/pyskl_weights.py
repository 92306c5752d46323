"""Published weights of PYSKL (Duan et al., ACM MM 2022): ST-GCN++ and CTR-GCN, COCO-17 in 2D.

Their joints, their graph (edges, direction, order of the parts) and their input (x, y and score,
normalised to the picture) are those used here, so that weights are renamed and, where one layer
here does the work of several there, put together; nothing else. Two things to know:

- ST-GCN++ normalises its input over V*C features. CTR-GCN does over M*V*C: the first and the
  second person of a video have statistics of their own (`BackboneConfig.people` = 2). Where M may
  vary, those of the first one serve for all: the second row is filled with zeros in videos of one
  person, and its statistics are mostly about that.
- Weights of the bone stream expect `pyskl_bones`, not `graph.bones`.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from skeletr.model.backbone import Backbone
from skeletr.model.classifier import GCNClassifier
from skeletr.model.config import C_BACKBONE, L_BACKBONE, BackboneConfig
from skeletr.model.graph import spatial_partition
from skeletr.model.pyskl_names import BN_LEAVES, HEAD, INPUT, names
from skeletr.skeleton import C, V

# Name on the command line -> what PYSKL publishes under it.
PUBLISHED = {"st-gcn++": L_BACKBONE, "ctr-gcn": C_BACKBONE}
_PREFIX = "backbone."
_GRAPH = "backbone.A"  # CTR-GCN's constant copy of the graph it began with
_PARENTS = (0, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 0, 0, 11, 12, 13, 14)


class WeightsError(ValueError):
    """Weights that do not fit: the message says what was found and what was expected."""


def read_weights(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The tensors of a .safetensors file or of a PYSKL .pth file; nothing is ever executed.

    Raises:
        WeightsError: not readable, or there is something else than tensors among the weights.
    """
    path = Path(path)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        # weights_only: tensors and plain values, refused if there is anything else.
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise WeightsError(
            f"{path.name} cannot be read safely: {error}; expected a .safetensors file, or a .pth "
            "file of tensors and plain values"
        ) from error
    state = found.get("state_dict", found) if isinstance(found, dict) else found
    if not isinstance(state, dict) or not state:
        raise WeightsError(f"{path.name} holds a {type(state).__name__}, expected named tensors")
    strangers = [str(k) for k, v in state.items() if not isinstance(v, Tensor)]
    if strangers:
        raise WeightsError(f"{path.name}: {strangers[:5]} are no tensors")
    return {str(name): tensor for name, tensor in state.items()}


def classifier_of(state: Mapping[str, Tensor], model: str) -> GCNClassifier:
    """A GCN with all weights of a published one, in evaluation mode.

    Args:
        state: see `read_weights`. model: a name in `PUBLISHED`.

    Raises:
        WeightsError: a weight is missing, left over or of another shape.
    """
    config = replace(PUBLISHED[model], people=_people(state))
    head = _tensor(state, f"{HEAD}.weight")
    classifier = GCNClassifier(config, len(head))
    found = {f"backbone.{k}": v for k, v in renamed(state, classifier.backbone, config).items()}
    found |= {f"scene_head.{leaf}": _tensor(state, f"{HEAD}.{leaf}") for leaf in ("weight", "bias")}
    _load(classifier, found)
    return classifier.eval()


def load_backbone(backbone: Backbone, config: BackboneConfig, state: Mapping[str, Tensor]) -> None:
    """Put published weights into a backbone, for instance that of a SkeleTR.

    Where it shares its input norm among all sequences it gets that of the first person.

    Raises:
        WeightsError: see `classifier_of`; or it is not a backbone of the published size.
    """
    _load(backbone, renamed(state, backbone, config))


def renamed(
    state: Mapping[str, Tensor], backbone: Backbone, config: BackboneConfig
) -> dict[str, Tensor]:
    """The backbone's weights under our names; every tensor of `state` is used or explained.

    Raises:
        WeightsError: a weight is missing or left over.
    """
    if replace(config, people=1) not in PUBLISHED.values():
        raise WeightsError(f"PYSKL publishes no weights for {config}")
    modules = names(config)
    used = {_GRAPH, f"{HEAD}.weight", f"{HEAD}.bias"}
    found = {}
    for name in backbone.state_dict():
        module, _, leaf = name.rpartition(".")
        sources = modules.get(name) or [f"{source}.{leaf}" for source in modules[module]]
        sources = [_PREFIX + source for source in sources]
        used.update(sources)
        parts = [_tensor(state, source) for source in sources]
        found[name] = torch.cat(parts) if parts[0].ndim else parts[0]
    left = sorted(set(state) - used)
    if left:
        raise WeightsError(f"unknown weights {left[:5]} ({len(left)} in all); is it {config.kind}?")
    _check_graph(state)
    if config.people == 1:
        for leaf in BN_LEAVES[:-1]:
            found[f"input_bn.{leaf}"] = found[f"input_bn.{leaf}"][: V * C]
    return found


def pyskl_bones(x: Tensor) -> Tensor:
    """The bone stream of PYSKL: child minus parent, score = mean of the two.

    The hips hang on the nose, not on the shoulders as in the graph, and bones to missing joints
    are left as they come out.

    Args:
        x: (..., V, C) with C = x, y, score.
    """
    parent = x[..., list(_PARENTS), :]
    return torch.cat([x[..., :2] - parent[..., :2], (x[..., 2:] + parent[..., 2:]) / 2], dim=-1)


def _people(state: Mapping[str, Tensor]) -> int:
    """People with an input norm of their own: 1, or 2 for a norm over M*V*C."""
    features = len(_tensor(state, f"{_PREFIX}{INPUT}.weight"))
    if features % (V * C):
        raise WeightsError(
            f"the input norm has {features} features, expected {V * C} or a multiple: weights for "
            f"other joints than the {V} of COCO"
        )
    return features // (V * C)


def _check_graph(state: Mapping[str, Tensor]) -> None:
    """The graph that CTR-GCN began with, which its file holds, must be ours."""
    graph = state.get(_GRAPH)
    ours = spatial_partition()
    if graph is not None and not (
        graph.shape == ours.shape and torch.allclose(graph.float(), ours, atol=1e-5)
    ):
        raise WeightsError("weights for another graph, expected COCO-17 in the spatial partition")


def _tensor(state: Mapping[str, Tensor], name: str) -> Tensor:
    if name not in state:
        raise WeightsError(f"no weight {name} among the {len(state)} there are")
    return state[name]


def _load(module: torch.nn.Module, found: dict[str, Tensor]) -> None:
    try:
        module.load_state_dict(found)
    except RuntimeError as error:
        raise WeightsError(str(error)) from error
