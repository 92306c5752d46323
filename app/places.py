"""Places at the camera: so many at once; who comes later waits in a visible line."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.neighbours import share_of


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
    group: str = ""  # of visitors from the same address


class Places:
    """Who is at the camera and who waits. A visitor asks again with every frame.

    Args:
        places: cameras at once. waiting: visitors who may wait. turn: seconds for which a
            camera may run while others wait. idle: seconds without a frame after which a
            visitor has left. clock: seconds, for tests. share: of the places, and of those in line,
        that visitors of one group may have.
    """

    def __init__(
        self,
        places: int,
        waiting: int,
        turn: float,
        idle: float,
        clock: Callable[[], float] = time.monotonic,
        share: float = 1.0,
    ) -> None:
        self._most_served = share_of(places, share)
        self._most_waiting = share_of(waiting, share)
        self._places = places
        self._waiting = waiting
        self._turn = turn
        self._idle = idle
        self._clock = clock
        self._lock = threading.Lock()
        self._served: OrderedDict[str, _Visitor] = OrderedDict()  # longest turn first
        self._line: OrderedDict[str, _Visitor] = OrderedDict()  # first come first
        self._ended = -float("inf")

    def ask(self, key: str, group: str = "") -> Place:
        """Where the visitor `key` stands now. Raises `LineFull`.

        group: of visitors who share what one address may have; "" = none.
        """
        now = self._clock()
        with self._lock:
            self._forget_the_absent(now)
            known = self._served.get(key) or self._line.get(key)
            if known is None:
                known = self._queue_up(key, now, group)
            known.seen = now
            self._serve_the_next(now)
            if key in self._served:
                return Place(0)
            return Place(1 + self._before(key), self._line[key].ended)

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

    def _queue_up(self, key: str, now: float, group: str) -> _Visitor:
        busy = len(self._served) >= self._places or self._line
        if busy and len(self._line) >= self._waiting:
            raise LineFull(
                f"All {self._places} places at the camera are taken and {self._waiting} visitors "
                "wait, which is the most. Try again in a few minutes."
            )
        if _of(group, self._line) >= self._most_waiting:
            raise LineFull(
                f"{self._most_waiting} visitors from your network address wait for the camera, "
                "which is the most. Try again in a few minutes."
            )
        self._line[key] = _Visitor(now, now, group=group)
        return self._line[key]

    def _before(self, key: str) -> int:
        """How many in line get in before `key`: those whose group has its share do not."""
        ahead = list(self._line)[: list(self._line).index(key)]
        if self._is_held_back(self._line[key]):
            return len(ahead)
        return sum(not self._is_held_back(self._line[k]) for k in ahead)

    def _is_held_back(self, visitor: _Visitor) -> bool:
        return _of(visitor.group, self._served) >= self._most_served

    def _next(self) -> str | None:
        """The first in line whose group has less than its share of the places."""
        return next((k for k, v in self._line.items() if not self._is_held_back(v)), None)

    def _forget_the_absent(self, now: float) -> None:
        for visitors in (self._served, self._line):
            for key in [k for k, v in visitors.items() if now - v.seen > self._idle]:
                del visitors[key]

    def _serve_the_next(self, now: float) -> None:
        while self._line and (self._is_room() or self._end_a_turn(now)):
            key = self._next()
            if key is None:
                return
            visitor = self._line.pop(key)
            self._served[key] = _Visitor(now, visitor.seen, group=visitor.group)

    def _is_room(self) -> bool:
        return len(self._served) < self._places and self._next() is not None

    def _end_a_turn(self, now: float) -> bool:
        """Send the visitor with the longest turn to the end of the line, if it was long enough.

        One at a time: otherwise everybody who has been here for long would change places at once.
        """
        anybody = self._next() is not None  # else only those wait whose group has its share
        able = (k for k, v in self._served.items() if anybody or self._is_held_back(v))
        key = next(able, None)
        if key is None:
            return False
        visitor = self._served[key]
        if now - visitor.since < self._turn or now - self._ended < self._turn / self._places:
            return False
        self._ended = now
        del self._served[key]
        self._line[key] = _Visitor(now, visitor.seen, ended=True, group=visitor.group)
        return True


def _of(group: str, visitors: Mapping[str, _Visitor]) -> int:
    """How many are of a group; nobody is of none."""
    return sum(v.group == group for v in visitors.values()) if group else 0
