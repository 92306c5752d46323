"""The loss: cross entropy per short sequence, and per scene where a scene has one label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from skeletr.datasets.targets import IGNORE
from skeletr.datasets.vocabulary import tell_apart
from skeletr.model import SkeleTROutput
from skeletr.training.data import LabelledBatch


@dataclass(frozen=True)
class Losses:
    """total: what is minimised. instance, scene: its parts, unweighted. correct: share of the
    labelled sequences whose best label is right."""

    total: Tensor
    instance: Tensor
    scene: Tensor
    correct: Tensor


def contrast(labels: Sequence[str], stranger: float) -> Tensor:
    """How much each label counts as a negative of each other one, (K, K), logarithms.

    Two labels that some data set tells apart count in full; two that never met in one data set
    count `stranger`: a clip of one set may well show what only another set has a name for.
    """
    apart = tell_apart(labels)
    return torch.from_numpy(np.log(np.where(apart, 1.0, stranger)).astype(np.float32))


def losses(
    output: SkeleTROutput,
    batch: LabelledBatch,
    scene_weight: float,
    smoothing: float,
    negatives: Tensor,
) -> Losses:
    """Losses of one batch; sequences and scenes without a label do not count.

    Args:
        negatives: see `contrast`.
    """
    instance = _cross_entropy(
        output.instance.flatten(0, 1), batch.instance.flatten(), smoothing, negatives
    )
    scene = _cross_entropy(output.scene, batch.scene, smoothing, negatives)
    known = batch.instance != IGNORE
    right = output.instance[known].argmax(dim=-1) == batch.instance[known]
    return Losses(instance + scene_weight * scene, instance, scene, right.float().mean())


def _cross_entropy(logits: Tensor, targets: Tensor, smoothing: float, negatives: Tensor) -> Tensor:
    """Mean over the targets that are not `IGNORE`; 0, with a gradient of 0, if there are none."""
    known = targets != IGNORE
    if not known.any():
        return logits.sum() * 0
    weighted = logits[known].float() + negatives[targets[known]]
    return F.cross_entropy(weighted, targets[known], label_smoothing=smoothing)
