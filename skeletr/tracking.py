"""Person ids over time, from where people are and how they move. Works in seconds, not frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from scipy.optimize import linear_sum_assignment

from skeletr.pose.smoothing import KeypointSmoother, SmoothingConfig
from skeletr.recording import Person
from skeletr.skeleton import COCO_FLIP, box_iou, keypoint_boxes

NEVER = 1e6  # cost of a pair that must not be
# Who was out of sight until just now (seconds) gives way to who was there all the time: two who
# hide one another are easily given one body for a frame.
RETURNED, RETURNED_COST = 0.5, 0.15

# How calm joints are, by name. Of a man who juggles (24 frames per second), standing joints shake
# by 2.0 % of his size without, 1.2 % with light and 0.75 % with strong smoothing; his hands then
# come 0, 12 and 28 ms late, less than a frame.
Smoothing = Literal["off", "light", "strong"]
SMOOTHINGS: dict[Smoothing, SmoothingConfig | None] = {
    "off": None,
    "light": SmoothingConfig(),
    "strong": SmoothingConfig(min_cutoff=0.7, beta=4.0, speed_cutoff=1.5),
}


@dataclass(frozen=True)
class TrackerConfig:
    """When two observations are one person. Distances are in sizes of the person.

    confirm_seconds, confirm_hits: a newcomer gets an id after so long and so many observations
        without a gap; what shows up for less is a ghost.
    memory_seconds: for how long someone out of sight is remembered.
    max_distance: mean distance of the joints from where they were expected.
    search_speed: by how much that may grow per second out of sight, up to `max_search`.
    max_velocity_seconds: how far a movement is continued while someone is out of sight.
    smoothing: of the keypoints; None = as they come.
    """

    confirm_seconds: float = 0.1
    confirm_hits: int = 3
    memory_seconds: float = 3.0
    max_distance: float = 0.35
    search_speed: float = 0.5
    max_search: float = 0.9
    max_velocity_seconds: float = 0.3
    smoothing: SmoothingConfig | None = field(default_factory=SmoothingConfig)

    def __post_init__(self) -> None:
        if self.confirm_hits < 1:
            raise ValueError(f"confirm_hits is {self.confirm_hits}, expected at least 1")
        for name in ("confirm_seconds", "memory_seconds", "search_speed", "max_velocity_seconds"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more")
        if not 0 < self.max_distance <= self.max_search:
            raise ValueError("expected 0 < max_distance <= max_search")


class Tracker:
    """Gives people the same id in every frame; 1, 2, 3 ... since the last reset."""

    def __init__(self, config: TrackerConfig | None = None) -> None:
        self.config = config or TrackerConfig()
        self.reset()

    def smooth(self, smoothing: SmoothingConfig | None) -> None:
        """Smooth otherwise from now on; everybody keeps their id."""
        if smoothing == self.config.smoothing:
            return
        self.config = replace(self.config, smoothing=smoothing)
        for track in self._tracks:
            track.smooth(smoothing)

    def reset(self) -> None:
        """Forget everyone; ids start at 1 again."""
        self._tracks: list[_Track] = []
        self._next_id = 1
        self._time = -np.inf
        self.revealed: tuple[tuple[float, Person], ...] = ()

    def update(self, people: Sequence[Person], time: float) -> tuple[Person, ...]:
        """The confirmed ones of `people` with their ids, in the order of their ids.

        `revealed` then holds the earlier observations, with their times, of those who were
        confirmed just now: who has time to look back may add them.

        Args:
            people: of one frame; ids they carry are ignored.
            time: seconds, strictly increasing between resets.

        Raises:
            ValueError: time does not increase.
        """
        if not time > self._time:
            raise ValueError(f"time is {time} s after {self._time} s, expected it to increase")
        previous, self._time = self._time, time
        memory = self.config.memory_seconds
        self._tracks = [t for t in self._tracks if time - t.time <= memory or t.time == previous]
        people = [p for p in people if (p.keypoints[:, 2] > 0).any()]
        left = self._match(people, time, previous)
        # A newcomer who is missed once was a ghost.
        self._tracks = [t for t in self._tracks if t.id or t.time == time]
        self._tracks += [_Track(p, time, self.config.smoothing) for p in left]
        self._confirm(time)
        seen = [t for t in self._tracks if t.id and t.time == time]
        return tuple(replace(t.person, id=t.id) for t in sorted(seen, key=lambda t: t.id))

    def _match(self, people: list[Person], time: float, previous: float) -> list[Person]:
        """Give people to tracks, the surest tracks first; the people left over."""
        groups: tuple[Callable[[_Track], bool], ...] = (
            lambda t: bool(t.id) and t.time == previous,
            lambda t: bool(t.id) and t.time < previous,
            lambda t: not t.id,
        )
        for belongs in groups:
            tracks = [t for t in self._tracks if belongs(t)]
            if not tracks or not people:
                continue
            costs = np.array([[self._cost(t, p, time) for p in people] for t in tracks])
            pairs = [
                (r, c)
                for r, c in zip(*linear_sum_assignment(costs), strict=True)
                if costs[r, c] < NEVER
            ]
            for row, column in pairs:
                tracks[row].take(people[column], time, seen=tracks[row].time == previous)
            taken = {column for _, column in pairs}
            people = [p for i, p in enumerate(people) if i not in taken]
        return people

    def _cost(self, track: _Track, person: Person, time: float) -> float:
        """0 = exactly where expected, about 1 = hardly; `NEVER` beyond that."""
        config = self.config
        elapsed = time - track.time
        expected = track.expected(min(elapsed, config.max_velocity_seconds))
        limit = min(config.max_distance + config.search_speed * elapsed, config.max_search)
        # Of a head and shoulders seen from behind, left and right change from frame to frame.
        gap = min(_gap(expected, keypoints) for keypoints in (person.keypoints, _swapped(person)))
        if gap > limit:
            return NEVER
        iou = float(box_iou(keypoint_boxes(expected)[None], person.box[None])[0, 0])
        returned = track.steady_since > track.since and time - track.steady_since < RETURNED
        return gap + 0.3 * (1.0 - iou) + (RETURNED_COST if returned else 0.0)

    def _confirm(self, time: float) -> None:
        revealed: list[tuple[float, Person]] = []
        for track in self._tracks:
            old = time - track.since >= self.config.confirm_seconds
            if not track.id and old and track.hits >= self.config.confirm_hits:
                track.id = self._next_id
                self._next_id += 1
                revealed += [(t, replace(p, id=track.id)) for t, p in track.unconfirmed[:-1]]
                track.unconfirmed.clear()
        self.revealed = tuple(revealed)


class _Track:
    """One person over time. `id` is 0 until they are confirmed."""

    def __init__(self, person: Person, time: float, smoothing: SmoothingConfig | None) -> None:
        self.id = 0
        self.hits = 0
        self.unconfirmed: list[tuple[float, Person]] = []
        self.since = self.steady_since = self.time = time
        self.smooth(smoothing)
        self._velocity = np.zeros(2)
        self._raw = person.keypoints
        self.take(person, time)

    def smooth(self, smoothing: SmoothingConfig | None) -> None:
        """Smooth so from the next observation on, which is taken as it comes."""
        self._smoother = KeypointSmoother(smoothing) if smoothing else None

    def take(self, person: Person, time: float, seen: bool = True) -> None:
        """Add an observation; `seen`: there was one in the frame before."""
        elapsed = time - self.time
        if not seen:
            self.steady_since = time
        if elapsed > 0:
            self._velocity += 0.5 * (_shift(self._raw, person.keypoints) / elapsed - self._velocity)
        self.hits += 1
        self.time, self._raw, self.person = time, person.keypoints, person
        if self._smoother is not None:
            keypoints = self._smoother.update(person.keypoints, time, _size(person.keypoints))
            self.person = Person.from_keypoints(keypoints)
        if not self.id:
            self.unconfirmed.append((time, self.person))

    def expected(self, seconds: float) -> np.ndarray:
        """Keypoints (17, 3) this long after the last observation."""
        keypoints = self._raw.copy()
        keypoints[:, :2] += self._velocity * seconds
        return keypoints


def _size(keypoints: np.ndarray) -> float:
    """Longer side of the box around the joints that were seen, at least 1 pixel."""
    box = keypoint_boxes(keypoints)
    return float(max(box[2] - box[0], box[3] - box[1], 1.0))


def _shift(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Median movement (2,) of the joints that both have, 0 where there are none."""
    both = (a[:, 2] > 0) & (b[:, 2] > 0)
    return np.median(b[both, :2] - a[both, :2], axis=0) if both.any() else np.zeros(2)


def _swapped(person: Person) -> np.ndarray:
    """Keypoints (17, 3) with left and right exchanged."""
    return person.keypoints[list(COCO_FLIP)]


def _gap(a: np.ndarray, b: np.ndarray) -> float:
    """Mean distance of the joints that both have, by the larger size; infinite without any.

    Joints count by their scores: a guessed ankle must not part a person from themselves.
    """
    weights = np.sqrt(a[:, 2] * b[:, 2])
    if not weights.any():
        return float("inf")
    gaps = np.linalg.norm(a[:, :2] - b[:, :2], axis=1)
    return float((gaps * weights).sum() / weights.sum() / max(_size(a), _size(b)))
