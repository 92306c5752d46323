"""Joint layouts: COCO-17, its graph and parts, and the conversions into it.

Everything inside the package speaks COCO-17: V = 17 joints of (x, y, score), C = 3.
Other layouts are converted once, at the edge, by `to_coco17`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

COCO_JOINTS: tuple[str, ...] = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
V = len(COCO_JOINTS)
C = 3

COCO_INDEX: dict[str, int] = {name: index for index, name in enumerate(COCO_JOINTS)}

# (child, parent) pairs pointing at the nose, the centre joint of the graph.
COCO_INWARD: tuple[tuple[int, int], ...] = (
    (15, 13),
    (13, 11),
    (16, 14),
    (14, 12),
    (11, 5),
    (12, 6),
    (9, 7),
    (7, 5),
    (10, 8),
    (8, 6),
    (5, 0),
    (6, 0),
    (1, 0),
    (3, 1),
    (2, 0),
    (4, 2),
)

# What a person would draw: limbs, shoulders and hips. Not the graph of the network.
COCO_LIMBS: tuple[tuple[int, int], ...] = (
    (5, 7),
    (7, 9),
    (6, 8),
    (8, 10),
    (5, 6),
    (5, 11),
    (6, 12),
    (11, 12),
    (11, 13),
    (13, 15),
    (12, 14),
    (14, 16),
)

# P = 5 body parts of Mix Pooling (paper, section 3.3).
COCO_PARTS: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("head", (0, 1, 2, 3, 4)),
    ("left arm", (5, 7, 9)),
    ("right arm", (6, 8, 10)),
    ("left leg", (11, 13, 15)),
    ("right leg", (12, 14, 16)),
)

# Mirror image of each joint: flipping a picture swaps left and right.
COCO_FLIP: tuple[int, ...] = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)

# The 13 joints that every data set and every pose frontend has; eyes and ears are the rest.
BODY_JOINTS: tuple[int, ...] = (0, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)

TORSO: tuple[int, ...] = (5, 6, 11, 12)


def to_coco17(
    points: np.ndarray, names: Mapping[str, int], scores: np.ndarray | None = None
) -> np.ndarray:
    """Pick COCO joints out of another layout.

    Args:
        points: coordinates, shape (..., J, D) with D = 2 or 3.
        names: COCO joint name -> index into J; joints left out become missing.
        scores: confidence per joint, shape (..., J); 1 where not given.

    Returns:
        Array of shape (..., 17, D + 1): coordinates and score. Missing joints are all zero,
        and so are joints whose coordinates are not finite.

    Raises:
        ValueError: a name is no COCO joint, or an index lies outside J.
    """
    joints = points.shape[-2]
    unknown = [n for n in names if n not in COCO_INDEX]
    if unknown:
        raise ValueError(f"not COCO joints: {unknown}; expected some of {list(COCO_JOINTS)}")
    if any(not 0 <= i < joints for i in names.values()):
        raise ValueError(f"joint index outside the {joints} joints given: {dict(names)}")
    out = np.zeros((*points.shape[:-2], V, points.shape[-1] + 1), dtype=np.float32)
    target = [COCO_INDEX[n] for n in names]
    source = list(names.values())
    with np.errstate(over="ignore"):  # what is too large for float32 is infinite: no joint
        out[..., target, :-1] = points[..., source, :]
    out[..., target, -1] = 1.0 if scores is None else scores[..., source]
    out[~np.isfinite(out).all(axis=-1)] = 0.0
    return out


def keypoint_boxes(keypoints: np.ndarray, min_score: float = 0.01) -> np.ndarray:
    """Tight boxes around the joints that are there.

    Args:
        keypoints: shape (..., 17, 3).
        min_score: joints with a score at or below this do not count, nor do those that are not
            finite.

    Returns:
        Boxes (x1, y1, x2, y2), shape (..., 4); all zero where no joint counts.
    """
    xy = keypoints[..., :2]
    seen = (keypoints[..., 2] > min_score) & np.isfinite(xy).all(axis=-1)
    low = np.where(seen[..., None], xy, np.inf).min(axis=-2)
    high = np.where(seen[..., None], xy, -np.inf).max(axis=-2)
    boxes = np.concatenate([low, high], axis=-1)
    return np.where(seen.any(axis=-1)[..., None], boxes, 0.0).astype(np.float32)


def box_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of every box in `a` (n, 4) with every box in `b` (m, 4): (n, m)."""
    # Few boxes and very many calls: as few numpy calls as can be.
    a = a[:, None]
    width = np.minimum(a[..., 2], b[:, 2]) - np.maximum(a[..., 0], b[:, 0])
    height = np.minimum(a[..., 3], b[:, 3]) - np.maximum(a[..., 1], b[:, 1])
    inter = np.maximum(width, 0) * np.maximum(height, 0)
    area_a = np.maximum(a[..., 2] - a[..., 0], 0) * np.maximum(a[..., 3] - a[..., 1], 0)
    area_b = np.maximum(b[:, 2] - b[:, 0], 0) * np.maximum(b[:, 3] - b[:, 1], 0)
    union = area_a + area_b - inter
    return inter / np.maximum(union, 1e-9)
