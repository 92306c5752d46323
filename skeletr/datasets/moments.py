"""When something is done in a scene, how surely at each moment, and what it is called then."""

from __future__ import annotations

import numpy as np

from skeletr.datasets.motion import Span
from skeletr.datasets.vocabulary import STAND
from skeletr.synthetic.motion import through

_SHORTEST = 0.05  # seconds; a shorter rest before or after is none


def envelope(
    times: np.ndarray, begin: float, end: float, rise: float = 0.35, fall: float = 0.35
) -> np.ndarray:
    """(T,) 0 until `begin`, 1 after `rise` seconds, 0 again from `end` on, `fall` seconds after it
    set off; smooth. An infinite `end` never comes."""
    if not np.isfinite(end):
        return through(times, [(begin, 0.0), (begin + rise, 1.0)])
    up = min(begin + rise, (begin + end) / 2)
    return through(times, [(begin, 0.0), (up, 1.0), (max(end - fall, up), 1.0), (end, 0.0)])


def place_in_time(
    times: np.ndarray, length: float, rng: np.random.Generator, cut: float, most: float
) -> tuple[float, float]:
    """Begin and end of something that takes `length` seconds.

    All of it is in the scene, if there is room; but with the chance `cut`, where up to the share
    `most` of it may be before or after.
    """
    total = float(times[-1])
    if rng.random() < cut:
        begin = rng.uniform(-most * length, max(total - (1 - most) * length, 0.0))
    else:
        begin = rng.uniform(0.0, max(total - length, 0.0))
    return float(begin), float(begin) + length


def spans_of(
    label: str,
    begin: float,
    end: float,
    times: np.ndarray,
    rests: tuple[str, str] = (STAND, STAND),
) -> tuple[Span, ...]:
    """The label, and what is done before and after it."""
    last = float(times[-1])
    before, after = rests
    spans = (Span(before, -1.0, begin), Span(label, begin, end), Span(after, end, last + 1))
    return tuple(s for s in spans if s.end > _SHORTEST and s.start < last - _SHORTEST)
