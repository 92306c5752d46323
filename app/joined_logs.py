"""What two recognisers said of one stream, the second of which began before the first had ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from skeletr.actions import ActionLog, Prediction, Track


def joined(earlier: ActionLog, later: ActionLog) -> ActionLog:
    """The earlier one, and after its last key frame the later one; people have the same numbers.

    Labels that only one of them knows were out of the question for the other: their scores are 0
    there. Attention is that of the later one.
    """
    times = earlier.scene.times
    since = times[-1] + later.interval / 2 if len(times) else later.scene.start
    known = (*later.labels, *(x for x in earlier.labels if x not in later.labels))
    before = {p: _known(t, earlier.labels, known) for p, t in earlier.people.items()}
    after = {p: _known(t, later.labels, known) for p, t in later.people.items()}
    people = {p: _tied(before.get(p), after.get(p), since) for p in sorted({*before, *after})}
    scenes = _known(earlier.scene, earlier.labels, known), _known(later.scene, later.labels, known)
    rests = tuple(dict.fromkeys((*later.rests, *earlier.rests)))
    passing = tuple(dict.fromkeys((*later.passing, *earlier.passing)))
    scene = _tied(*scenes, since)
    return replace(later, labels=known, people=people, scene=scene, rests=rests, passing=passing)


def _tied(before: Track | None, after: Track | None, since: float) -> Track:
    """One track of two, at least one of which is there; the second one's steps from `since` on."""
    if after is None or before is None:
        return after or before
    cut = int(np.searchsorted(after.times, since))
    return Track(
        np.concatenate([before.times, after.times[cut:]]),
        before.predictions + after.predictions[cut:],
        min(before.start, after.start),
        max(before.end, after.end),
    )


def _known(track: Track, labels: Sequence[str], known: Sequence[str]) -> Track:
    """The same among other labels, which hold its own."""
    if tuple(labels) == tuple(known):
        return track
    places = [known.index(label) for label in labels]
    return replace(track, predictions=tuple(_placed(p, places, known) for p in track.predictions))


def _placed(prediction: Prediction, places: Sequence[int], known: Sequence[str]) -> Prediction:
    scores = np.zeros(len(known), dtype=prediction.scores.dtype)
    scores[places] = prediction.scores
    return replace(prediction, scores=scores)
