"""How one account of a stream differs from another: before and after a "what if"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skeletr.actions import ActionLog, Track


@dataclass(frozen=True)
class Change:
    """How the scores of one person, or of the scene (None), differ at the steps both logs have.

    times: (n,) seconds. change: (n, K), after minus before.
    """

    person: int | None
    times: np.ndarray
    change: np.ndarray

    def largest(self, labels: Sequence[str], count: int = 5) -> list[tuple[str, float]]:
        """The labels whose mean score changes most, with that change; [] without any steps."""
        if not len(self.times):
            return []
        mean = self.change.mean(axis=0)
        return [(labels[i], float(mean[i])) for i in np.argsort(-np.abs(mean))[:count]]


def compare(before: ActionLog, after: ActionLog) -> list[Change]:
    """What changed for everybody who is in both logs, and for the scene (first).

    Raises:
        ValueError: the logs have different labels.
    """
    if before.labels != after.labels:
        raise ValueError("the two logs have different labels; expected logs of one model")
    both = [p for p in before.people if p in after.people]
    return [
        _change(None, before.scene, after.scene, len(before.labels)),
        *(_change(p, before.people[p], after.people[p], len(before.labels)) for p in both),
    ]


def _change(person: int | None, before: Track, after: Track, classes: int) -> Change:
    old, new = _steps(before), _steps(after)
    times = sorted(set(old) & set(new))
    change = np.array([new[t] - old[t] for t in times]).reshape(-1, classes)
    return Change(person, np.array(times), change)


def _steps(track: Track) -> dict[float, np.ndarray]:
    """Scores by time, of the steps at which something was predicted."""
    pairs = zip(track.times.tolist(), track.predictions, strict=True)
    return {round(time, 6): p.scores for time, p in pairs if p.scores.any()}
