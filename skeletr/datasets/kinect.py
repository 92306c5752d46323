"""The joints of Kinect recordings, as several data sets hold them."""

from __future__ import annotations

import numpy as np

from skeletr.skeleton import to_coco17

JOINTS = {
    "nose": 3,
    "left_shoulder": 4,
    "left_elbow": 5,
    "left_wrist": 6,
    "right_shoulder": 8,
    "right_elbow": 9,
    "right_wrist": 10,
    "left_hip": 12,
    "left_knee": 13,
    "left_ankle": 14,
    "right_hip": 16,
    "right_knee": 17,
    "right_ankle": 18,
}
# The 15 joints of SBU and Florence 3D: head, neck, torso, then limb by limb.
JOINTS_15 = {
    "nose": 0,
    "left_shoulder": 3,
    "left_elbow": 4,
    "left_wrist": 5,
    "right_shoulder": 6,
    "right_elbow": 7,
    "right_wrist": 8,
    "left_hip": 9,
    "left_knee": 10,
    "left_ankle": 11,
    "right_hip": 12,
    "right_knee": 13,
    "right_ankle": 14,
}
# Kinect's x runs to the left of the camera and y up; pictures have x right and y down.
_TO_CAMERA = np.array([-1.0, -1.0, 1.0])


def kinect_to_coco(points: np.ndarray) -> np.ndarray:
    """Kinect joints (T, 20, 3) in metres -> (1, T, 17, 4) in the camera's axes, with a score."""
    seen = (points != 0).any(axis=-1).astype(np.float32)
    return to_coco17(points * _TO_CAMERA, JOINTS, seen)[None]
