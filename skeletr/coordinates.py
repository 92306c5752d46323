"""Short sequences -> what the model takes: coordinates of one frame of reference, and places."""

from __future__ import annotations

import numpy as np

from skeletr.sequences import SequenceConfig, Sequences
from skeletr.skeleton import keypoint_boxes

_COORDINATE_LIMIT = 4.0  # in units of half a person; beyond it only tracking errors are found


def model_input(
    sequences: Sequences, end: float, config: SequenceConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Normalise sequences for the model.

    Args:
        end: time in seconds of the newest key frame of the window.

    Returns:
        x: (M', T, 17, 3) float32, normalised coordinates and score.
        embedding: (M', 5) float32, box (centre and size, in half pictures) and time (0..1) of
            the key frame, the input of the sequence-level embedding (paper, section 3.3).
    """
    return normalise(sequences, config), embed(sequences, end, config)


def normalise(sequences: Sequences, config: SequenceConfig) -> np.ndarray:
    """Coordinates relative to the picture, the person or a pair, (M', T, 17, 3) float32."""
    x = sequences.keypoints.copy()
    present = x[..., 2:] > 0
    if config.normalise == "image":
        half = np.array(sequences.image_size, np.float32) / 2
        x[..., :2] = (x[..., :2] - half) / half
    elif len(x):
        centre, half = _person_frame(sequences.keypoints, config)
        if config.normalise == "pair":
            centre, half = _pair_frame(sequences, centre, half)
        x[..., :2] = (x[..., :2] - centre[:, None, None]) / half[:, None, None, None]
    x[..., :2] = np.clip(x[..., :2], -_COORDINATE_LIMIT, _COORDINATE_LIMIT)
    return np.where(present, x, 0).astype(np.float32)


def _person_frame(keypoints: np.ndarray, config: SequenceConfig) -> tuple[np.ndarray, np.ndarray]:
    """Centre (M', 2) at the key frame and half size (M',), the median over the frames."""
    boxes = keypoint_boxes(keypoints, 0.0)  # (M', T, 4)
    seen = (keypoints[..., 2] > 0).any(axis=-1)
    distance = np.abs(np.arange(config.frames) - config.frames // 2)
    key = np.where(seen, distance, config.frames).argmin(axis=1)
    box = boxes[np.arange(len(boxes)), key]
    size = (boxes[..., 2:] - boxes[..., :2]).max(axis=-1)
    size = np.ma.median(np.ma.masked_array(size, ~seen), axis=1).filled(1.0)
    half = np.maximum(np.asarray(size, np.float32) / 2, 1.0)
    return (box[:, :2] + box[:, 2:]) / 2, half


def _pair_frame(
    sequences: Sequences, centre: np.ndarray, half: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Half way from each person, (M', 2) and (M',), to the neighbour, where there is one."""
    box = sequences.neighbour
    other = (box != sequences.boxes).any(axis=1)
    middle = (centre + (box[:, :2] + box[:, 2:]) / 2) / 2
    mean = (half + np.maximum((box[:, 2:] - box[:, :2]).max(axis=1) / 2, 1.0)) / 2
    return np.where(other[:, None], middle, centre), np.where(other, mean, half)


def embed(sequences: Sequences, end: float, config: SequenceConfig) -> np.ndarray:
    """Box and time of each key frame, (M', 5) float32; one scale for x and y keeps distances."""
    half = np.array(sequences.image_size, np.float32) / 2
    centre = (sequences.boxes[:, :2] + sequences.boxes[:, 2:]) / 2
    size = sequences.boxes[:, 2:] - sequences.boxes[:, :2]
    time = 1 - (end - sequences.times) / config.window
    columns = [(centre - half) / half.max(), size / half.max(), time[:, None]]
    return np.concatenate(columns, axis=1).astype(np.float32)
