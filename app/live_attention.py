"""What one visitor looks at in the attention of the camera: head, layer, and a pair of people."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace

from app.attention_view import JUDGED, Choice, Judged, Known, judge, mostly
from app.figures import newest, person_name
from skeletr.actions import Attention

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


class LiveAttention:
    """One visitor's choice, and what the page shows. Clicks and frames come from other threads.

    Attributes:
        wanted: whether the maps are shown. choice: layer and head.
        told: how many layers the page offers.
    """

    def __init__(self) -> None:
        self.wanted = True
        self.choice = Choice(0.0)
        self.told = 0
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Another stream begins; what was chosen stays."""
        with self._lock:
            self._shown: deque[Attention] = deque(maxlen=_SHOWN)
            self._judged: deque[Judged] = deque(maxlen=JUDGED)
            self._pair: Pair | None = None
            self._since: float | None = None

    def choose(self, layer: int | None, head: int | None) -> None:
        """Look at one layer or head, numbered from 0; None for the mean over all."""
        self.choice = replace(self.choice, layer=layer, head=head)

    def show(self, attention: Attention | None) -> None:
        """Note that the page gets maps of this window; None where nobody is in it."""
        judged = judge(attention) if attention is not None else None
        with self._lock:
            if attention is None:
                self._shown.clear()
            else:
                self._shown.append(attention)
            if judged:
                self._judged.append(judged)

    @property
    def shown(self) -> Attention | None:
        """The window that the maps show."""
        with self._lock:
            return self._shown[-1] if self._shown else None

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
            windows = [a for a in self._shown if window in (None, newest(a))]
            pair = windows and _pair(windows[-1], self.choice, looks, seen)
            if pair:
                self._pair, self._since = pair, None
            return pair or None

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
