"""What finished cells say: read from their JSONs, means and spreads over the seeds."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.paper.cells import SEEDS, Cell, Variant
from skeletr.datasets.clip import DatasetError


@dataclass(frozen=True)
class Figure:
    """A figure of a row on a task, one value per seed that was run, in [0, 1]."""

    values: Mapping[int, float]

    @property
    def mean(self) -> float:
        """Over the seeds; NaN where none was run."""
        return statistics.fmean(self.values.values()) if self.values else float("nan")

    @property
    def spread(self) -> float:
        """Standard deviation over the seeds, 0 of one."""
        return statistics.stdev(self.values.values()) if len(self.values) > 1 else 0.0

    def text(self) -> str:
        """In percent, with the spread and the number of seeds; never a guess."""
        if not self.values:
            return "not run yet"
        if len(self.values) == 1:
            return f"{100 * self.mean:.1f} (1 seed)"
        return f"{100 * self.mean:.1f} ± {100 * self.spread:.1f} ({len(self.values)} seeds)"


class Results:
    """All results of one schedule on one benchmark."""

    def __init__(self, found: Mapping[str, Mapping[str, Any]]) -> None:
        """found: name of a cell -> its result.

        Raises:
            DatasetError: they are of different benchmarks, so that they cannot be compared.
        """
        self._found = found
        self.benchmarks = sorted({str(r["benchmark"]) for r in found.values()})
        if len(self.benchmarks) > 1:
            raise DatasetError(f"results of different benchmarks: {self.benchmarks}")

    def __len__(self) -> int:
        return len(self._found)

    def __contains__(self, cell: str) -> bool:
        return cell in self._found

    def of(self, task: str, variant: Variant) -> list[tuple[int, Mapping[str, Any]]]:
        """(seed, result) of a row on a task."""
        cells = [Cell(task, variant, seed) for seed in SEEDS]
        return [(c.seed, self._found[c.name]) for c in cells if c.name in self._found]

    def figure(self, task: str, variant: Variant, name: str) -> Figure:
        """Such as top1, mean_class, interactions_map."""
        found = {s: r["figures"] for s, r in self.of(task, variant)}
        return Figure({s: float(f[name]) for s, f in found.items() if name in f})

    def step_seconds(self, task: str, variant: Variant) -> str:
        """Seconds per training step, the median over the seeds."""
        found = [float(r["seconds_per_step"]) for _, r in self.of(task, variant)]
        return f"{statistics.median(found):.2f}" if found else "not run yet"


def load_results(folder: Path, schedule: Mapping[str, int]) -> Results:
    """The results in a folder that are of a schedule.

    Raises:
        DatasetError: a file is no result; or see `Results`.
    """
    found = {}
    for path in sorted(folder.glob("*.json")):
        try:
            result = json.loads(path.read_text(encoding="utf-8"))
            if result["schedule"] == schedule:
                found[str(result["cell"])] = result
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(f"{path} is no result of a cell: {error!r}") from error
    return Results(found)
