"""What a task asks of a recording: a label per short sequence, several, or one for the video.

A recording may hold the actions of people and what the whole group or video shows (Volleyball has
both); a task asks for one of the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from skeletr.datasets.targets import IGNORE
from skeletr.recording import Action, Recording
from skeletr.sequences import Sequences

# instance: one label per sequence. video: one label per scene, for a video or a group.
# multilabel: any number of labels per sequence, as in AVA.
Kind = Literal["instance", "video", "multilabel"]
KINDS: tuple[str, ...] = get_args(Kind)
_EDGE = 1e-6  # seconds


def asked(recording: Recording, kind: Kind) -> Recording:
    """The recording with the actions that the task is about.

    Tasks of people: their own actions, or where nobody has any, what is said of all. Video tasks:
    what is said of all, or where nothing is, the one label that everything carries.
    """
    common = tuple(a for a in recording.actions if a.person is None)
    own = tuple(a for a in recording.actions if a.person is not None)
    if kind != "video":
        return replace(recording, actions=own or common)
    names = {a.label for a in common or own}
    return replace(recording, actions=(common or own) if len(names) == 1 else ())


def video_label(recording: Recording) -> str | None:
    """The label of a recording that `asked` prepared for a video task; None where it has none."""
    return recording.actions[0].label if recording.actions else None


def several_targets(
    sequences: Sequences, recording: Recording, labels: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """All labels of each sequence: of the actions that go on at its key time.

    Returns:
        (M', K) float32 of 0 and 1, and (M',) bool, False where nothing is known: a sequence
        away from the labelled moment is no example of doing nothing.
    """
    index = {label: i for i, label in enumerate(labels)}
    targets = np.zeros((len(sequences), len(labels)), np.float32)
    for row, (person, time) in enumerate(zip(sequences.person, sequences.times, strict=True)):
        for action in _at(recording.actions, int(person), float(time)):
            if action.label in index:
                targets[row, index[action.label]] = 1
    return targets, targets.any(axis=1)


def _at(actions: Iterable[Action], person: int, time: float) -> Iterable[Action]:
    for action in actions:
        if action.person in (person, None) and action.start - _EDGE <= time <= action.end + _EDGE:
            yield action


def video_target(recording: Recording, labels: tuple[str, ...]) -> int:
    """Index of the label of a recording that `asked` prepared, `IGNORE` where it has none."""
    label = video_label(recording)
    return labels.index(label) if label in labels else IGNORE
