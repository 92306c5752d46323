"""Cells one after the other: train, test, keep a JSON. Killed anywhere, the next call goes on."""

from __future__ import annotations

import json
import platform
import shutil
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.paper.cells import Cell
from benchmarks.paper.recipe import Places, Schedule, config_of, start_folder
from skeletr.checkpoint import Checkpoint
from skeletr.datasets.multi_person import ALONE
from skeletr.evaluation.answers import answer, pose, results, unit_scores
from skeletr.evaluation.metrics import mean_average_precision
from skeletr.evaluation.task import TaskInfo, task_samples
from skeletr.files import atomic_path
from skeletr.training import TrainingError, train
from skeletr.training.log import read_metrics

Say = Callable[[str], None]
_POINTS = 30  # of a curve


@dataclass(frozen=True)
class Suite:
    """What all cells of a call have in common. results: folder of the JSONs. benchmark: checksum
    of the store."""

    places: Places
    schedule: Schedule
    results: Path
    benchmark: str

    def path(self, cell: Cell) -> Path:
        """Of a cell's result."""
        return self.results / cell.file

    def found(self, cell: Cell) -> dict[str, Any] | None:
        """The result of a finished cell; None where there is none, or one of other data or of
        another schedule."""
        path = self.path(cell)
        if not path.is_file():
            return None
        try:
            result = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise TrainingError(
                f"{path} is not JSON: {error}; delete it to measure it again"
            ) from error
        same = (
            result.get("schedule") == self.schedule.key
            and result.get("benchmark") == self.benchmark
        )
        return result if same else None

    def finished(self, cell: Cell) -> bool:
        """Whether there is nothing left to do; weights to start from must be there too."""
        start = start_folder(cell, self.places) / "config.json"
        kept = cell.variant.regime != "source" or start.is_file()
        return kept and self.found(cell) is not None


def run_cells(suite: Suite, cells: Sequence[Cell], budget: float, say: Say) -> int:
    """Run the cells that are not finished; returns the number that are left.

    Args:
        budget: minutes; no cell begins that is not expected to end within. 0 = no limit.
    """
    began = time.monotonic()
    left = [cell for cell in cells if not suite.finished(cell)]
    say(f"{len(cells) - len(left)} of {len(cells)} cells are finished")
    for number, cell in enumerate(left):
        each = expected(cell, cells, suite)
        passed = (time.monotonic() - began) / 60
        if budget and passed + each / 60 > budget:
            say(f"the budget of {budget:g} minutes ends here; the same command goes on")
            return len(left) - number
        total = sum(expected(c, cells, suite) for c in left[number:])
        about = f", about {_clock(total)} for all that are left" if total else ""
        say(f"cell {number + 1} of {len(left)}: {cell.name}{about}")
        result = run_cell(suite, cell)
        say(f"{cell.name}: {_shown(result)}, {_clock(result['seconds'])}")
    return 0


def expected(cell: Cell, cells: Sequence[Cell], suite: Suite) -> float:
    """Seconds that a cell will take, by finished ones: of its row and task, of its task, of any;
    0 where there are none."""
    done = [(c, r) for c in cells if (r := suite.found(c)) is not None]
    for alike in (
        lambda c: (c.task, c.variant) == (cell.task, cell.variant),
        lambda c: c.task == cell.task,
        lambda c: True,
    ):
        times = [r["seconds"] for c, r in done if alike(c)]
        if times:
            return statistics.median(times)
    return 0.0


def run_cell(suite: Suite, cell: Cell) -> dict[str, Any]:
    """Train (or go on), test, and write the result; the run's folder is then deleted.

    Raises:
        ConfigError, DatasetError, StateError, TrainingError: as of `train`.
    """
    config = config_of(cell, suite.places, suite.schedule)
    folder = suite.places.work / cell.name
    _stamp(folder, {"schedule": suite.schedule.key, "benchmark": suite.benchmark})
    metrics = Path(config.run) / "metrics.jsonl"
    saved = len(read_metrics(metrics)) // config.save_every if metrics.is_file() else 0
    began = time.monotonic()
    task = config.tasks[0].name
    out = train(config)[task]
    trained = (time.monotonic() - began) / max(config.steps - saved * config.save_every, 1)
    checkpoint = Checkpoint.from_pretrained(out)
    tested = time.monotonic()
    only_start = cell.variant.regime == "source"  # its own figures are in no table
    figures = {} if only_start else measure(checkpoint, suite.places.data)
    result = {
        "cell": cell.name,
        "schedule": suite.schedule.key,
        "benchmark": suite.benchmark,
        "figures": figures,
        "curve": curve(read_metrics(metrics), task),
        "seconds": round(trained * config.steps + time.monotonic() - tested, 1),
        "seconds_per_step": round(trained, 4),
        "machine": {"threads": torch.get_num_threads(), "processor": platform.machine()},
    }
    if only_start:
        checkpoint.save_pretrained(start_folder(cell, suite.places))
    with atomic_path(suite.path(cell)) as partial:
        partial.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(folder)
    return result


def measure(checkpoint: Checkpoint, data: Path) -> dict[str, float | int]:
    """Of the test part of the checkpoint's own task: units, top1, top5, mean_class; and where
    people may be alone, the mean average precision of the interactions."""
    info = TaskInfo.of(checkpoint)
    samples = task_samples(info, None if info.source == "store" else data, "test")
    items = (pose(s, checkpoint.labels, info.kind, checkpoint.sequences) for s in samples)
    answers = answer(checkpoint.model, items, info.kind)
    scores = unit_scores(answers, info.kind)
    found = results(scores, answers.targets)
    if ALONE in checkpoint.labels:
        found["interactions_map"] = interactions_map(scores, answers.targets, checkpoint.labels)
    return {k: round(v, 5) if isinstance(v, float) else v for k, v in found.items()}


def interactions_map(scores: np.ndarray, targets: np.ndarray, labels: Sequence[str]) -> float:
    """Mean over the interactions of the average precision among all units, those alone too."""
    truth = targets[:, None] == np.arange(len(labels))
    mine = [i for i, label in enumerate(labels) if label != ALONE]
    return mean_average_precision(scores[:, mine], truth[:, mine]).mean


def curve(metrics: Sequence[Mapping[str, float]], task: str) -> list[list[float]]:
    """[step, share of right answers while training], means over pieces of the run."""
    known = [(row["step"], row[f"{task}/correct"]) for row in metrics]
    pieces = np.array_split(np.array(known, np.float64), min(_POINTS, len(known)))
    return [[round(float(p[-1, 0])), round(float(p[:, 1].mean()), 4)] for p in pieces]


def _stamp(folder: Path, stamp: Mapping[str, Any]) -> None:
    """Begin anew where a run that was left half done is of another schedule or other data."""
    path = folder / "stamp.json"
    text = json.dumps(stamp)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    if folder.exists():
        shutil.rmtree(folder)
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _shown(result: Mapping[str, Any]) -> str:
    figures = result["figures"].items()
    shown = ", ".join(f"{k} {100 * v:.1f}" for k, v in figures if isinstance(v, float))
    return shown or "weights to start from"


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
