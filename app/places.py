"""Places at the camera: so many at once; who comes later waits in a visible line."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass


class LineFull(RuntimeError):
    """Too many wait already; the message says what to do."""


@dataclass(frozen=True)
class Place:
    """Where a visitor stands: 0 = at the camera, 1 = next in line, and so on.

    ended: the visitor had a turn and made room for those who wait.
    """

    position: int
    ended: bool = False

    @property
    def granted(self) -> bool:
        """Whether the visitor's camera is served."""
        return self.position == 0


@dataclass
class _Visitor:
    since: float  # when the turn at the camera began, or the wait
    seen: float
    ended: bool = False


class Places:
    """Who is at the camera and who waits. A visitor asks again with every frame.

    Args:
        places: cameras at once. waiting: visitors who may wait. turn: seconds for which a
            camera may run while others wait. idle: seconds without a frame after which a
            visitor has left. clock: seconds, for tests.
    """

    def __init__(
        self,
        places: int,
        waiting: int,
        turn: float,
        idle: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._places = places
        self._waiting = waiting
        self._turn = turn
        self._idle = idle
        self._clock = clock
        self._lock = threading.Lock()
        self._served: OrderedDict[str, _Visitor] = OrderedDict()  # longest turn first
        self._line: OrderedDict[str, _Visitor] = OrderedDict()  # first come first
        self._ended = -float("inf")

    def ask(self, key: str) -> Place:
        """Where the visitor `key` stands now. Raises `LineFull`."""
        now = self._clock()
        with self._lock:
            self._forget_the_absent(now)
            known = self._served.get(key) or self._line.get(key)
            if known is None:
                known = self._queue_up(key, now)
            known.seen = now
            self._serve_the_next(now)
            if key in self._served:
                return Place(0)
            return Place(1 + list(self._line).index(key), self._line[key].ended)

    def leave(self, key: str) -> None:
        """The visitor has gone; the next in line gets in when it asks."""
        with self._lock:
            self._served.pop(key, None)
            self._line.pop(key, None)

    def sweep(self) -> None:
        """Forget visitors who have stopped asking."""
        with self._lock:
            self._forget_the_absent(self._clock())

    def serves(self, key: str) -> bool:
        """Whether the visitor holds a place at the camera."""
        with self._lock:
            return key in self._served

    @property
    def served(self) -> int:
        """How many are at the camera."""
        return len(self._served)

    @property
    def waiting(self) -> int:
        """How many are in line."""
        return len(self._line)

    def _queue_up(self, key: str, now: float) -> _Visitor:
        busy = len(self._served) >= self._places or self._line
        if busy and len(self._line) >= self._waiting:
            raise LineFull(
                f"All {self._places} places at the camera are taken and {self._waiting} visitors "
                "wait, which is the most. Try again in a few minutes."
            )
        self._line[key] = _Visitor(now, now)
        return self._line[key]

    def _forget_the_absent(self, now: float) -> None:
        for visitors in (self._served, self._line):
            for key in [k for k, v in visitors.items() if now - v.seen > self._idle]:
                del visitors[key]

    def _serve_the_next(self, now: float) -> None:
        while self._line and (len(self._served) < self._places or self._end_a_turn(now)):
            key, visitor = self._line.popitem(last=False)
            self._served[key] = _Visitor(now, visitor.seen)

    def _end_a_turn(self, now: float) -> bool:
        """Send the visitor with the longest turn to the end of the line, if it was long enough.

        One at a time: otherwise everybody who has been here for long would change places at once.
        """
        key, visitor = next(iter(self._served.items()))
        if now - visitor.since < self._turn or now - self._ended < self._turn / self._places:
            return False
        self._ended = now
        del self._served[key]
        self._line[key] = _Visitor(now, visitor.seen, ended=True)
        return True
