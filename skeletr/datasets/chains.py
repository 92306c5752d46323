"""Two people who come up to each other, do something and part: clips of one pair, joined.

Clips are cut to one interaction; cameras see what comes before and after it too.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skeletr.datasets.clip import Clip
from skeletr.datasets.motion import Span, Take
from skeletr.datasets.pool import TakePool
from skeletr.datasets.timeline import Performance
from skeletr.datasets.vocabulary import COME, GO, PASSING

_BEFORE, _AFTER = 0.75, 0.5  # chances that something comes before and after
_PASSES = 0.8  # chance that it is coming or going; else it is another interaction
_BRIDGE = (0.15, 0.6)  # seconds from one clip to the next
_SEEN = 0.6  # seconds of the take that the scene shows at least
_FILLED = 0.7  # chance that nothing is held as long as there is something to show
_HIPS = [11, 12]


def chain(
    pool: TakePool, take: Take, duration: float, stretch: float, rng: np.random.Generator
) -> Performance:
    """A pair's take with others of the same two around it, some of it in `duration` seconds.

    Args:
        take: in three dimensions. stretch: how much slower than in the clips.
    """
    label = take.action.label
    comes, goes = rng.random() < _BEFORE, rng.random() < _AFTER
    # Nothing comes before coming, nor after going; but who comes, comes for something.
    goes = label == COME or (goes and label != GO)
    comes = label != COME and (comes or not goes)
    before = _another(pool, take, COME, rng) if comes else []
    after = _another(pool, take, GO, rng) if goes else []
    clip, spans = join([*before, take, *after], rng)
    return _shown(clip, spans, spans[len(before)], duration, stretch, rng)


def _another(pool: TakePool, take: Take, label: str, rng: np.random.Generator) -> list[Take]:
    """What the same two people did in another clip; nothing where there is none."""
    passes = take.action.label not in PASSING and rng.random() < _PASSES
    found = pool.beside(take, label if passes else None, rng)
    return [] if found is None else [found]


def join(takes: list[Take], rng: np.random.Generator) -> tuple[Clip, list[Span]]:
    """One clip of all of them, and what happens when in it.

    Each begins where the one before it ended, as far as the middle between the two people tells.
    """
    points, seen, times, spans = [], [], [], []
    begin, shift = 0.0, np.zeros(3)
    for take in takes:
        clip = take.clip
        if points:
            shift = (_middle(points[-1][:, -1]) - _middle(clip.points[:, 0])) * (1, 0, 1)
            begin = times[-1][-1] + float(rng.uniform(*_BRIDGE))
        points.append(clip.points + shift.astype(np.float32))
        seen.append(clip.seen)
        times.append(clip.times + begin)
        spans.append(Span(take.action.label, begin, begin + clip.duration))
    joined = replace(
        takes[0].clip,
        points=np.concatenate(points, axis=1),
        seen=np.concatenate(seen, axis=1),
        times=np.concatenate(times),
    )
    return joined, spans


def _middle(points: np.ndarray) -> np.ndarray:
    """(3,) between the hips of all people, (P, 17, 3)."""
    return points[:, _HIPS].mean(axis=(0, 1))


def _shown(
    clip: Clip,
    spans: list[Span],
    shown: Span,
    duration: float,
    stretch: float,
    rng: np.random.Generator,
) -> Performance:
    """A part of it that holds some of one span; what is too short is held."""
    long = duration / stretch
    least = min(_SEEN, shown.end - shown.start)
    earliest = max(0.0, shown.start + least - long)
    start = float(rng.uniform(earliest, max(earliest, shown.end - least)))
    if rng.random() < _FILLED:
        start = max(0.0, min(start, clip.duration - long))
    ends = np.array([start, clip.duration])
    placed = tuple(
        Span(s.label, (s.start - start) * stretch, (s.end - start) * stretch) for s in spans
    )
    return Performance(clip, (ends - start) * stretch, ends, placed)
