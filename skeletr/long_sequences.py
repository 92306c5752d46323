"""The classic input of skeleton GCNs: M^ long sequences over a whole recording (the baseline).

Against it the paper sets many short sequences, see `sequences` and its Tables 2 and 6.
"""

from __future__ import annotations

import numpy as np

from skeletr.recording import Recording
from skeletr.sequences import SequenceConfig, Sequences, empty_sequences
from skeletr.skeleton import C, V


def long_sequences(recording: Recording, count: int = 2, frames: int = 300) -> Sequences:
    """At most M^ = `count` sequences of `frames` frames, linked by confidence rank.

    In every frame people are ranked by confidence, the mean score of their joints; sequence k
    holds the k-th of each frame, whoever that is: neither IoU nor ids are looked at. Where a frame
    has fewer people the sequence has a gap; a rank that nobody ever takes gives no sequence.
    Boxes are those of the middle of the sequence, or of the frame nearest to it with somebody.

    Uniform sampling: the recording is divided into `frames` equal pieces, of which each gives its
    middle frame; one that is shorter is repeated from its beginning (as in PYSKL, without its
    random offsets). Times are those of the middle of the recording, `person` is the rank.
    """
    if not len(recording.frame):
        return empty_sequences(recording.image_size, SequenceConfig(frames=frames))
    table = _ranked(recording, count)  # (F, count)
    rows = table[_uniform(len(table), frames)].T  # (count, T)
    ranks = np.flatnonzero((rows >= 0).any(axis=1))
    rows = rows[ranks]
    there = rows >= 0
    keypoints = np.zeros((*rows.shape, V, C), np.float32)
    keypoints[there] = recording.keypoints[rows[there]]
    distance = np.abs(np.arange(frames) - frames // 2)
    key = np.where(there, distance, frames).argmin(axis=1)
    boxes = recording.boxes[rows[np.arange(len(rows)), key]]
    return Sequences(
        recording.image_size,
        keypoints,
        boxes,
        np.full(len(rows), (recording.start + recording.end) / 2),
        ranks.astype(np.int32),
        there.mean(axis=1).astype(np.float32),
        boxes,
    )


def _ranked(recording: Recording, count: int) -> np.ndarray:
    """(F, count) row of the k-th most confident person of each frame, -1 where there is none."""
    table = np.full((len(recording.frame_times), count), -1, np.intp)
    confidence = recording.keypoints[..., 2].mean(axis=1)
    order = np.lexsort((-confidence, recording.frame))  # frame by frame, the surest first
    rank = np.arange(len(order)) - np.searchsorted(recording.frame, recording.frame)
    kept = rank < count
    table[recording.frame[kept], rank[kept]] = order[kept]
    return table


def _uniform(total: int, frames: int) -> np.ndarray:
    """(frames,) indices of the frames that are taken of `total`, at least 1."""
    index = np.arange(frames)
    if total < frames:
        return index % total
    return ((index + 0.5) * total / frames).astype(np.intp)
