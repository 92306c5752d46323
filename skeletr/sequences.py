"""Recording -> short, overlapping skeleton sequences (paper, section 3.2).

The only place that links skeletons and cuts windows. Works on time in seconds, never on frame
counts: a recording of any, even varying, frame rate is resampled to the model's rate.
Every T/2 frames there is a key frame; every skeleton in a key frame starts one sequence of T
frames, made by linking boxes of neighbouring frames by IoU, forwards and backwards.
"""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass, fields, replace
from typing import Literal, get_args

import numpy as np

from skeletr.recording import Recording
from skeletr.skeleton import BODY_JOINTS, C, V, box_iou

Normalise = Literal["image", "person", "pair"]

_NEAR = 3.0  # in units of half a person, from middle to middle: an arm's length and a step


@dataclass(frozen=True)
class SequenceConfig:
    """How sequences are cut and normalised; stored with a checkpoint, so live equals training.

    frames: T. rate: frames per second of the model's input. window: seconds of past that are
    related with one another. min_iou: boxes of neighbouring frames below it are not linked.
    max_gap: seconds over which a person may be unseen within a sequence. min_score: joints at or
    below are treated as missing. joints: those the model uses; the others are set to missing.
    normalise: "image" as in the paper (centre and half the size of the picture), or "person"
    (centre and half the size of the person in the key frame), which does not depend on where in
    the picture the person stands, or "pair": the same, but between the person and whoever is
    nearest in the key frame, if that is near enough to touch, so that what one does to the other
    can be seen in the coordinates. max_sequences: upper end of the clamp of adaptive M.
    linking: "iou", or "rank" for the classic long sequences over a whole recording, at most
    `max_sequences` of them, see `long_sequences`; `rate` then says nothing.
    """

    frames: int = 30
    rate: float = 20.0
    window: float = 5.0
    min_iou: float = 0.1
    max_gap: float = 0.6
    min_score: float = 0.01
    joints: tuple[int, ...] = BODY_JOINTS
    normalise: Normalise = "person"
    max_sequences: int = 20
    linking: Literal["iou", "rank"] = "iou"

    def __post_init__(self) -> None:
        object.__setattr__(self, "joints", tuple(self.joints))
        if self.frames < 2 or self.frames % 1:
            raise ValueError(f"frames is {self.frames}, expected a whole number of at least 2")
        if self.rate <= 0 or self.window <= 0 or self.max_sequences < 1:
            raise ValueError("rate, window and max_sequences must be above 0")
        if self.normalise not in get_args(Normalise):
            raise ValueError(
                f"normalise is {self.normalise!r}, expected one of {get_args(Normalise)}"
            )
        if self.linking not in ("iou", "rank"):
            raise ValueError(f"linking is {self.linking!r}, expected 'iou' or 'rank'")
        if not self.joints or not set(self.joints) <= set(range(V)):
            raise ValueError(f"joints is {self.joints}, expected some of 0..{V - 1}")

    @property
    def interval(self) -> float:
        """Seconds between key frames: T/2 frames."""
        return (self.frames // 2) / self.rate

    @property
    def before(self) -> float:
        """Seconds from the first frame of a sequence to its key frame."""
        return (self.frames // 2) / self.rate

    @property
    def after(self) -> float:
        """Seconds from the key frame of a sequence to its last frame."""
        return (self.frames - 1 - self.frames // 2) / self.rate


@dataclass(frozen=True)
class Sequences:
    """M' short sequences of one recording, in order of time.

    keypoints: (M', T, 17, 3) float32, pixels and score; all zero where a joint is missing.
    boxes: (M', 4) float32, pixels, of the skeleton in the key frame.
    times: (M',) float64, seconds of the key frame.
    person: (M',) int32, id of the skeleton in the key frame.
    observed: (M',) float32, share of the T frames in which the person is seen.
    neighbour: (M', 4) float32, box of the nearest other skeleton in the key frame; that of the
        person where nobody is near.
    """

    image_size: tuple[int, int]
    keypoints: np.ndarray
    boxes: np.ndarray
    times: np.ndarray
    person: np.ndarray
    observed: np.ndarray
    neighbour: np.ndarray

    def __len__(self) -> int:
        return len(self.times)

    def take(self, index: np.ndarray) -> Sequences:
        """A selection by boolean mask or by indices."""
        columns = {f.name: getattr(self, f.name)[index] for f in fields(self)[1:]}
        return Sequences(self.image_size, **columns)

    @classmethod
    def concatenate(cls, parts: SequenceOf[Sequences]) -> Sequences:
        """Join parts of the same recording. Raises ValueError when there are none."""
        if not parts:
            raise ValueError("expected at least one part")
        names = [f.name for f in fields(cls)[1:]]
        columns = {n: np.concatenate([getattr(p, n) for p in parts]) for n in names}
        return cls(parts[0].image_size, **columns)


def empty_sequences(image_size: tuple[int, int], config: SequenceConfig) -> Sequences:
    """No sequences: what an empty scene gives."""
    return Sequences(
        image_size,
        np.zeros((0, config.frames, V, C), np.float32),
        np.zeros((0, 4), np.float32),
        np.zeros(0),
        np.zeros(0, np.int32),
        np.zeros(0, np.float32),
        np.zeros((0, 4), np.float32),
    )


def key_times(start: float, end: float, config: SequenceConfig) -> np.ndarray:
    """Key frames every T/2 frames from `start` to `end` inclusive, in seconds."""
    count = int(np.floor((end - start) / config.interval + 1e-6)) + 1
    return start + config.interval * np.arange(max(count, 0))


def build_sequences(
    recording: Recording, config: SequenceConfig, start: float | None = None
) -> Sequences:
    """All sequences of a recording; `start` is the time of the first key frame."""
    if not len(recording.frame_times):
        return empty_sequences(recording.image_size, config)
    if config.linking == "rank":
        from skeletr.long_sequences import long_sequences  # which makes `Sequences` of this module

        found = long_sequences(recording, config.max_sequences, config.frames)
        return replace(found, keypoints=_clean(found.keypoints, config))
    first = recording.start if start is None else start
    keys = key_times(first, recording.end, config)
    parts = [sequences_at(recording, key, config) for key in keys]
    return Sequences.concatenate(parts or [empty_sequences(recording.image_size, config)])


def horizon(key_time: float, config: SequenceConfig) -> float:
    """The sequences of a key frame are complete once a frame of this time or later is known."""
    return key_time + config.after - 1e-6


def sequences_at(recording: Recording, key_time: float, config: SequenceConfig) -> Sequences:
    """The sequences of one key frame: one for each skeleton in the frame nearest to `key_time`.

    Nothing after the first frame at or behind the `horizon` is looked at, and nothing earlier
    than a gap before the window, so a rolling buffer gives the same as the whole recording.
    """
    key = _nearest_frame(recording, key_time, config)
    if key is None:
        return empty_sequences(recording.image_size, config)
    rows = recording.rows(key)
    links = _link(recording, key, key_time, config)
    grid = key_time + (np.arange(config.frames) - config.frames // 2) / config.rate
    resampled = [_resample(recording, link, grid, config) for link in links]
    count = rows.stop - rows.start
    keypoints = np.stack([k for k, _ in resampled])
    return Sequences(
        recording.image_size,
        keypoints,
        recording.boxes[rows],
        np.full(count, key_time),
        recording.person[rows],
        np.array([o for _, o in resampled], np.float32),
        nearest_boxes(recording.boxes[rows]),
    )


def nearest_boxes(boxes: np.ndarray) -> np.ndarray:
    """(P, 4) boxes of one frame -> (P, 4), of whoever is nearest to each, if near; else its own."""
    if len(boxes) < 2:
        return boxes.copy()
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1) / 2
    distance = np.linalg.norm(centre[:, None] - centre, axis=-1)
    distance /= np.maximum((half[:, None] + half) / 2, 1.0)
    np.fill_diagonal(distance, np.inf)
    nearest = distance.argmin(axis=1)
    near = distance.min(axis=1) <= _NEAR
    return np.where(near[:, None], boxes[nearest], boxes)


def _nearest_frame(r: Recording, time: float, config: SequenceConfig) -> int | None:
    """The frame nearest to `time` that lies within half a gap of it and holds people."""
    if not len(r.frame_times):
        return None
    after = int(np.searchsorted(r.frame_times, time))
    near = [i for i in (after - 1, after) if 0 <= i < len(r.frame_times)]
    nearest = min(near, key=lambda i: abs(r.frame_times[i] - time))
    rows = r.rows(nearest)
    reachable = abs(r.frame_times[nearest] - time) <= config.max_gap / 2 + 1e-6
    return nearest if reachable and rows.stop > rows.start else None


def _link(r: Recording, key: int, key_time: float, config: SequenceConfig) -> list[np.ndarray]:
    """For each skeleton of the key frame the rows of its observations, in order of time."""
    rows = np.arange(*r.rows(key).indices(len(r.frame)))
    first, last = np.searchsorted(
        r.frame_times, [key_time - config.before - config.max_gap, horizon(key_time, config)]
    )
    backwards = _follow(r, rows, key, range(key - 1, first - 1, -1), config)
    forwards = _follow(r, rows, key, range(key + 1, min(last + 1, len(r.frame_times))), config)
    return [
        np.array([*back[::-1], row, *forth], dtype=np.intp)
        for back, row, forth in zip(backwards, rows, forwards, strict=True)
    ]


def _follow(
    r: Recording, rows: np.ndarray, key: int, frames: range, config: SequenceConfig
) -> list[list[int]]:
    """Link skeletons frame by frame by IoU, one to one, the best pair first."""
    linked: list[list[int]] = [[] for _ in rows]
    boxes = r.boxes[rows].copy()
    seen = np.full(len(rows), r.frame_times[key])
    for frame in frames:
        here = r.rows(frame)
        alive = np.abs(r.frame_times[frame] - seen) <= config.max_gap + 1e-6
        if not alive.any():
            break
        if here.start == here.stop:
            continue
        iou = box_iou(boxes, r.boxes[here])
        iou[~alive] = 0
        for sequence, offset in _best_pairs(iou, config.min_iou):
            linked[sequence].append(here.start + offset)
            boxes[sequence] = r.boxes[here.start + offset]
            seen[sequence] = r.frame_times[frame]
    return linked


def _best_pairs(iou: np.ndarray, minimum: float) -> list[tuple[int, int]]:
    """Pairs (row, column) above `minimum`, each row and column once, the highest IoU first."""
    if iou.size == 1:  # one person, by far the most common case
        return [(0, 0)] if iou[0, 0] >= minimum and iou[0, 0] > 0 else []
    iou = iou.copy()
    pairs = []
    for _ in range(min(iou.shape)):
        row, column = np.unravel_index(int(iou.argmax()), iou.shape)
        if iou[row, column] < minimum or iou[row, column] <= 0:
            break
        pairs.append((int(row), int(column)))
        iou[row] = -1
        iou[:, column] = -1
    return pairs


def _resample(
    r: Recording, link: np.ndarray, grid: np.ndarray, config: SequenceConfig
) -> tuple[np.ndarray, float]:
    """Linear interpolation of one linked skeleton at the times `grid` (T,).

    Returns:
        keypoints: (T, 17, 3), and the share of the grid at which the person was seen.
    """
    times = r.times[link]
    points = _clean(r.keypoints[link], config)
    right = np.clip(np.searchsorted(times, grid), 0, len(times) - 1)
    left = np.clip(right - (times[right] > grid), 0, None)
    span = times[right] - times[left]
    weight = np.where(span > 0, (grid - times[left]) / np.where(span > 0, span, 1), 0.0)
    weight = np.clip(weight, 0, 1)
    nearest = np.minimum(np.abs(grid - times[left]), np.abs(grid - times[right]))
    seen = (nearest <= 0.5 / config.rate + 1e-6) | (
        (span > 0) & (span <= config.max_gap + 1e-6) & (grid > times[0]) & (grid < times[-1])
    )
    out = _blend(points[left], points[right], weight[:, None])
    out[~seen] = 0
    return out, float(seen.mean())


def _blend(a: np.ndarray, b: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Between joints that are in both; a joint that is in one counts for the nearer half."""
    in_a, in_b = a[..., 2] > 0, b[..., 2] > 0
    only_a = in_a & ~in_b & (weight <= 0.5)
    only_b = in_b & ~in_a & (weight >= 0.5)
    weight = np.where(only_a, 0.0, np.where(only_b, 1.0, weight))[..., None]
    out = (1 - weight) * a + weight * b
    return np.where(((in_a & in_b) | only_a | only_b)[..., None], out, 0).astype(np.float32)


def _clean(keypoints: np.ndarray, config: SequenceConfig) -> np.ndarray:
    """Joints that are unused, below the score or not finite become (0, 0, 0)."""
    used = np.zeros(V, dtype=bool)
    used[list(config.joints)] = True
    good = np.isfinite(keypoints).all(axis=-1) & used
    good &= np.where(good, keypoints[..., 2], 0) > config.min_score
    return np.where(good[..., None], keypoints, 0).astype(np.float32)


def in_window(sequences: Sequences, end: float, config: SequenceConfig) -> Sequences:
    """The sequences of the last `window` seconds before and at the key time `end`."""
    return sequences.take(window_index(sequences, end, config))


def window_index(sequences: Sequences, end: float, config: SequenceConfig) -> np.ndarray:
    """Indices of the sequences of the window that ends with the key time `end`.

    Adaptive M: all of them, clamped to `max_sequences`; then the newest win, and among those of
    one key frame the largest people.
    """
    times = sequences.times
    inside = np.flatnonzero((times > end - config.window + 1e-6) & (times <= end + 1e-6))
    if len(inside) <= config.max_sequences:
        return inside
    area = (sequences.boxes[:, 2:] - sequences.boxes[:, :2]).prod(axis=1)
    order = np.lexsort((-area[inside], -times[inside]))
    return np.sort(inside[order[: config.max_sequences]])
