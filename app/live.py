"""One camera: frames go in as they come, pictures with labels come out."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from app.engine import Engine
from app.live_attention import LiveAttention, Shown, said_lately
from app.live_kept import Kept
from app.settings import UserOptions
from app.stream_clock import StreamClock
from skeletr.actions import Actions, Attention, Prediction
from skeletr.overlay import OverlayStyle, Veil, draw_actions, draw_pair
from skeletr.pipeline import StageTimer
from skeletr.recording import Frame, Person
from skeletr.scoring import Taught
from skeletr.session import Session
from skeletr.skeleton import COCO_FLIP
from skeletr.tracking import Tracker

_PACE_WINDOW = 3.0  # seconds over which frames per second are counted
_REDRAW = 1.8  # seconds between two drawings of the attention: a page takes long for each
_REMEMBERED = 7.0  # seconds that a recogniser with other settings is told of: more than its window
_BEHIND = 10.0  # seconds of frames that lie behind a map: its window and what those look back to
_HEARD = 20  # key frames of which it is kept what was said: more than a window has
_LABELS = OverlayStyle(boxes=False, skeletons=False)  # on what is drawn already
_NOTE_SHOWN = 4.0  # seconds for which it is said that a new stream has begun


@dataclass(frozen=True)
class LiveView:
    """What to show for one frame.

    image: (H, W, 3) uint8 RGB with the overlay. fps: frames per second lately.
    latency: seconds from the arrival of the frame to the picture. note: what happened to the
    stream a moment ago, "" = nothing. maps: the version of the maps that the page may ask
    for, see `LiveAttention`.
    stages: seconds spent in each. people: as they are, never mirrored. size: of the picture,
    width and height. dropped: pictures of this stream that were skipped as newer ones had come.
    attention: what the visitor looks at, None where nobody does.
    """

    image: np.ndarray
    actions: Actions
    fps: float
    latency: float
    note: str = ""
    maps: int = 0
    stages: Mapping[str, float] = field(default_factory=dict)
    people: tuple[Person, ...] = ()
    size: tuple[int, int] = (1, 1)
    dropped: int = 0
    attention: LiveAttention | None = None


class LiveStream:
    """Pose, tracking and recognition of one camera; made when the first frame arrives."""

    def __init__(
        self,
        engine: Engine,
        options: UserOptions,
        taught: Taught | None = None,
        attention: LiveAttention | None = None,
    ) -> None:
        """attention: what its visitor looks at."""
        self.options = options
        self.attention = attention or LiveAttention()
        self.attention.forget()
        self._engine = engine
        self._taught = taught
        self._longest = engine.settings.limits.processing_side
        self._recognizer = engine.recognizer(options, True, taught)
        self._frontend = engine.frontend(options)
        self._tracker = Tracker(options.tracking)
        self._veil = Veil()
        self._clock = StreamClock()
        self._size: tuple[int, int] | None = None
        self._note = ""
        self._drawn: float | None = None
        self._done: deque[float] = deque()
        self._dropped = 0
        self._kept = Kept(engine.settings)
        self._heard: deque[tuple[float, Mapping[int, Prediction]]] = deque(maxlen=_HEARD)
        self._interval = self._recognizer.log().interval

    def adapt(self, options: UserOptions, taught: Taught | None) -> None:
        """Go on with other settings: people keep their numbers, and labels are there at once.

        With other labels another recogniser begins, a few seconds back; what can be saved stays.

        Raises `PoseError` where there is no such pose model; nothing was changed then.
        """
        before = self.options
        if (options.pose, options.max_people) != (before.pose, before.max_people):
            new = self._engine.frontend(options)
            self._frontend.close()
            self._frontend = new
        self.options = options
        self._tracker.smooth(options.tracking.smoothing)
        self._recognizer.threshold = self._recognizer.threshold_of(options.threshold)
        if taught is not self._taught:
            self._taught = taught
            self._kept.keep(self._recognizer.log())
            self._recognizer = self._engine.recognizer(options, True, taught)
            for frame in self._kept.latest(_REMEMBERED):
                self._recognizer.step(frame.people, frame.time, self._size or (1, 1))

    def step(
        self,
        image: np.ndarray,
        mirrored: bool,
        arcs: bool = False,
        now: float | None = None,
        skipped: int = 0,
    ) -> LiveView:
        """Take one frame.

        Args:
            image: (H, W, 3) uint8 RGB as the page shows it; scaled down if it is large.
            mirrored: the page shows a mirror image. People are recognised as they are, and
                the picture that comes out is mirrored again.
            arcs: draw attention between people into the picture.
            now: seconds, for tests; the clock if not given.
            skipped: pictures that came since the one before and were not looked at.
        """
        begin = time.perf_counter()
        timer = StageTimer()
        image = _fit(image, self._longest)
        now = self._begin_anew_if_needed(image, time.monotonic() if now is None else now)
        self._recognizer.attends = arcs or self.attention.wanted
        actions, found, hidden = self._recognise(image[:, ::-1] if mirrored else image, now, timer)
        with timer.stage("draw"):
            shown = (_as_shown(p, image.shape[1], mirrored) for p in (found, hidden))
            drawn = self._draw(image, *shown, actions, arcs, now)
        self._dropped += skipped if self._done else 0  # before the first, the visitor waited
        note = self._note if now < _NOTE_SHOWN else ""
        latency = time.perf_counter() - begin
        self._show_attention(actions, now)
        pace, size = self._pace(now), image.shape[1::-1]
        told = (pace, latency, note, self.attention.version, timer.seconds)
        return LiveView(drawn, actions, *told, found, size, self._dropped, self.attention)

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
    ) -> tuple[Actions, tuple[Person, ...], tuple[Person, ...]]:
        """What is done, by whom, and who is to be blurred where the picture is."""
        with timer.stage("pose"):
            found = self._frontend.estimate(np.ascontiguousarray(image), now)
        with timer.stage("track"):
            people = self._tracker.update(found, now)
        self._kept.see(Frame(now, tuple(people)))
        with timer.stage("recognise"):
            actions = self._recognizer.step(people, now, image.shape[1::-1])
        if actions.fresh:
            self._heard.append((actions.key_time, actions.people))
        if actions.fresh and actions.attention is not None:
            self._kept.attend(actions.key_time, actions.attention)
        return actions, tuple(people), self._veil.cover(found, now)

    def _draw(
        self,
        image: np.ndarray,
        people: tuple[Person, ...],
        hidden: tuple[Person, ...],
        actions: Actions,
        arcs: bool,
        now: float,
    ) -> np.ndarray:
        """The picture with all that is known; a pair that was clicked is set off from the rest."""
        pair = self.attention.marked(now)
        looked = actions.attention
        if looked is not None:
            choice = self.attention.choice.within(looked)
            looked = looked.only(choice.layer, choice.head)
        style = OverlayStyle(arcs=arcs, picture=self.options.picture)
        told = (actions.people, actions.scene)
        if pair is None:
            return draw_actions(image, people, *told, looked, style, hidden)
        bare = replace(style, arcs=False, labels=False, caption=False)
        drawn = draw_actions(image, people, style=bare, hidden=hidden)
        draw_pair(drawn, people, pair.looks, pair.seen, pair.weight)
        return draw_actions(drawn, people, *told, style=_LABELS)

    def session(self) -> Session | None:
        """What was recognised lately, without pictures; None where nobody was seen."""
        return self._kept.session(self._recognizer.log(), self._size or (1, 1))

    def reset(self) -> None:
        """Forget everybody: the next frame begins a new stream."""
        parts = (self._frontend, self._tracker, self._veil, self._recognizer, self._clock)
        for part in parts:
            part.reset()
        self.attention.forget()
        self._kept.clear()
        self._heard.clear()
        self._dropped = 0
        self._note = ""
        self._drawn = None
        self._done.clear()

    def close(self) -> None:
        """Free the pose model."""
        self._frontend.close()

    def _show_attention(self, actions: Actions, now: float) -> None:
        """Have the maps drawn anew where there is something new and some time has passed."""
        if not self.attention.wanted or not actions.fresh:
            return
        if actions.attention is None and self.attention.shown is None:  # still nobody
            return
        if self._drawn is not None and now - self._drawn < _REDRAW:
            return
        self._drawn = now
        shown = actions.attention and self._behind(actions.key_time, actions.attention)
        self.attention.show(shown, bool(actions.people))

    def _behind(self, key: float, attention: Attention) -> Shown:
        """What tells more of a map to whoever asks; nothing of that is worked out before."""
        frames = tuple(self._kept.latest(_BEHIND))
        return Shown(
            attention, key, frames, self._size or (1, 1), said_lately(self._heard, self._interval)
        )

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


def _as_shown(people: tuple[Person, ...], width: int, mirrored: bool) -> tuple[Person, ...]:
    return tuple(_mirror(p, width) for p in people) if mirrored else people


def _mirror(person: Person, width: int) -> Person:
    keypoints = person.keypoints[list(COCO_FLIP)].copy()
    keypoints[:, 0] = width - 1 - keypoints[:, 0]
    x1, y1, x2, y2 = person.box
    return Person(keypoints, np.array([width - 1 - x2, y1, width - 1 - x1, y2]), person.id)
