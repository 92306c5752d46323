"""What a recogniser has said so far, averaged over overlapping windows."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skeletr.actions import ActionLog, Attention, Prediction, Status, Track, decide, nothing
from skeletr.recording import Person


@dataclass
class Entry:
    """One sequence's scores: the running mean over the windows that held it (paper, section 4)."""

    time: float
    status: Status
    total: np.ndarray | float = 0.0
    count: int = 0

    def add(self, scores: np.ndarray) -> None:
        """Take the probabilities (K,) of one more window."""
        self.total = self.total + scores
        self.count += 1

    @property
    def scores(self) -> np.ndarray:
        """(K,) mean probabilities. Only where `count` is above 0."""
        return self.total / self.count

    def prediction(self, labels: tuple[str, ...], threshold: float) -> Prediction:
        """The decision, or the reason why there is none."""
        if self.status is not Status.OK:
            return nothing(self.status, labels)
        if not self.count:  # pushed out of a crowded window before it was related
            return nothing(Status.UNKNOWN, labels)
        return decide(self.scores, labels, threshold)


class History:
    """Entries per person and for the scene; bounded when `seconds` is given."""

    def __init__(self, seconds: float | None, attention_kept: int) -> None:
        self._seconds = seconds
        self._people: dict[int, deque[Entry]] = {}
        self._spans: dict[int, tuple[float, float]] = {}
        self._start = self._end = 0.0
        self._started = False
        self.scene: deque[Entry] = deque()
        self.attention: deque[tuple[float, Attention]] = deque(maxlen=attention_kept)

    def saw(self, people: Sequence[Person], time: float) -> None:
        """Note who was in view at `time`."""
        if not self._started:
            self._start, self._started = time, True
        self._end = time
        for person in people:
            first, _ = self._spans.get(person.id, (time, time))
            self._spans[person.id] = (first, time)

    def add(self, person: int, time: float, status: Status) -> Entry:
        """A new sequence of a person; its scores follow by `Entry.add`."""
        entry = Entry(time, status)
        self._people.setdefault(person, deque()).append(entry)
        return entry

    def add_scene(self, time: float, scores: np.ndarray | None, status: Status) -> None:
        """The scene at one key frame."""
        entry = Entry(time, status)
        if scores is not None:
            entry.add(scores)
        self.scene.append(entry)
        self._forget(time)

    def add_attention(self, time: float, attention: Attention) -> None:
        """The attention of one window; the oldest goes when there are too many."""
        self.attention.append((time, attention))

    def recent(self, person: int, since: float) -> list[Entry]:
        """A person's entries from `since` on, oldest first."""
        found: list[Entry] = []
        for entry in reversed(self._people.get(person, ())):
            if entry.time < since:
                break
            if entry.count or entry.status is not Status.OK:
                found.append(entry)
        return found[::-1]

    def log(
        self,
        labels: tuple[str, ...],
        threshold: float,
        interval: float,
        rests: tuple[str, ...] = (),
        passing: tuple[str, ...] = (),
    ) -> ActionLog:
        """A copy that later steps do not change."""

        def track(entries: Sequence[Entry], start: float, end: float) -> Track:
            times = np.array([e.time for e in entries])
            predictions = tuple(e.prediction(labels, threshold) for e in entries)
            return Track(times, predictions, start, end)

        people = {
            person: track(self._people.get(person, ()), *span)
            for person, span in sorted(self._spans.items())
        }
        scene = track(self.scene, self._start, self._end)
        return ActionLog(labels, interval, people, scene, tuple(self.attention), rests, passing)

    def _forget(self, now: float) -> None:
        if self._seconds is None:
            return
        for entries in (self.scene, *self._people.values()):
            while entries and entries[0].time < now - self._seconds:
                entries.popleft()
        gone = [p for p, (_, last) in self._spans.items() if last < now - self._seconds]
        for person in gone:
            del self._spans[person]
            self._people.pop(person, None)
