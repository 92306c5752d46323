"""The loss: cross entropy per short sequence, and per scene where a scene has one label."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from skeletr.datasets.targets import IGNORE
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


def losses(
    output: SkeleTROutput, batch: LabelledBatch, scene_weight: float, smoothing: float
) -> Losses:
    """Losses of one batch; sequences and scenes without a label do not count."""
    instance = _cross_entropy(output.instance.flatten(0, 1), batch.instance.flatten(), smoothing)
    scene = _cross_entropy(output.scene, batch.scene, smoothing)
    known = batch.instance != IGNORE
    right = output.instance[known].argmax(dim=-1) == batch.instance[known]
    return Losses(instance + scene_weight * scene, instance, scene, right.float().mean())


def _cross_entropy(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """Mean over the targets that are not `IGNORE`; 0, with a gradient of 0, if there are none."""
    known = targets != IGNORE
    if not known.any():
        return logits.sum() * 0
    return F.cross_entropy(logits[known].float(), targets[known], label_smoothing=smoothing)
