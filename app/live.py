"""One camera: frames go in as they come, pictures with labels come out."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np

from app.engine import Engine
from app.settings import UserOptions
from app.stream_clock import StreamClock
from skeletr.actions import Actions
from skeletr.overlay import OverlayStyle, draw_actions
from skeletr.pipeline import StageTimer
from skeletr.recording import Frame, Person
from skeletr.scoring import Taught
from skeletr.skeleton import COCO_FLIP
from skeletr.tracking import Tracker

_PACE_WINDOW = 3.0  # seconds over which frames per second are counted
_REDRAW = 1.8  # seconds between two drawings of the attention: a page takes long for each
_REMEMBERED = 7.0  # seconds that a recogniser with other settings is told of: more than its window
_NOTE_SHOWN = 4.0  # seconds for which it is said that a new stream has begun


@dataclass(frozen=True)
class LiveView:
    """What to show for one frame.

    image: (H, W, 3) uint8 RGB with the overlay. fps: frames per second lately.
    latency: seconds from the arrival of the frame to the picture. note: what happened to the
    stream a moment ago, "" = nothing. redraw: the attention is new and should be drawn again.
    stages: seconds spent in each. people: as they are, never mirrored. size: of the picture,
    width and height.
    """

    image: np.ndarray
    actions: Actions
    fps: float
    latency: float
    note: str = ""
    redraw: bool = False
    stages: Mapping[str, float] = field(default_factory=dict)
    people: tuple[Person, ...] = ()
    size: tuple[int, int] = (1, 1)


class LiveStream:
    """Pose, tracking and recognition of one camera; made when the first frame arrives."""

    def __init__(self, engine: Engine, options: UserOptions, taught: Taught | None = None) -> None:
        self.options = options
        self._engine = engine
        self._taught = taught
        self._longest = engine.settings.limits.processing_side
        self._recognizer = engine.recognizer(options, True, taught)
        self._frontend = engine.frontend(options)
        self._tracker = Tracker()
        self._clock = StreamClock()
        self._size: tuple[int, int] | None = None
        self._note = ""
        self._drawn: float | None = None
        self._done: deque[float] = deque()
        self._recent: deque[Frame] = deque()

    def adapt(self, options: UserOptions, taught: Taught | None) -> None:
        """Go on with other settings: people keep their numbers, and labels are there at once.

        Raises `PoseError` where there is no such pose model; nothing was changed then.
        """
        before = self.options
        if (options.pose, options.max_people) != (before.pose, before.max_people):
            new = self._engine.frontend(options)
            self._frontend.close()
            self._frontend = new
        self.options = options
        if options.threshold != before.threshold or taught is not self._taught:
            self._taught = taught
            self._recognizer = self._engine.recognizer(options, True, taught)
            for frame in self._recent:
                self._recognizer.step(frame.people, frame.time, self._size or (1, 1))

    def step(
        self, image: np.ndarray, mirrored: bool, arcs: bool = False, now: float | None = None
    ) -> LiveView:
        """Take one frame.

        Args:
            image: (H, W, 3) uint8 RGB as the page shows it; scaled down if it is large.
            mirrored: the page shows a mirror image. People are recognised as they are, and
                the picture that comes out is mirrored again.
            arcs: draw attention between people into the picture.
            now: seconds, for tests; the clock if not given.
        """
        begin = time.perf_counter()
        timer = StageTimer()
        image = _fit(image, self._longest)
        now = self._begin_anew_if_needed(image, time.monotonic() if now is None else now)
        actions, found = self._recognise(image[:, ::-1] if mirrored else image, now, timer)
        people = tuple(_mirror(p, image.shape[1]) for p in found) if mirrored else found
        style = OverlayStyle(arcs=arcs, picture=self.options.picture)
        seen = (actions.people, actions.scene, actions.attention)
        with timer.stage("draw"):
            drawn = draw_actions(image, people, *seen, style)
        note = self._note if now < _NOTE_SHOWN else ""
        latency = time.perf_counter() - begin
        redraw = self._redraws(actions, now)
        pace, size = self._pace(now), image.shape[1::-1]
        return LiveView(drawn, actions, pace, latency, note, redraw, timer.seconds, found, size)

    def _begin_anew_if_needed(self, image: np.ndarray, clock: float) -> float:
        """Seconds since the stream began; a pause or another size begins a new stream.

        Positions in pixels mean something else in a picture of another size.
        """
        size, before = image.shape[1::-1], self._size
        paused = self._clock.pause(clock)
        changed = before is not None and size != before
        self._size = size
        if paused or changed:
            self.reset()
        if changed:
            told = f"The picture is now {size[0]}x{size[1]} pixels"
        else:
            told = f"No picture came for {paused:.0f} s" if paused else ""
        self._note = f"{told}; people are followed anew." if told else self._note
        return self._clock.next(clock)

    def _recognise(
        self, image: np.ndarray, now: float, timer: StageTimer
    ) -> tuple[Actions, tuple[Person, ...]]:
        with timer.stage("pose"):
            found = self._frontend.estimate(np.ascontiguousarray(image), now)
        with timer.stage("track"):
            people = self._tracker.update(found, now)
        self._remember(Frame(now, tuple(people)))
        with timer.stage("recognise"):
            return self._recognizer.step(people, now, image.shape[1::-1]), tuple(people)

    def reset(self) -> None:
        """Forget everybody: the next frame begins a new stream."""
        for part in (self._frontend, self._tracker, self._recognizer, self._clock):
            part.reset()
        self._note = ""
        self._drawn = None
        self._done.clear()
        self._recent.clear()

    def close(self) -> None:
        """Free the pose model."""
        self._frontend.close()

    def _remember(self, frame: Frame) -> None:
        self._recent.append(frame)
        while frame.time - self._recent[0].time > _REMEMBERED:
            self._recent.popleft()

    def _redraws(self, actions: Actions, now: float) -> bool:
        if not actions.fresh or (self._drawn is not None and now - self._drawn < _REDRAW):
            return False
        self._drawn = now
        return True

    def _pace(self, now: float) -> float:
        self._done.append(now)
        while now - self._done[0] > _PACE_WINDOW:
            self._done.popleft()
        span = self._done[-1] - self._done[0]
        return (len(self._done) - 1) / span if span > 0 else 0.0


def _fit(image: np.ndarray, longest: int) -> np.ndarray:
    height, width = image.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _mirror(person: Person, width: int) -> Person:
    keypoints = person.keypoints[list(COCO_FLIP)].copy()
    keypoints[:, 0] = width - 1 - keypoints[:, 0]
    x1, y1, x2, y2 = person.box
    return Person(keypoints, np.array([width - 1 - x2, y1, width - 1 - x1, y2]), person.id)
