"""One camera: frames go in as they come, pictures with labels come out."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

import numpy as np

from app.engine import Engine
from app.settings import UserOptions
from skeletr.actions import Actions
from skeletr.overlay import OverlayStyle, draw_actions
from skeletr.recording import Person
from skeletr.skeleton import COCO_FLIP
from skeletr.tracking import Tracker

_PAUSE = 5.0  # seconds without a frame after which the next one starts a new stream
_PACE_WINDOW = 3.0  # seconds over which frames per second are counted


@dataclass(frozen=True)
class LiveView:
    """What to show for one frame.

    image: (H, W, 3) uint8 RGB with the overlay. fps: frames per second lately.
    latency: seconds from the arrival of the frame to the picture.
    """

    image: np.ndarray
    actions: Actions
    fps: float
    latency: float


class LiveStream:
    """Pose, tracking and recognition of one camera; made when the first frame arrives."""

    def __init__(self, engine: Engine, options: UserOptions) -> None:
        self.options = options
        self._recognizer = engine.recognizer(options, live=True)
        self._frontend = engine.frontend(options)
        self._tracker = Tracker()
        self._origin: float | None = None
        self._last = 0.0
        self._done: deque[float] = deque()

    def step(
        self, image: np.ndarray, mirrored: bool, arcs: bool = False, now: float | None = None
    ) -> LiveView:
        """Take one frame.

        Args:
            image: (H, W, 3) uint8 RGB as the page shows it.
            mirrored: the page shows a mirror image. People are recognised as they are, and
                the picture that comes out is mirrored again.
            arcs: draw attention between people into the picture.
            now: seconds, for tests; the clock if not given.
        """
        begin = time.perf_counter()
        now = self._time(time.monotonic() if now is None else now)
        actions, people = self._recognise(image[:, ::-1] if mirrored else image, now)
        if mirrored:
            people = tuple(_mirror(p, image.shape[1]) for p in people)
        style = OverlayStyle(arcs=arcs, picture=self.options.picture)
        drawn = draw_actions(image, people, actions.people, actions.scene, actions.attention, style)
        return LiveView(drawn, actions, self._pace(now), time.perf_counter() - begin)

    def _time(self, clock: float) -> float:
        """Seconds since the stream began; begins a new stream after a pause."""
        if self._origin is not None and clock - self._origin - self._last > _PAUSE:
            self.reset()
        if self._origin is None:
            self._origin = clock
            self._last = 0.0
        else:
            self._last = max(clock - self._origin, self._last + 1e-3)
        return self._last

    def _recognise(self, image: np.ndarray, now: float) -> tuple[Actions, tuple[Person, ...]]:
        found = self._frontend.estimate(np.ascontiguousarray(image), now)
        people = self._tracker.update(found, now)
        return self._recognizer.step(people, now, image.shape[1::-1]), tuple(people)

    def reset(self) -> None:
        """Forget everybody: the next frame begins a new stream."""
        for part in (self._frontend, self._tracker, self._recognizer):
            part.reset()
        self._origin = None
        self._done.clear()

    def close(self) -> None:
        """Free the pose model."""
        self._frontend.close()

    def _pace(self, now: float) -> float:
        self._done.append(now)
        while now - self._done[0] > _PACE_WINDOW:
            self._done.popleft()
        span = self._done[-1] - self._done[0]
        return (len(self._done) - 1) / span if span > 0 else 0.0


def _mirror(person: Person, width: int) -> Person:
    keypoints = person.keypoints[list(COCO_FLIP)].copy()
    keypoints[:, 0] = width - 1 - keypoints[:, 0]
    x1, y1, x2, y2 = person.box
    return Person(keypoints, np.array([width - 1 - x2, y1, width - 1 - x1, y2]), person.id)
