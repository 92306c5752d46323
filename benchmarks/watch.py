"""How much memory a process and its children hold, looked at while they work."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass

import psutil

_MEGABYTE = 2**20


@dataclass(frozen=True)
class Look:
    """Resident memory at one moment. time: seconds since the watch began. own: megabytes of the
    process. below: of its children, and theirs; pages that they share count for each."""

    time: float
    own: float
    below: float

    @property
    def all(self) -> float:
        """Megabytes of all of them."""
        return self.own + self.below


def look(process: psutil.Process, time: float = 0.0) -> Look:
    """What a process holds now."""
    return Look(time, _resident([process]), _resident(process.children(recursive=True)))


class Watch:
    """Looks when a `with` block begins, every so often while it runs, in a thread of its own, and
    when it ends.

    Attributes:
        looks: all of them, oldest first.
    """

    def __init__(self, process: psutil.Process | None = None, every: float = 0.5) -> None:
        """process: this one if not given. every: seconds between two looks."""
        self.looks: list[Look] = []
        self._process = process or psutil.Process()
        self._every = every
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True, name="watch")

    def __enter__(self) -> Watch:
        self._begin = time.perf_counter()
        self._take()  # before the block begins, so that the first look is what was there without it
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leave.set()
        self._thread.join()
        self._take()

    def thinned(self, most: int = 60) -> list[list[int]]:
        """At most so many looks, evenly, and the last: whole seconds, megabytes own and below."""
        step = -(-len(self.looks) // most)
        kept = (*self.looks[::step], self.looks[-1])
        return [[round(k.time), round(k.own), round(k.below)] for k in kept]

    def _look(self) -> None:
        while not self._leave.wait(self._every):
            self._take()

    def _take(self) -> None:
        self.looks.append(look(self._process, time.perf_counter() - self._begin))


def _resident(processes: list[psutil.Process]) -> float:
    total = 0
    for process in processes:
        with suppress(psutil.Error):  # it may have ended since
            total += process.memory_info().rss
    return total / _MEGABYTE
