"""What a run tells: lines for people, one JSON object per step, and curves for TensorBoard."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from skeletr.files import atomic_path


class RunLog:
    """Appends lines with the time of day to a file and to stdout; silent if not `active`."""

    def __init__(self, path: Path, active: bool = True) -> None:
        self._path, self._active = path, active
        if active:
            path.parent.mkdir(parents=True, exist_ok=True)

    def __call__(self, text: str) -> None:
        """Write one line."""
        if not self._active:
            return
        line = f"{time.strftime('%H:%M:%S', time.gmtime())}Z {text}"
        print(line, flush=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


class Metrics:
    """RUN/metrics.jsonl, a line per step, and curves in RUN/tensorboard.

    Numbers are written so that they read back exactly: two runs can be compared step by step.
    """

    def __init__(self, folder: Path, step: int, active: bool = True) -> None:
        """step: of the state from which the run goes on; what was logged after it is dropped."""
        self._path, self._active = folder / "metrics.jsonl", active
        if active:
            # Takes seconds to import, so only where curves are written.
            from torch.utils.tensorboard import SummaryWriter

            _truncate(self._path, step)
            self._curves = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def __call__(self, step: int, values: Mapping[str, float], curves: bool) -> None:
        """Append the values of a step, and if `curves` add them to the curves."""
        if not self._active:
            return
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")
        if curves:
            self.curves(step, values)

    def curves(self, step: int, values: Mapping[str, float]) -> None:
        """Add values to the curves only."""
        if self._active:
            for name, value in values.items():
                self._curves.add_scalar(name, value, step)
            self._curves.flush()

    def close(self) -> None:
        """End the curves."""
        if self._active:
            self._curves.close()


def read_metrics(path: Path) -> list[dict[str, float]]:
    """The lines of a metrics file; one that was cut off, by a kill, is left out."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def _truncate(path: Path, step: int) -> None:
    """Keep what was logged up to a step."""
    if not path.exists():
        return
    kept = [json.dumps(line) for line in read_metrics(path) if line.get("step", 0) <= step]
    with atomic_path(path) as partial:
        partial.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


class Pace:
    """Steps per second since the start of this process, and the time that is left."""

    def __init__(self, first: int, steps: int) -> None:
        self._first, self._steps, self._began = first, steps, time.monotonic()

    def __call__(self, step: int) -> str:
        """After `step` steps: seconds per step and when the run will be done."""
        each = (time.monotonic() - self._began) / max(step - self._first, 1)
        left = round(each * (self._steps - step))
        return f"{each:.3f} s/step, {left // 3600}:{left // 60 % 60:02d}:{left % 60:02d} left"
