"""The COCO-17 skeleton as a graph, and the two input streams."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from skeletr.skeleton import COCO_INWARD, COCO_PARTS, V

_PARENT = dict(COCO_INWARD)


def _edges() -> np.ndarray:
    """(K=3, V, V) of 0 and 1: identity, inward, outward; (k, v, w): w receives from v.

    The inward part has the entry (parent, child) for a pair (child, parent) of `COCO_INWARD`: the
    order and direction of PYSKL, whose weights depend on it.
    """
    inward = np.zeros((V, V), np.float32)
    for child, parent in COCO_INWARD:
        inward[parent, child] = 1
    return np.stack([np.eye(V, dtype=np.float32), inward, inward.T])


def spatial_partition() -> Tensor:
    """Adjacency (K=3, V, V): identity, inward, outward; each column-normalised.

    Entry (k, v, w) is what joint w receives from joint v.
    """
    edges = _edges()
    return torch.from_numpy(edges / np.maximum(edges.sum(axis=1, keepdims=True), 1))


def distance_partition() -> Tensor:
    """Adjacency (K=3, V, V) of ST-GCN (Yan et al., AAAI 2018, section 3.3 and equation 10).

    Joints and their neighbours, divided by distance to the centre (the nose): as far, nearer,
    farther. The graph is a tree, so that no neighbour is as far and the parts are those of
    `spatial_partition`; but the columns are normalised over all three parts together.
    """
    edges = _edges()
    return torch.from_numpy(edges / edges.sum(axis=(0, 1)))


def part_matrix() -> Tensor:
    """(V, P): averages the joints of each of the P = 5 body parts."""
    matrix = torch.zeros(V, len(COCO_PARTS))
    for column, (_, joints) in enumerate(COCO_PARTS):
        matrix[list(joints), column] = 1 / len(joints)
    return matrix


def bones(x: Tensor) -> Tensor:
    """Bone stream: child minus parent, score = mean of the two; zero where either is missing.

    Args:
        x: (..., V, C) with C = x, y, score.
    """
    parent = x[..., [_PARENT.get(v, v) for v in range(V)], :]
    bone = torch.cat([x[..., :2] - parent[..., :2], (x[..., 2:] + parent[..., 2:]) / 2], dim=-1)
    both = (x[..., 2:] > 0) & (parent[..., 2:] > 0)
    return torch.where(both, bone, 0.0)
