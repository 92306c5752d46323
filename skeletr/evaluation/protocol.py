"""Clips through the same road as live video: a picture, a `Recording`, sequences, the model."""

from __future__ import annotations

import zlib
from collections.abc import Sequence as SequenceOf

import numpy as np
import torch

from skeletr.batch import collate
from skeletr.coordinates import model_input
from skeletr.datasets.actors import HEIGHT_IN_TORSOS
from skeletr.datasets.camera import Camera, head_to_nose, project
from skeletr.datasets.clip import Clip
from skeletr.datasets.motion import take_of, torso_length
from skeletr.datasets.noise import NoiseConfig, clean, estimate
from skeletr.model import SkeleTR
from skeletr.recording import Recording
from skeletr.sequences import SequenceConfig, Sequences, build_sequences, window_index

IMAGE_SIZE = (1280, 720)
_FILLED = 0.8  # of the picture
NOSE = (0.0375, 0.02)  # before and below the centre of the head, in heights
_LEAST_OBSERVED = 0.3
_BATCH = 64  # sequences

Window = tuple[np.ndarray, np.ndarray]


def clip_recording(clip: Clip, noise: NoiseConfig | None = None) -> Recording:
    """A clip as its own camera saw it, in the middle of a picture.

    Untrimmed clips are cut to their moving part first. noise: as of a pose estimator, drawn by
    the name of the clip and so always the same; None = the joints as recorded.
    """
    span = take_of(clip).action
    inside = (clip.times >= span.start - 1e-6) & (clip.times <= span.end + 1e-6)
    points, seen, times = clip.points[:, inside], clip.seen[:, inside], clip.times[inside]
    if points.shape[-1] == 3:
        height = HEIGHT_IN_TORSOS * torso_length(clip)
        points = head_to_nose(points, NOSE[0] * height, NOSE[1] * height)
        distance = max(float(np.median(points[..., 2])), 1.0)
        points = project(points, Camera(0.0, 0.0, 0.0, distance))
    pixels = fit(points, seen)
    rng = np.random.default_rng(zlib.crc32(clip.name.encode()))
    people = [
        clean(xy, there) if noise is None else estimate(xy, there, times, noise, rng)
        for xy, there in zip(pixels, seen, strict=True)
    ]
    return Recording.from_arrays(np.stack(people), times, IMAGE_SIZE, source=clip.name)


def clip_windows(recording: Recording, config: SequenceConfig) -> list[Window]:
    """Model inputs of consecutive windows, see `consecutive`."""
    return [
        model_input(window, float(window.times.max()), config)
        for window in consecutive(recording, config)
    ]


def consecutive(recording: Recording, config: SequenceConfig) -> list[Sequences]:
    """Consecutive windows, the last one first; together they hold every sequence once.

    The first key frame is as late as it must be for a complete sequence, so that clips shorter
    than a sequence have theirs in the middle.
    """
    length = recording.end - recording.start
    found = build_sequences(recording, config, recording.start + min(config.before, length / 2))
    good = found.take(found.observed >= _LEAST_OBSERVED)
    rest: Sequences = good if len(good) else found
    windows = []
    while len(rest):
        index = window_index(rest, float(rest.times.max()), config)
        windows.append(rest.take(index))
        rest = rest.take(np.delete(np.arange(len(rest)), index))
    return windows


@torch.inference_mode()
def window_scores(
    model: SkeleTR,
    clips: SequenceOf[list[Window]],
    config: SequenceConfig,
    temperature: float = 1.0,
) -> np.ndarray:
    """Probabilities per clip, (N, K): the mean over its short sequences.

    A clip in which nobody is ever seen, one without windows, has equal probabilities.
    """
    windows = [(n, window) for n, clip in enumerate(clips) for window in clip]
    classes = model.config.instance_classes
    device = next(model.parameters()).device
    total = np.zeros((len(clips), classes))
    count = np.zeros(len(clips))
    for part in _batches(windows):
        batch = collate([w for _, w in part], config.frames).to(device)
        logits = model(batch).instance.float()
        scores = (logits / temperature).softmax(dim=-1).double().cpu().numpy()
        for (n, (x, _)), row in zip(part, scores, strict=True):
            total[n] += row[: len(x)].sum(axis=0)
            count[n] += len(x)
    empty = count == 0
    total[empty], count[empty] = 1 / classes, 1
    return total / count[:, None]


def _batches(windows: list[tuple[int, Window]]) -> list[list[tuple[int, Window]]]:
    parts: list[list[tuple[int, Window]]] = []
    size = _BATCH
    for n, window in windows:
        if size + len(window[0]) > _BATCH:
            parts.append([])
            size = 0
        parts[-1].append((n, window))
        size += len(window[0])
    return parts


def fit(points: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Scale and move points (P, T, 17, 2) into the middle of the picture."""
    visible = points[seen]
    if not len(visible):
        return points
    low, high = visible.min(axis=0), visible.max(axis=0)
    size = np.array(IMAGE_SIZE)
    scale = _FILLED * float((size / np.maximum(high - low, 1e-6)).min())
    return ((points - (low + high) / 2) * scale + size / 2).astype(np.float32)
