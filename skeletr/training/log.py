"""Lines for people: to stdout and to a file."""

from __future__ import annotations

import time
from pathlib import Path


class RunLog:
    """Appends lines with the time of day to a file and to stdout."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path

    def __call__(self, text: str) -> None:
        """Write one line."""
        line = f"{time.strftime('%H:%M:%S', time.gmtime())}Z {text}"
        print(line, flush=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


class Pace:
    """Steps per second since the start of this process, and the time that is left."""

    def __init__(self, first: int, steps: int) -> None:
        self._first, self._steps, self._began = first, steps, time.monotonic()

    def __call__(self, step: int) -> str:
        """After `step` steps: seconds per step and when the run will be done."""
        each = (time.monotonic() - self._began) / max(step - self._first, 1)
        left = round(each * (self._steps - step))
        return f"{each:.3f} s/step, {left // 3600}:{left // 60 % 60:02d}:{left % 60:02d} left"
