"""What PYSKL calls the layers that are here: the key map of `pyskl_weights`."""

from __future__ import annotations

from skeletr.model.config import BackboneConfig
from skeletr.skeleton import C

INPUT = "data_bn"
HEAD = "cls_head.fc_cls"
BN_LEAVES = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
_SUBSETS = range(3)

# Our module or parameter -> theirs; several are put together in this order.
Names = dict[str, list[str]]


def names(config: BackboneConfig) -> Names:
    """The key map of a backbone, without the prefix "backbone."."""
    block = {"stgcn++": _stgcnpp, "ctrgcn": _ctrgcn}[config.kind]
    stack = {"stgcn++": "gcn", "ctrgcn": "net"}[config.kind]
    inputs = (C, *config.channels[:-1])
    found: Names = {"input_bn": [INPUT]}
    for number, (i, o, s) in enumerate(zip(inputs, config.channels, config.strides, strict=True)):
        own = block(widened=i != o) | _residual(number > 0 and (i != o or s != 1))
        for ours, theirs in own.items():
            found[f"blocks.{number}.{ours}"] = [f"{stack}.{number}.{name}" for name in theirs]
    return found


def _residual(there: bool) -> Names:
    return {"residual.0": ["residual.conv"], "residual.1": ["residual.bn"]} if there else {}


def _stgcnpp(widened: bool) -> Names:
    """A block of ST-GCN++: unit_gcn and mstcn. Branches: 0..3 dilated, 4 max, 5 the plain 1x1."""
    found = {
        "gcn.adjacency": ["gcn.A"],
        "gcn.conv": ["gcn.conv"],
        "gcn.bn": ["gcn.bn"],
        "tcn.squeeze.0": [f"tcn.branches.{b}.0" for b in range(5)],
        "tcn.squeeze.1": [f"tcn.branches.{b}.1" for b in range(5)],
        "tcn.plain": ["tcn.branches.5"],
        "tcn.merge.0": ["tcn.transform.0"],
        "tcn.merge.2": ["tcn.transform.2"],
        "tcn.merge.3": ["tcn.bn"],
    }
    found |= {f"tcn.dilated.{b}": [f"tcn.branches.{b}.3.conv"] for b in range(4)}
    return found | (_down("gcn") if widened else {})


def _ctrgcn(widened: bool) -> Names:
    """A block of CTR-GCN: unit_ctrgcn and MSTCN. Branches: 0, 1 dilated, 2 max, 3 the plain 1x1."""
    convs = {"relate_from": 1, "relate_to": 2, "values": 3, "expand": 4}
    found = {f"gcn.{n}": [f"gcn1.convs.{k}.conv{i}" for k in _SUBSETS] for n, i in convs.items()}
    found |= {
        "gcn.adjacency": ["gcn1.A"],
        "gcn.alpha": ["gcn1.alpha"],
        "gcn.bn": ["gcn1.bn"],
        "tcn.squeeze.0": [f"tcn1.branches.{b}.0" for b in range(3)],
        "tcn.squeeze.1": [f"tcn1.branches.{b}.1" for b in range(3)],
        "tcn.dilated.0": ["tcn1.branches.0.3.conv"],
        "tcn.dilated.1": ["tcn1.branches.1.3.conv"],
        "tcn.plain": ["tcn1.branches.3.0"],
        "tcn.norm": [f"tcn1.branches.{name}" for name in ("0.3.bn", "1.3.bn", "2.4", "3.1")],
    }
    return found | (_down("gcn1") if widened else {})


def _down(theirs: str) -> Names:
    return {f"gcn.residual.{i}": [f"{theirs}.down.{i}"] for i in range(2)}
