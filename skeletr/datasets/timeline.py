"""A take on the clock of a scene: stretched, placed, repeated, held; sampled at any times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skeletr.datasets.clip import Clip
from skeletr.datasets.motion import Span, Take
from skeletr.datasets.vocabulary import PERIODIC, SIT, STAND


@dataclass(frozen=True)
class Performance:
    """What one take does in a scene.

    clip_times: (K,) and scene_times: (K,) knots of a piecewise linear map; before the first
    knot and after the last the clip is held. spans: labels in seconds of the scene.
    """

    clip: Clip
    scene_times: np.ndarray
    clip_times: np.ndarray
    spans: tuple[Span, ...]

    def sample(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The clip at scene times (T,): points (P, T, 17, D) and seen (P, T, 17)."""
        return sample(self.clip, np.interp(times, self.scene_times, self.clip_times))


def sample(clip: Clip, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Linear interpolation between frames; a joint seen in one neighbour stays where it was."""
    right = np.clip(np.searchsorted(clip.times, times), 1, len(clip.times) - 1)
    left = right - 1
    weight = (times - clip.times[left]) / (clip.times[right] - clip.times[left])
    weight = np.clip(weight, 0, 1).astype(np.float32)[None, :, None]
    in_left, in_right = clip.seen[:, left], clip.seen[:, right]
    weight = np.where(in_left & ~in_right, 0.0, np.where(in_right & ~in_left, 1.0, weight))
    points = (1 - weight[..., None]) * clip.points[:, left] + weight[..., None] * (
        clip.points[:, right]
    )
    return points.astype(np.float32), np.where(weight < 0.5, in_left, in_right)


def perform(take: Take, duration: float, stretch: float, rng: np.random.Generator) -> Performance:
    """Put a take on a scene of `duration` seconds, slowed down by the factor `stretch`."""
    span = take.action
    if span.label in PERIODIC or span.label in (STAND, SIT):
        return _go_on(take, duration, stretch, rng)
    return _once(take, duration, stretch, rng)


def _go_on(take: Take, duration: float, stretch: float, rng: np.random.Generator) -> Performance:
    """From a random phase, forth and back at the ends, for the whole scene."""
    span = take.action
    length = max((span.end - span.start) * stretch, 1e-3)
    phase = float(rng.uniform(0, max(length - duration, 0.0) if length > duration else length))
    turns = int(np.ceil((phase + duration) / length)) + 1
    knots = length * np.arange(turns + 1) - phase
    ends = np.where(np.arange(turns + 1) % 2 == 0, span.start, span.end)
    return Performance(take.clip, knots, ends, (Span(span.label, 0.0, duration),))


def _once(take: Take, duration: float, stretch: float, rng: np.random.Generator) -> Performance:
    """Once, at a random moment, with the clip's own rest around it; then held."""
    span = take.action
    length = (span.end - span.start) * stretch
    low = min(-0.25 * length, duration - 1.25 * length)
    begin = float(rng.uniform(low, max(duration - 0.6 * length, low + 1e-3)))
    if rng.random() < 0.5:  # as a clip cut to its action: all of it is in the picture
        begin = float(rng.uniform(min(0.0, duration - length), max(0.0, duration - length)))
    clip_times = np.array([take.start, span.start, span.end, take.clip.duration])
    scene_times = begin + (clip_times - span.start) * stretch
    spans = [Span(span.label, begin, begin + length)]
    for rest in take.rests:
        first, last = begin + (np.array([rest.start, rest.end]) - span.start) * stretch
        before = rest.end <= span.start + 1e-6
        spans.append(Span(rest.label, -1.0 if before else first, last if before else duration + 1))
    keep = np.concatenate([[True], np.diff(scene_times) > 1e-6])
    return Performance(take.clip, scene_times[keep], clip_times[keep], tuple(spans))
