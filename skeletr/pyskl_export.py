"""Recordings as a PYSKL pickle, which `skeletr.datasets.pyskl` and PYSKL itself read.

PYSKL knows frames, not times: a recording is laid onto an even grid of frames.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skeletr.files import atomic_path
from skeletr.recording import Recording, RecordingError
from skeletr.skeleton import V

_MOST_SKELETONS = 2_000_000  # people times frames: 400 MB


def frame_rate(recording: Recording) -> float:
    """Frames per second, the median; 0 for less than two frames."""
    if len(recording.frame_times) < 2:
        return 0.0
    return 1 / float(np.median(np.diff(recording.frame_times)))


def annotation(
    recording: Recording, name: str, label: int, fps: float | None = None
) -> dict[str, Any]:
    """One clip as PYSKL has it.

    Args:
        name: `frame_dir`, the id of the clip. label: index of the class.
        fps: of the grid; the recording's own if not given. Each frame of the grid takes the
            observation nearest to it within half a frame; a person not seen is all zero.

    Returns:
        frame_dir, label, img_shape and original_shape (height, width), total_frames,
        keypoint (M, T, 17, 2) and keypoint_score (M, T, 17), both float16, one row per person
        id in ascending order; fps, which PYSKL does not read.

    Raises:
        RecordingError: nobody is seen, or one frame and no `fps`.
    """
    rate = fps or frame_rate(recording)
    if not len(recording.frame) or rate <= 0:
        raise RecordingError(f"{name}: expected somebody in two frames or more")
    points = _on_grid(recording, rate)
    width, height = recording.image_size
    return {
        "frame_dir": name,
        "label": int(label),
        "img_shape": (int(height), int(width)),
        "original_shape": (int(height), int(width)),
        "total_frames": points.shape[1],
        "keypoint": points[..., :2].astype(np.float16),
        "keypoint_score": points[..., 2].astype(np.float16),
        "fps": float(rate),
    }


def write_pyskl(
    annotations: Sequence[Mapping[str, Any]],
    path: str | os.PathLike[str],
    splits: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """One pickle {split, annotations}; it appears whole or not at all.

    Args:
        splits: name -> ids; one called "all" if not given.
    """
    names = [a["frame_dir"] for a in annotations]
    split = {"all": names} if splits is None else {k: list(v) for k, v in splits.items()}
    content = {"split": split, "annotations": [dict(a) for a in annotations]}
    with atomic_path(path) as partial, partial.open("wb") as file:
        pickle.dump(content, file, protocol=4)


def _on_grid(recording: Recording, rate: float) -> np.ndarray:
    """(M, T, 17, 3) float32: x and y in pixels, score."""
    people = recording.people
    step = (recording.times - recording.start) * rate
    grid = np.rint(step).astype(np.int64)
    frames = int(np.rint((recording.end - recording.start) * rate)) + 1
    if len(people) * frames > _MOST_SKELETONS:
        raise RecordingError(
            f"{len(people)} people in {frames} frames are more than PYSKL's dense arrays can hold "
            f"here ({_MOST_SKELETONS} skeletons); export a part of the recording"
        )
    out = np.zeros((len(people), frames, V, 3), np.float32)
    # The farthest from its grid point first, so that the nearest is what stays.
    order = np.argsort(-np.abs(step - grid), kind="stable")
    row = np.searchsorted(people, recording.person)
    out[row[order], grid[order]] = recording.keypoints[order]
    return np.nan_to_num(out)
