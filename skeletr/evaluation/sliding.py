"""Inference on untrimmed video: windows one second apart, averaged per person and second.

Paper, section 5: a person's predictions from all windows that hold them are averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from skeletr.recording import UNTRACKED, Recording

Predict = Callable[[Recording], Mapping[int, np.ndarray]]

_EDGE = 1e-6  # seconds; a second on the edge of a window is inside


@dataclass(frozen=True)
class PersonSecond:
    """One person at one whole second.

    person: id in the recording. second: whole seconds of the recording's time, as AVA's
    timestamps. box: (4,) float64, x1 y1 x2 y2 as shares of the picture, of the observation
    nearest to that second, at most half a second away. scores: (K,) float64, the mean over
    `windows` windows.
    """

    person: int
    second: int
    box: np.ndarray
    scores: np.ndarray
    windows: int


def window_spans(
    recording: Recording, length: float, step: float = 1.0
) -> list[tuple[float, float]]:
    """(start, end) in seconds of the windows, in order of time.

    They are centred on the whole seconds that the recording reaches, and `step` apart; the first
    and the last hang over its ends, so that every second has as much before as behind it.

    Raises:
        ValueError: length or step is not above 0.
    """
    if not length > 0 or not step > 0:
        raise ValueError(f"length is {length} s and step {step} s, expected both above 0")
    if not len(recording.frame_times):
        return []
    first, last = np.rint(recording.start), np.rint(recording.end)
    count = int(np.floor((last - first) / step + _EDGE)) + 1
    centres = first + step * np.arange(count)
    return [(float(c) - length / 2, float(c) + length / 2) for c in centres]


def slide(
    recording: Recording, predict: Predict, length: float, step: float = 1.0
) -> list[PersonSecond]:
    """Averaged predictions of everybody at every whole second, by person, then by time.

    A prediction counts for the seconds inside its window at which the person is seen (within half
    a second). A second without any prediction is left out.

    Args:
        predict: a window of the recording -> person id -> (K,) scores. It is not asked about
            windows in which nobody is; it may leave people out.
        length: of a window in seconds. step: seconds between windows.

    Raises:
        ValueError: people are not tracked, or `predict` gave scores that do not fit.
    """
    if (recording.person == UNTRACKED).any():
        raise ValueError(f"{recording.source or 'the recording'}: people have no ids; track first")
    seconds = _seconds(recording)
    sums: dict[tuple[int, int], np.ndarray] = {}
    counts: dict[tuple[int, int], int] = {}
    classes: int | None = None
    for start, end in window_spans(recording, length, step):
        window = recording.between(start, end)
        if not len(window.person):
            continue
        there = set(window.people)
        for person, scores in predict(window).items():
            row = _checked(scores, person, there, classes, start)
            classes = len(row)
            for second in seconds[person]:
                if start - _EDGE <= second <= end + _EDGE:
                    key = (person, second)
                    sums[key] = sums.get(key, 0.0) + row
                    counts[key] = counts.get(key, 0) + 1
    return [
        PersonSecond(*key, seconds[key[0]][key[1]], sums[key] / counts[key], counts[key])
        for key in sorted(sums)
    ]


def _seconds(recording: Recording) -> dict[int, dict[int, np.ndarray]]:
    """Person -> second at which they are seen -> their box (4,), as shares of the picture."""
    size = np.array(recording.image_size * 2, np.float64)
    times = recording.times
    found: dict[int, dict[int, np.ndarray]] = {}
    for person in recording.people:
        rows = np.flatnonzero(recording.person == person)
        nearest: dict[int, np.ndarray] = {}
        for second in np.unique(np.rint(times[rows])):
            row = rows[np.abs(times[rows] - second).argmin()]
            nearest[int(second)] = np.clip(recording.boxes[row] / size, 0, 1)
        found[person] = nearest
    return found


def _checked(
    scores: np.ndarray, person: int, there: set[int], classes: int | None, start: float
) -> np.ndarray:
    """The scores as float64 (K,); raises ValueError where they cannot be averaged."""
    row = np.asarray(scores, np.float64)
    where = f"window at {start:g} s, person {person}"
    if person not in there:
        raise ValueError(f"{where}: predicted, but not in the window; expected of {sorted(there)}")
    if row.ndim != 1 or not len(row) or (classes is not None and len(row) != classes):
        raise ValueError(f"{where}: scores {row.shape}, expected ({classes or 'K'},)")
    if not np.isfinite(row).all():
        raise ValueError(f"{where}: a score is not finite")
    return row
