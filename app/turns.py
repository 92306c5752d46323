"""Turns at something shared, in the order in which they were asked for."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType


class Turns:
    """A lock that is fair: `threading.Lock` lets whoever is quickest have it again and again.

    Sessions ask for one turn at a time, so in the long run each gets the same share of the model.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Event] = deque()

    def __enter__(self) -> Turns:
        with self._guard:
            if not self._taken:
                self._taken = True
                return self
            mine = threading.Event()
            self._waiting.append(mine)
        mine.wait()  # the turn is handed over, never free in between
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False

    def __len__(self) -> int:
        """How many wait for their turn."""
        return len(self._waiting)
