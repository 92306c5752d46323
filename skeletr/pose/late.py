"""People of a stream that can wait: also in the frames just before they were noticed."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skeletr.pose.base import PoseFrontend, Retracing
from skeletr.recording import Person

# For how long pictures wait in memory, and how many at most: newcomers are watched for a third of
# a second before they are believed, and then followed backwards for half a second.
SECONDS = 0.8
MOST = 30

# A frame's time, and the people in it.
Found = tuple[float, tuple[Person, ...]]


@dataclass(frozen=True)
class _Waiting:
    time: float
    people: tuple[Person, ...]
    kept: Any


class Late:
    """A frontend whose frames come a little late, so that people can be added to them.

    Frames leave in their order, each once. With a frontend that cannot look back they leave at
    once.
    """

    def __init__(self, frontend: PoseFrontend) -> None:
        self._frontend = frontend
        self._waiting: deque[_Waiting] = deque()

    def estimate(self, image: np.ndarray, time: float) -> list[Found]:
        """Take a frame in; the frames that are done. Arguments as of `PoseFrontend.estimate`."""
        if not isinstance(self._frontend, Retracing):
            return [(time, tuple(self._frontend.estimate(image, time)))]
        people, kept = self._frontend.look(image, time)
        self._retrace(self._frontend)
        self._waiting.append(_Waiting(time, people, kept))
        return self._leave(time - SECONDS)

    def rest(self) -> list[Found]:
        """The frames that still waited when the stream ended."""
        return self._leave(np.inf)

    def _retrace(self, frontend: Retracing) -> None:
        earlier = [frame.kept for frame in reversed(self._waiting)]
        last = len(self._waiting) - 1
        for back, people in enumerate(frontend.retrace(earlier)):
            frame = self._waiting[last - back]
            self._waiting[last - back] = replace(frame, people=(*frame.people, *people))

    def _leave(self, until: float) -> list[Found]:
        done: list[Found] = []
        while self._waiting and (self._waiting[0].time <= until or len(self._waiting) > MOST):
            frame = self._waiting.popleft()
            done.append((frame.time, frame.people))
        return done
