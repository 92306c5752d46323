"""What a pose estimator does to joints: jitter, guesses, confusions and gaps."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from skeletr.skeleton import COCO_FLIP, V, keypoint_boxes

_LIMBS = ([7, 9], [8, 10], [13, 15], [14, 16], [9], [10], [15], [16], [5, 7, 9], [6, 8, 10])
_LEGS = [13, 14, 15, 16]


@dataclass(frozen=True)
class NoiseConfig:
    """Strengths; lengths are relative to the person's size in the picture, 0 switches off.

    The jitter is that of MediaPipe's joints behind the tracker, measured on real clips
    (`python -m benchmarks.pose_errors`): a joint is off the line between its neighbours in time by
    0.2 to 0.4 % of the person's size in the median at 24 to 30 frames/s, fast movement included.

    white, wander: jitter from frame to frame, and slow drift. bias: offset of a joint that stays.
    guess: chance that a limb is guessed (low score, far off). drop: chance that a joint is lost
    for a while. absent: chance of a gap of the whole person. swap: chance that left and right
    are confused for a few frames. tangle: chance that joints of two people who overlap in the
    picture are confused, or one of the two is lost, for a while.
    """

    white: float = 0.003
    wander: float = 0.008
    bias: float = 0.015
    guess: float = 0.25
    drop: float = 0.25
    absent: float = 0.12
    swap: float = 0.10
    tangle: float = 0.3

    def __post_init__(self) -> None:
        if min(vars(self).values()) < 0:
            raise ValueError(f"strengths of noise must not be negative: {self}")

    @classmethod
    def none(cls) -> NoiseConfig:
        """No noise at all."""
        return cls(*[0.0] * len(fields(cls)))


def estimate(
    xy: np.ndarray,
    seen: np.ndarray,
    times: np.ndarray,
    config: NoiseConfig,
    rng: np.random.Generator,
) -> np.ndarray:
    """One person as a pose estimator would see him or her.

    Args:
        xy: (T, 17, 2) pixels. seen: (T, 17) bool. times: (T,) seconds.

    Returns:
        (T, 17, 3) pixels and score; 0 where nothing is seen.
    """
    size = _size(xy, seen)
    strength = float(rng.uniform(0.1, 1.3)) * size
    out = np.zeros((len(xy), V, 3), np.float32)
    out[..., :2] = xy + strength * _jitter(times, config, rng)
    out[..., 2] = _scores(len(xy), rng)
    if rng.random() < config.swap:
        _swap(out, rng)
    if rng.random() < config.guess:
        _guess(out, times, size, rng)
    out[..., 2] *= seen
    if rng.random() < config.drop:
        _drop(out, rng)
    if rng.random() < config.absent:
        out[_stretch(len(out), rng, 0.3), :, 2] = 0
    return np.where(out[..., 2:] > 0, out, 0).astype(np.float32)


def clean(xy: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Joints exactly as recorded, (T, 17, 3), with score 1 where seen."""
    out = np.concatenate([xy, seen[..., None]], axis=-1)
    return np.where(seen[..., None], out, 0).astype(np.float32)


def crop(keypoints: np.ndarray, image_size: tuple[int, int]) -> np.ndarray:
    """Joints outside the picture are not seen: score 0, as the pose frontends do."""
    inside = (keypoints[..., :2] >= 0).all(axis=-1) & (
        keypoints[..., :2] <= np.array(image_size)
    ).all(axis=-1)
    return np.where(inside[..., None], keypoints, 0).astype(np.float32)


def entangle(keypoints: np.ndarray, config: NoiseConfig, rng: np.random.Generator) -> np.ndarray:
    """What happens to people who overlap in the picture: their joints are mixed up, or one of
    them is not found.

    Args:
        keypoints: (P, T, 17, 3) pixels and score.

    Returns:
        The same with joints taken from the other person, or with a person missing for a while.
    """
    out = keypoints.copy()
    boxes = keypoint_boxes(keypoints)
    for one in range(len(out)):
        for other in range(len(out)):
            touching = _touching(boxes[one], boxes[other])
            if one == other or not touching.any() or rng.random() >= config.tangle / 2:
                continue
            run = np.zeros(len(touching), dtype=bool)
            run[_stretch(len(touching), rng, 0.5)] = True
            run &= touching
            if rng.random() < 0.35:
                out[one, run] = 0
                continue
            limb = _LIMBS[rng.integers(len(_LIMBS))]
            taken = keypoints[other][np.ix_(run, limb)].copy()
            taken[..., 2] *= float(rng.uniform(0.3, 1.0))
            out[one][np.ix_(run, limb)] = taken
    return out


def _touching(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(T,) whether boxes (T, 4) overlap by a fifth of the smaller one's width."""
    width = np.minimum(a[:, 2], b[:, 2]) - np.maximum(a[:, 0], b[:, 0])
    height = np.minimum(a[:, 3], b[:, 3]) - np.maximum(a[:, 1], b[:, 1])
    smaller = np.minimum(a[:, 2] - a[:, 0], b[:, 2] - b[:, 0])
    return (width > 0.2 * smaller) & (height > 0) & (smaller > 0)


def wander(times: np.ndarray, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Slow drift of unit strength, (T, *shape): a sum of three sines of 0.1 to 2 Hz."""
    rates = rng.uniform(0.1, 2.0, (3, *shape))
    phases = rng.uniform(0, 2 * np.pi, (3, *shape))
    clock = times.reshape(-1, *([1] * len(shape)))
    waves = [np.sin(2 * np.pi * r * clock + p) for r, p in zip(rates, phases, strict=True)]
    return np.sum(waves, axis=0) * np.sqrt(2 / 3)


def _jitter(times: np.ndarray, config: NoiseConfig, rng: np.random.Generator) -> np.ndarray:
    """(T, 17, 2), in units of the person's size; hands and feet shake more than the torso."""
    loose = np.ones((V, 1))
    loose[[7, 8, 13, 14]] = 1.3
    loose[[9, 10, 15, 16]] = 1.7
    bias = config.bias * rng.normal(size=(1, V, 2))
    slow = config.wander * wander(times, (V, 2), rng)
    return loose * (bias + slow + config.white * rng.normal(size=(len(times), V, 2)))


def _scores(frames: int, rng: np.random.Generator) -> np.ndarray:
    """(T, 17) in (0.05, 1]: mostly sure, some joints less so."""
    level = 1 - rng.beta(1.0, rng.uniform(3, 30), (1, V))
    return np.clip(level + rng.normal(0, 0.03, (frames, V)), 0.05, 1)


def _size(xy: np.ndarray, seen: np.ndarray) -> float:
    points = xy[seen]
    if not len(points):
        return 1.0
    low = np.where(seen[..., None], xy, np.inf).min(axis=1)
    high = np.where(seen[..., None], xy, -np.inf).max(axis=1)
    size = (high - low).max(axis=-1)
    return float(np.median(size[np.isfinite(size)]))


def _stretch(frames: int, rng: np.random.Generator, longest: float) -> slice:
    """A random run of frames, at most the share `longest` of them."""
    length = int(rng.integers(1, max(2, int(longest * frames) + 1)))
    start = int(rng.integers(0, max(1, frames - length + 1)))
    return slice(start, start + length)


def _swap(out: np.ndarray, rng: np.random.Generator) -> None:
    """Left and right confused: arms, legs or all, for a run of frames."""
    part = (
        slice(5, 11)
        if rng.random() < 0.4
        else slice(11, 17)
        if rng.random() < 0.5
        else slice(5, 17)
    )
    flip = np.array(COCO_FLIP)[part]
    run = _stretch(len(out), rng, 0.3)
    out[run, part] = out[run][:, flip]


def _guess(out: np.ndarray, times: np.ndarray, size: float, rng: np.random.Generator) -> None:
    """Hidden limbs: still given, with a low score and far off."""
    for _ in range(int(rng.integers(1, 4))):
        limb = _LEGS if rng.random() < 0.2 else _LIMBS[rng.integers(len(_LIMBS))]
        run = slice(None) if rng.random() < 0.4 else _stretch(len(out), rng, 0.7)
        shape = (len(limb), 2)
        error = rng.normal(0, 0.5, shape) + 0.7 * wander(times, shape, rng)
        out[run, limb, :2] += (float(rng.uniform(0.01, 0.09)) * size * error)[run]
        out[run, limb, 2] = rng.uniform(0.02, 0.6)


def _drop(out: np.ndarray, rng: np.random.Generator) -> None:
    """Joints that are lost: limbs for a run of frames, or single joints now and then."""
    if rng.random() < 0.5:
        limb = _LEGS if rng.random() < 0.25 else _LIMBS[rng.integers(len(_LIMBS))]
        run = slice(None) if rng.random() < 0.35 else _stretch(len(out), rng, 0.8)
        out[run, limb, 2] = 0
    else:
        out[..., 2] *= rng.random(out.shape[:2]) > rng.uniform(0.01, 0.15)
