"""The loss: cross entropy per short sequence and per scene, binary for several labels.

Joint training (paper, section 5): the samples of all tasks are put together, and
L = L_CE + lambda L_BCE is the mean over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from skeletr.datasets.targets import IGNORE
from skeletr.datasets.vocabulary import tell_apart
from skeletr.training.data import LabelledBatch
from skeletr.training.multitask import TaskOutput
from skeletr.training.task_config import TaskConfig

INSTANCE, SCENE, SCENES = range(3)  # columns of `counts`


@dataclass(frozen=True)
class Rules:
    """How one task is learnt.

    config: of the task. smoothing: of labels. scene_weight: of the scene head beside the instance
    head, where there are both. negatives: see `contrast`, None = all count in full.
    """

    config: TaskConfig
    smoothing: float = 0.0
    scene_weight: float = 1.0
    negatives: Tensor | None = None


@dataclass(frozen=True)
class Losses:
    """total: what is minimised. parts: (K, 3) without gradient, per task the mean losses of its
    sequences and its scenes, unweighted, and the share of them whose best label is right; each
    divided by the numbers of the whole step, so that micro-batches add up."""

    total: Tensor
    parts: Tensor

    def __add__(self, other: Losses) -> Losses:
        return Losses(self.total + other.total, self.parts + other.parts)


def contrast(labels: Sequence[str], stranger: float) -> Tensor:
    """How much each label counts as a negative of each other one, (K, K), logarithms.

    Two labels that some data set tells apart count in full; two that never met in one data set
    count `stranger`: a clip of one set may well show what only another set has a name for.
    """
    apart = tell_apart(labels)
    return torch.from_numpy(np.log(np.where(apart, 1.0, stranger)).astype(np.float32))


def counts(batches: Sequence[LabelledBatch], tasks: int) -> Tensor:
    """(K, 3) float64: labelled sequences, labelled scenes, and scenes of each task in a step."""
    found = torch.zeros(tasks, 3, dtype=torch.float64)
    for batch in batches:
        for task in range(tasks):
            mine = batch.task == task
            found[task, INSTANCE] += int((batch.instance[mine] != IGNORE).sum())
            if batch.several is not None:
                found[task, INSTANCE] += int((~batch.several[mine][..., 0].isnan()).sum())
            found[task, SCENE] += int((batch.scene[mine] != IGNORE).sum())
            found[task, SCENES] += int(mine.sum())
    return found


def losses(
    outputs: Sequence[TaskOutput], batch: LabelledBatch, rules: Sequence[Rules], count: Tensor
) -> Losses:
    """Losses of one micro-batch; sequences and scenes without a label do not count.

    Args:
        count: see `counts`, of the whole step.
    """
    totals, parts = [], []
    for number, (output, rule) in enumerate(zip(outputs, rules, strict=True)):
        mine = batch.task == number
        several = None if batch.several is None else batch.several[mine]
        instance, scene, right = _task(
            output, batch.instance[mine], batch.scene[mine], several, rule
        )
        instances, scenes, share = _divisors(count, number)
        part = instance / instances
        if output.scene is not None:
            weight = rule.scene_weight if output.instance is not None else 1.0
            part = part + weight * (scene / scenes)
        totals.append(rule.config.factor * share * part)
        rights = instances if output.instance is not None else scenes
        parts.append(torch.stack([instance / instances, scene / scenes, right / rights]).detach())
    return Losses(torch.stack(totals).sum(), torch.stack(parts))


def _divisors(count: Tensor, task: int) -> tuple[float, float, float]:
    """Numbers of labelled sequences and scenes of a task, at least 1, and its share of scenes."""
    instances, scenes, own = count[task].tolist()
    return max(instances, 1.0), max(scenes, 1.0), own / max(float(count[:, SCENES].sum()), 1.0)


def _task(
    output: TaskOutput, instance: Tensor, scene: Tensor, several: Tensor | None, rule: Rules
) -> tuple[Tensor, Tensor, Tensor]:
    """Sums over what is labelled: of the sequences' and the scenes' losses, and of right ones."""
    zero = torch.zeros((), device=instance.device)
    if output.instance is None:
        loss, right = _cross_entropy(output.scene, scene, rule)
        return zero, loss, right
    if rule.config.kind == "multilabel":
        return _binary(output.instance, several), zero, zero
    loss, right = _cross_entropy(output.instance.flatten(0, 1), instance.flatten(), rule)
    if output.scene is None:
        return loss, zero, right
    return loss, _cross_entropy(output.scene, scene, rule)[0], right


def _cross_entropy(logits: Tensor, targets: Tensor, rule: Rules) -> tuple[Tensor, Tensor]:
    """Sums over the targets that are not `IGNORE`, of losses and of right answers; 0, with a
    gradient of 0, if there are none."""
    known = targets != IGNORE
    if not known.any():
        return logits.float().sum() * 0, torch.zeros((), device=logits.device)
    found, targets = logits[known].float(), targets[known]
    right = (found.argmax(dim=-1) == targets).float().sum()
    weighted = found if rule.negatives is None else found + rule.negatives[targets]
    loss = F.cross_entropy(weighted, targets, label_smoothing=rule.smoothing, reduction="sum")
    return loss, right


def _binary(logits: Tensor, several: Tensor | None) -> Tensor:
    """Sum over the labelled sequences of the binary cross entropy, mean over the classes."""
    if several is None:
        return logits.float().sum() * 0
    targets = several[..., : logits.shape[-1]]
    known = ~targets[..., 0].isnan()
    if not known.any():
        return logits.float().sum() * 0
    found = F.binary_cross_entropy_with_logits(
        logits[known].float(), targets[known], reduction="none"
    )
    return found.mean(dim=-1).sum()
