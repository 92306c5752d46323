"""How right the averaged weights are about held-out data, task by task, on all processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from skeletr.checkpoint import Calibration
from skeletr.datasets.noise import NoiseConfig
from skeletr.datasets.vocabulary import SIT, STAND
from skeletr.evaluation.answers import Answers, Item, answer, pose, results, unit_scores
from skeletr.evaluation.report import Part, Result, prepare, score
from skeletr.model import SkeleTR
from skeletr.training.calibrate import Judged, calibrate, judge
from skeletr.training.config import TrainConfig
from skeletr.training.data import LabelledBatch, StepBatches
from skeletr.training.sources import ComposedSource
from skeletr.training.tasks import Task

# Puts the lists of all processes together, in every process.
Gather = Callable[[list], list]


@dataclass(frozen=True)
class Verdict:
    """score: in [0, 1], what the best weights are chosen by. text: for the log."""

    score: float
    text: str


def validator(
    task: Task, config: TrainConfig, place: tuple[int, int], gather: Gather
) -> ComposedValidator | SampleValidator:
    """What judges a task. place: number of this process, and of how many."""
    if task.config.source == "composed":
        return ComposedValidator(task, config, place, gather)
    return SampleValidator(task, place, gather)


class ComposedValidator:
    """Clips of several data sets: the mean over data sets, and over clean and noisy joints, of
    top-1 per clip. Prepared once, when first needed."""

    def __init__(
        self, task: Task, config: TrainConfig, place: tuple[int, int], gather: Gather
    ) -> None:
        self._task, self._config, self._place, self._gather = task, config, place, gather
        self._parts: list[Part] | None = None
        self._held_out: list[LabelledBatch] | None = None

    def measure(self, model: SkeleTR) -> Verdict:
        """Of a model in evaluation mode; every process takes some of the parts."""
        labels, sequences = self._task.labels, self._task.sequences
        own = [score(model, part, labels, sequences) for part in self._own_parts()]
        found: list[Result] = sorted(self._gather(own), key=lambda r: r.noise)
        accuracy = sum(r.open_top1 for r in found) / max(len(found), 1)
        parts = ", ".join(
            f"{r.dataset}{' noisy' if r.noise else ''} {100 * r.open_top1:.1f}" for r in found
        )
        return Verdict(accuracy, f"{100 * accuracy:.2f} ({parts})")

    def calibrate(self, model: SkeleTR) -> tuple[Calibration, str]:
        """On scenes composed from the validation clips."""
        judged = judge(model, self._scenes())
        labels = self._task.labels
        found = calibrate(judged, [labels.index(label) for label in (STAND, SIT)])
        text = f"validation scenes {100 * judged.accuracy:.2f}, loss {judged.loss():.3f}"
        return found, text

    def _own_parts(self) -> list[Part]:
        if self._parts is None:
            rank, world = self._place
            parts = [
                part
                for noise in (None, NoiseConfig())
                for part in prepare(
                    self._task.clips, self._task.labels, self._task.sequences, noise
                )
            ]
            self._parts = parts[rank::world]
        return self._parts

    def _scenes(self) -> list[LabelledBatch]:
        if self._held_out is None:
            task = self._task
            config = replace(
                self._config, tasks=(task.config,), scenes_per_batch=0, sequences=task.sequences
            )
            count = max(1, config.validation_scenes * 8 // config.batch)
            source = ComposedSource(task.clips, task.labels, config.scenes, task.sequences)
            batches = StepBatches([source], config, count, stream=1)
            self._held_out = [batch for i in range(count) for batch in batches[i]]
        return self._held_out


class SampleValidator:
    """Samples of a clip data set or a store, as they are: top-1, or the mean average precision."""

    def __init__(self, task: Task, place: tuple[int, int], gather: Gather) -> None:
        self._task, self._gather = task, gather
        self._samples = task.samples[place[0] :: place[1]]
        self._items: list[Item] | None = None
        self._answers: Answers | None = None

    def measure(self, model: SkeleTR) -> Verdict:
        """Of a model in evaluation mode; every process takes some of the samples."""
        task = self._task
        if self._items is None:
            self._items = [
                pose(s, task.labels, task.config.kind, task.sequences) for s in self._samples
            ]
        own = answer(model, self._items, task.config.kind)
        self._answers = _together(self._gather([own]))
        if not len(self._answers.targets):
            return Verdict(0.0, "nothing to judge: no validation sample with a known label")
        scores = unit_scores(self._answers, task.config.kind)
        found = results(scores, self._answers.targets)
        name = "mean_ap" if task.config.kind == "multilabel" else "top1"
        rest = ", ".join(
            f"{k} {100 * v:.2f}" if isinstance(v, float) else f"{k} {v}"
            for k, v in found.items()
            if k != name
        )
        return Verdict(float(found[name]), f"{100 * found[name]:.2f} {name} ({rest})")

    def calibrate(self, model: SkeleTR) -> tuple[Calibration, str]:
        """By the answers that were measured last; several labels need no temperature."""
        answers = self._answers
        if self._task.config.kind == "multilabel" or answers is None or not len(answers.unit):
            return Calibration(), "not calibrated"
        judged = Judged(answers.logits, torch.from_numpy(answers.targets[answers.unit]))
        return calibrate(judged), f"loss {judged.loss():.3f}"


def _together(parts: Sequence[Answers]) -> Answers:
    """The answers of all processes as one."""
    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0, *(len(p.targets) for p in parts)])
    judged = [p.targets for p in parts if len(p.targets)] or [parts[0].targets]
    return Answers(
        torch.cat([p.logits for p in parts]),
        np.concatenate([p.unit + start for p, start in zip(parts, starts, strict=False)]),
        np.concatenate(judged),
        tuple(name for p in parts for name in p.names),
    )
