"""When a clip moves and when it rests: spans of an action, of standing and of sitting.

A six-second recording of one kick is mostly somebody standing. Labelling all of it "kick" would
teach that standing is kicking.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skeletr.datasets.clip import Clip
from skeletr.datasets.vocabulary import SIT, STAND
from skeletr.skeleton import BODY_JOINTS

# Data sets whose clips hold rest around the action; the others are cut to the action already.
# Share of the time before and after the moving part: KARD 22 %, MSR 15 % (a quarter of the clips
# start standing for 0.4 s or more), Florence 35 % (half do); UTKinect 6 %, so it is not here.
UNTRIMMED = frozenset({"kinder_gator", "kard", "msr_action3d", "florence3d"})
# Clips of these start with the tracker's T pose, before the action.
T_POSE_FIRST = frozenset({"kinder_gator"})

_MOVING = 0.9  # torso lengths per second of the fastest joint
_SMOOTH = 0.2  # seconds over which a position is averaged
_MARGIN = 0.1  # seconds added on both sides of the moving part
_SHORTEST = 0.5  # seconds; a shorter moving part means that rest could not be told from action
_REST = 0.35  # seconds; a shorter rest is not used


@dataclass(frozen=True)
class Span:
    """A label from `start` to `end`, in seconds of the clip."""

    label: str
    start: float
    end: float


@dataclass(frozen=True)
class Take:
    """A clip with what happens when: the action, and the rest before and after it."""

    clip: Clip
    action: Span
    rests: tuple[Span, ...] = ()

    @property
    def start(self) -> float:
        """From here on the clip can be used: what comes before is the tracker finding itself."""
        return min([self.action.start, *(r.start for r in self.rests)])


def torso_length(clip: Clip) -> float:
    """Median distance from the middle of the shoulders to that of the hips, over the clip.

    Where the torso is not seen: half the median height of the body.
    """
    p, seen = clip.points, clip.seen
    torso = (p[..., 5, :] + p[..., 6, :] - p[..., 11, :] - p[..., 12, :]) / 2
    good = seen[..., [5, 6, 11, 12]].all(axis=-1)
    if good.any():
        return max(float(np.median(np.linalg.norm(torso[good], axis=-1))), 1e-6)
    low = np.where(seen, p[..., 1], np.inf).min(axis=-1)
    high = np.where(seen, p[..., 1], -np.inf).max(axis=-1)
    heights = (high - low)[seen.any(axis=-1)]
    return max(float(np.median(heights)) / 2, 1e-6) if len(heights) else 1.0


def take_of(clip: Clip) -> Take:
    """Find the moving part and the rests of a clip; of a clip cut to its action, all of it."""
    whole = Span(clip.label, 0.0, clip.duration)
    if clip.dataset not in UNTRIMMED:
        return Take(clip, whole)
    torso = torso_length(clip)
    neutral = _arms_down(clip, torso)
    moving = _speed(clip, torso) > _MOVING
    begin = _settled(clip, neutral & ~moving) or _settled(clip, neutral)
    moving[clip.times < begin] = False
    times = clip.times[moving]
    if not len(times) or times[-1] - times[0] < _SHORTEST:
        return Take(clip, Span(clip.label, begin, clip.duration))
    start = max(begin, float(times[0]) - _MARGIN)
    end = min(clip.duration, float(times[-1]) + _MARGIN)
    rests = (_rest(clip, neutral, torso, begin, start), _rest(clip, neutral, torso, end, None))
    return Take(clip, Span(clip.label, start, end), tuple(r for r in rests if r))


def _speed(clip: Clip, torso: float) -> np.ndarray:
    """Speed of the fastest joint in torso lengths per second, (T,); smoothed against jitter."""
    step = float(np.median(np.diff(clip.times)))
    width = max(1, round(_SMOOTH / step)) | 1
    joints = clip.points[:, :, BODY_JOINTS]
    padded = np.pad(joints, ((0, 0), (width // 2, width // 2), (0, 0), (0, 0)), mode="edge")
    total = np.cumsum(np.pad(padded, ((0, 0), (1, 0), (0, 0), (0, 0))), axis=1)
    smooth = (total[:, width:] - total[:, :-width]) / width
    velocity = np.gradient(smooth, clip.times, axis=1)
    return np.linalg.norm(velocity, axis=-1).max(axis=(0, 2)) / torso


def _arms_down(clip: Clip, torso: float) -> np.ndarray:
    """(T,) whether both wrists hang beside or below the hips, of everybody."""
    p = clip.points
    hips = p[..., [11, 12], 1].mean(axis=-1, keepdims=True)
    low = p[..., [9, 10], 1] > hips - 0.35 * torso
    close = np.abs(p[..., [9, 10], 0] - p[..., [11, 12], 0]) < 0.8 * torso
    return (low & close).all(axis=(0, 2))


def _settled(clip: Clip, resting: np.ndarray) -> float:
    """Seconds until somebody first rests, where a clip starts with the tracker's T pose."""
    if clip.dataset not in T_POSE_FIRST or not resting.any():
        return 0.0
    first = float(clip.times[int(np.argmax(resting))])
    return first if first < 0.4 * clip.duration else 0.0


def _rest(
    clip: Clip, neutral: np.ndarray, torso: float, start: float, end: float | None
) -> Span | None:
    """The rest between two times, if it is long enough and clearly standing or sitting."""
    end = clip.duration if end is None else end
    inside = (clip.times >= start) & (clip.times <= end)
    if end - start < _REST or neutral[inside].mean() < 0.8:
        return None
    p = clip.points[:, inside]
    thigh = np.median(p[..., [13, 14], 1] - p[..., [11, 12], 1]) / torso
    if thigh > 0.55:
        return Span(STAND, start, end)
    return Span(SIT, start, end) if clip.label in ("sit down", "stand up") else None
