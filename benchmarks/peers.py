"""PYSKL's networks, from a copy of its repository that the user has; nothing of it is here.

PYSKL wants mmcv, whose old version does not install today, for a batch norm, a ReLU and a registry
of classes: these three are given to it instead.
"""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path

from torch import Tensor, nn

from skeletr.model.classifier import GCNClassifier
from skeletr.model.cost import CLASSIC

PEERS = ("ST-GCN++", "CTR-GCN")
_CLASSES = 320  # of Posetics, as in the paper's comparison
_GRAPH = {"layout": "coco", "mode": "spatial"}


class PeerError(ValueError):
    """The folder is no copy of PYSKL; the message says what was expected."""


class _Classifier(nn.Module):
    """A backbone of PYSKL with its GCN head, as its test time has it."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(256, _CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """(N, M, T, V, C) -> (N, K)."""
        return self.head(self.backbone(x).mean(dim=(3, 4)).mean(dim=1))


def peers(folder: Path | None) -> dict[str, nn.Module]:
    """Name -> network that takes (N, 2, T, 17, 3): PYSKL's own, or without it the plain forms of
    this project, which are the same networks, under a name that says so.

    Raises:
        PeerError: `folder` is no copy of PYSKL.
    """
    if folder is None:
        return {
            f"{name} (plain form of this project)": GCNClassifier(CLASSIC[name], _CLASSES).eval()
            for name in PEERS
        }
    package = folder / "pyskl"
    if not (package / "models" / "gcns" / "stgcn.py").is_file():
        raise PeerError(f"{folder} is no copy of PYSKL, expected pyskl/models/gcns in it")
    _stand_in(package)
    stgcn = importlib.import_module("pyskl.models.gcns.stgcn").STGCN
    ctrgcn = importlib.import_module("pyskl.models.gcns.ctrgcn").CTRGCN
    # As in configs/stgcn++ and configs/ctrgcn of PYSKL.
    plus = stgcn(_GRAPH, gcn_adaptive="init", gcn_with_res=True, tcn_type="mstcn")
    return {
        f"PYSKL {name}": _Classifier(backbone).eval()
        for name, backbone in zip(PEERS, (plus, ctrgcn(_GRAPH)), strict=True)
    }


def _stand_in(package: Path) -> None:
    """Modules in the place of mmcv, and of those parts of PYSKL that load far more of it."""

    def norm_layer(config: dict, features: int) -> tuple[str, nn.Module]:
        return "bn", nn.BatchNorm2d(features)

    def activation_layer(config: dict) -> nn.Module:
        return nn.ReLU(inplace=True)

    registry = types.SimpleNamespace(register_module=lambda: lambda cls: cls)
    batch_norm = nn.modules.batchnorm._BatchNorm
    _module("mmcv")
    _module("mmcv.cnn", build_norm_layer=norm_layer, build_activation_layer=activation_layer)
    _module("mmcv.runner", load_checkpoint=None)
    _module("mmcv.utils", _BatchNorm=batch_norm)
    for name in ("pyskl", "pyskl.models", "pyskl.models.gcns", "pyskl.utils"):
        _module(name, __path__=[str(package.parent.joinpath(*name.split(".")))])
    _module("pyskl.models.builder", BACKBONES=registry)
    utils = sys.modules["pyskl.utils"]
    utils.Graph = importlib.import_module("pyskl.utils.graph").Graph
    utils.cache_checkpoint = None


def _module(name: str, **content: object) -> None:
    module = types.ModuleType(name)
    module.__dict__.update(content)
    sys.modules[name] = module
