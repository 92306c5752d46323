"""What is kept of a run: validation by validation the best weights of every task, then the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from accelerate.utils import gather_object

from skeletr.checkpoint import Calibration, Checkpoint
from skeletr.datasets.vocabulary import INTERACTIONS, PASSING, SIT, STAND
from skeletr.training.config import TrainConfig
from skeletr.training.ema import WeightAverage
from skeletr.training.folders import writing
from skeletr.training.log import RunLog
from skeletr.training.tasks import Task
from skeletr.training.validate import Verdict, validator


@dataclass
class Progress:
    """step: optimiser steps done. best, best_step: highest validation score of each task so far,
    and its step. labels: of each task, to tell another run's state from this one's."""

    step: int = 0
    best: dict[str, float] = field(default_factory=dict)
    best_step: dict[str, int] = field(default_factory=dict)
    labels: dict[str, list[str]] = field(default_factory=dict)


def task_folder(task: Task, config: TrainConfig) -> Path:
    """Where the best weights of a task are written: OUTPUT, or OUTPUT/TASK if there are several."""
    output = Path(config.output)
    return output if len(config.tasks) == 1 else output / task.config.name


class Keeper:
    """Judges the averaged weights; the first process writes the best and the last of them."""

    def __init__(
        self,
        tasks: Sequence[Task],
        config: TrainConfig,
        average: WeightAverage,
        place: tuple[int, int],
        log: RunLog,
    ) -> None:
        """average: of a `MultiTask`. place: number of this process, and of how many."""
        self._tasks, self._config, self._average, self._log = tasks, config, average, log
        self._main = place[0] == 0
        self._validators = [validator(task, config, place, gather_object) for task in tasks]

    def validate(self, progress: Progress) -> dict[str, Verdict]:
        """The verdict on every task; a best one is noted in `progress` and written.

        Raises:
            TrainingError: it cannot be written.
        """
        verdicts = {}
        for number, task in enumerate(self._tasks):
            name, step = task.config.name, progress.step
            verdict = self._validators[number].measure(self._average.model.single(number))
            self._log(f"step {step}: validation {self._prefix(task)}{verdict.text}")
            if verdict.score >= progress.best.get(name, -1.0):
                progress.best[name], progress.best_step[name] = verdict.score, step
                if self._main:
                    self._write_best(number, step)
            verdicts[name] = verdict
        return verdicts

    def _write_best(self, number: int, step: int) -> None:
        """The averaged weights with their calibration, as the program uses them."""
        task = self._tasks[number]
        model = self._average.model.single(number)
        calibration, text = self._validators[number].calibrate(model)
        self._log(
            f"step {step}: best so far; {self._prefix(task)}{text}, temperature "
            f"{calibration.temperature}, unknown below {calibration.threshold}"
        )
        folder = task_folder(task, self._config)
        with writing("the best weights", folder, step):
            self._checkpoint(number, calibration).save_pretrained(folder)

    def write_last(self, step: int) -> None:
        """The last weights, uncalibrated, into RUN/last/TASK."""
        if not self._main:
            return
        for number, task in enumerate(self._tasks):
            folder = Path(self._config.run) / "last" / task.config.name
            with writing("the last weights", folder, step):
                self._checkpoint(number, Calibration()).save_pretrained(folder)

    def _checkpoint(self, number: int, calibration: Calibration) -> Checkpoint:
        task = self._tasks[number]
        return Checkpoint(
            self._average.model.single(number),
            task.labels,
            task.sequences,
            calibration,
            task=task.config.info().as_dict(),
            **_kinds(task),
        )

    def _prefix(self, task: Task) -> str:
        return "" if len(self._tasks) == 1 else f"{task.config.name} "


def _kinds(task: Task) -> dict[str, tuple[str, ...]]:
    """Which labels are interactions, rests and passing; of the shared vocabulary only, for data
    sets and users may call something else by these names."""
    if task.config.source != "composed":
        return {}
    kinds = {"interactions": INTERACTIONS, "rests": {STAND, SIT}, "passing": PASSING}
    return {
        kind: tuple(label for label in task.labels if label in members)
        for kind, members in kinds.items()
    }
