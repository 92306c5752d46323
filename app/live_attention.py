"""What one visitor looks at in the attention of the camera: head, layer, and a pair of people."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from app.attention_view import JUDGED, Choice, Judged, Known, Spot, judge, mostly, place, told
from app.figures import newest, person_name
from skeletr.actions import ActionLog, Attention, Prediction, Status, Track, nothing
from skeletr.recording import Frame, Recording
from skeletr.token_attention import WindowAttention

_SHOWN = 3  # maps that a click may still be meant for: the page is a little behind
MARKED = 5.0  # seconds for which a pair is set off in the picture


@dataclass(frozen=True)
class Pair:
    """A cell of a map: who looks, who is looked at, and the share of attention that goes there.

    looks_at, seen_at: seconds of the two short sequences; None for people as a whole.
    """

    looks: int
    seen: int
    weight: float
    looks_at: float | None = None
    seen_at: float | None = None


@dataclass(frozen=True)
class Shown:
    """A window that the page shows maps of, with what tells more of it to whoever asks.

    key: seconds, its newest key frame. frames: those that it was recognised from.
    size: of the picture, width and height. log: what was said about people at its key frames.
    """

    attention: Attention
    key: float
    frames: tuple[Frame, ...]
    size: tuple[int, int]
    log: ActionLog

    @property
    def recording(self) -> Recording:
        """The frames as one."""
        return Recording.from_frames(self.frames, self.size)


@dataclass
class Opened:
    """Two short sequences of a window, to be looked into; inside: all their attention, if known."""

    shown: Shown
    pair: tuple[Spot, Spot]
    inside: WindowAttention | None = None


class LiveAttention:
    """One visitor's choice, and what the page shows. Clicks and frames come from other threads.

    Attributes:
        wanted: whether the maps are shown. choice: layer and head.
        told: how many layers the page offers. opened: the pair that was clicked last.
        version: of what the maps show; a page that shows another one asks for them.
        somebody: whether anybody was in view then.
    """

    def __init__(self) -> None:
        self.wanted = True
        self.choice = Choice(0.0)
        self.told = 0
        self.version = 0
        self.somebody = False
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Another stream begins; what was chosen stays."""
        with self._lock:
            self._shown: deque[Shown] = deque(maxlen=_SHOWN)
            self.opened: Opened | None = None
            self._judged: deque[Judged] = deque(maxlen=JUDGED)
            self._pair: Pair | None = None
            self._since: float | None = None

    def choose(self, layer: int | None, head: int | None) -> None:
        """Look at one layer or head, numbered from 0; None for the mean over all."""
        self.choice = replace(self.choice, layer=layer, head=head)

    def show(self, shown: Shown | None, somebody: bool = True) -> None:
        """Have maps of this window from now on; None where none is known, perhaps of nobody."""
        judged = judge(shown.attention) if shown is not None else None
        with self._lock:
            if shown is None:
                self._shown.clear()
            else:
                self._shown.append(shown)
            if judged:
                self._judged.append(judged)
            self.somebody = somebody
            self.version += 1

    @property
    def shown(self) -> Attention | None:
        """The window that the maps show."""
        found = self.window()
        return found and found.attention

    @property
    def tips(self) -> list[str] | None:
        """Per sequence of that window what to say about it under the mouse."""
        found = self.window()
        return found and told(found.log, found.attention)

    def window(self, wanted: float | None = None) -> Shown | None:
        """The window whose `figures.newest` is `wanted`, the newest if not given, if it is shown
        or was until a moment ago."""
        with self._lock:
            return self._window(wanted)

    def _window(self, wanted: float | None) -> Shown | None:
        found = (s for s in reversed(self._shown) if wanted in (None, newest(s.attention)))
        return next(found, None)

    @property
    def known(self) -> Known:
        """What each head does mostly, in the windows that were shown."""
        with self._lock:
            return mostly(list(self._judged))

    def pick(self, looks: str, seen: str, window: float | None = None) -> Pair | None:
        """Set the pair of a cell off in the picture for a few seconds.

        Args:
            looks, seen: names of row and column as the map shows them, of short sequences or of
                people.
            window: `figures.newest` of the window that the map is of, the newest if not given.

        Returns:
            None where the map has no such cell any more.
        """
        with self._lock:
            shown = self._window(window)
            pair = shown and _pair(shown.attention, self.choice, looks, seen)
            if pair:
                self._pair, self._since = pair, None
                self.opened = Opened(shown, _spots(shown.attention, self.choice, pair))
            return pair

    def marked(self, now: float) -> Pair | None:
        """The pair to set off in the frame at `now` seconds; its time begins with its first."""
        with self._lock:
            if self._pair is not None:
                self._since = now if self._since is None else self._since
                if not 0 <= now - self._since < MARKED:
                    self._pair = None
            return self._pair


def _pair(attention: Attention, choice: Choice, looks: str, seen: str) -> Pair | None:
    names, choice = attention.names, choice.within(attention)
    if looks in names and seen in names:
        row, column = names.index(looks), names.index(seen)
        weight = float(attention.select(choice.layer, choice.head)[row, column])
        people, times = attention.person, attention.times
        return Pair(
            int(people[row]), int(people[column]), weight, float(times[row]), float(times[column])
        )
    people, weights = attention.between_people(choice.layer, choice.head)
    named = [person_name(p) for p in people]
    if looks not in named or seen not in named:
        return None
    row, column = named.index(looks), named.index(seen)
    return Pair(people[row], people[column], float(weights[row, column]))


def _spots(attention: Attention, choice: Choice, pair: Pair) -> tuple[Spot, Spot]:
    """The two short sequences of a pair; of people those with most attention between them."""
    if pair.looks_at is not None and pair.seen_at is not None:
        return (pair.looks_at, pair.looks), (pair.seen_at, pair.seen)
    choice = choice.within(attention)
    weights = attention.select(choice.layer, choice.head)
    theirs = (attention.person == pair.looks)[:, None] & (attention.person == pair.seen)[None]
    row, column = np.unravel_index(np.where(theirs, weights, -1.0).argmax(), weights.shape)
    times = attention.times
    return (float(times[row]), pair.looks), (float(times[column]), pair.seen)


def look_into(window: WindowAttention, pair: tuple[Spot, Spot]) -> WindowAttention:
    """What is to be kept of a window for one of its pairs: the rest is large."""
    places = (place(window.sequences, spot) for spot in pair)
    return window.of([*dict.fromkeys(i for i in places if i is not None)])


def said_lately(
    heard: Iterable[tuple[float, Mapping[int, Prediction]]], interval: float
) -> ActionLog:
    """What was said of people at the last key frames.

    Args:
        heard: seconds of a key frame, ascending, and person id -> prediction.
        interval: seconds between key frames.
    """
    found: dict[int, list[tuple[float, Prediction]]] = {}
    for time, people in heard:
        for person, prediction in people.items():
            found.setdefault(person, []).append((time, prediction))
    tracks = {person: _track(steps) for person, steps in found.items()}
    return ActionLog((), interval, tracks, _track([(0.0, nothing(Status.NOBODY, ()))]))


def _track(steps: list[tuple[float, Prediction]]) -> Track:
    times = np.array([time for time, _ in steps])
    return Track(times, tuple(p for _, p in steps), float(times[0]), float(times[-1]))
