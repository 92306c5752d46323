"""What each short sequence, and the whole scene, should be called."""

from __future__ import annotations

import numpy as np

from skeletr.datasets.vocabulary import INTERACTIONS, PASSING, SIT, STAND
from skeletr.recording import Recording
from skeletr.sequences import SequenceConfig, Sequences

IGNORE = -1  # no label: left out of the loss
_REST = (STAND, SIT)
_ENOUGH = 0.4  # share of the seen part of a sequence, or of the action, that must overlap
_TOO_MUCH = 0.12  # a rest may hold no more of an action than this share


def instance_targets(
    sequences: Sequences, recording: Recording, labels: tuple[str, ...], config: SequenceConfig
) -> np.ndarray:
    """(M',) int64 index into `labels`, or `IGNORE` where it is neither clearly one nor another."""
    index = {label: i for i, label in enumerate(labels)}
    found = [
        _label(int(person), float(time), recording, config)
        for person, time in zip(sequences.person, sequences.times, strict=True)
    ]
    return np.array([index.get(label, IGNORE) for label in found], dtype=np.int64)


def scene_target(targets: np.ndarray, labels: tuple[str, ...]) -> int:
    """The one thing that is done in a scene.

    A rest only counts where nothing else happens; who comes and goes for another interaction is
    there for that.
    """
    named = {labels[t] for t in targets if t != IGNORE}
    active = named - set(_REST)
    if len(active - PASSING) == 1 and active & PASSING and active - PASSING <= INTERACTIONS:
        active -= PASSING
    if len(active) == 1:
        return labels.index(active.pop())
    return labels.index(named.pop()) if len(named) == 1 else IGNORE


def _label(person: int, time: float, recording: Recording, config: SequenceConfig) -> str | None:
    """The label of one person around a key time, None where it is not clear."""
    start = max(time - config.before, recording.start)
    end = min(time + config.after, recording.end)
    length = max(end - start, 1e-6)
    shares: dict[str, float] = {}
    clear: dict[str, float] = {}
    for action in recording.actions:
        if action.person not in (person, None):
            continue
        overlap = max(0.0, min(end, action.end) - max(start, action.start))
        own = max(action.end - action.start, 1e-6)
        share = overlap / length
        shares[action.label] = shares.get(action.label, 0.0) + share
        if share >= _ENOUGH or (overlap / own >= 0.75 and share >= _ENOUGH / 2):
            clear[action.label] = max(clear.get(action.label, 0.0), share)
    active = {label: share for label, share in clear.items() if label not in _REST}
    if active:
        return max(active, key=lambda label: active[label])
    if sum(share for label, share in shares.items() if label not in _REST) > _TOO_MUCH:
        return None
    return max(clear, key=lambda label: clear[label]) if clear else None
