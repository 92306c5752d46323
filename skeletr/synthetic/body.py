"""A body of limbs of constant length in three dimensions, and a camera that sees it.

Metres: x to the right of the picture, y up from the floor, z away from the camera. A heading of 0
looks at the camera, one of 90 degrees to the right of the picture. Index 0 = left, 1 = right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skeletr.skeleton import COCO_INDEX, C, V

IMAGE_SIZE = (1280, 720)
_FOCAL = 1380.0  # pixels
_CAMERA = np.array([0.0, 1.05, -5.0])  # metres
_CENTRE = np.array(IMAGE_SIZE) / 2
_SCORE = 0.92

# Proportions of somebody 1.70 m high, metres.
UPPER_ARM, FOREARM = 0.29, 0.26
THIGH, SHIN, ANKLE = 0.43, 0.42, 0.08
_TORSO = 0.50
_SHOULDER, _HIP = 0.18, 0.10  # half the width
_NECK = 0.21  # from between the shoulders to the centre of the head
_STRAIGHT = 0.985  # of the length of a leg, when standing
HIP_HEIGHT = ANKLE + _STRAIGHT * (THIGH + SHIN)
SIDES = np.array([1.0, -1.0])  # left and right, along the body's own left

# Nose, eyes and ears from the centre of the head: forward, left, up.
_FACE = np.array(
    [[0.10, 0, 0.0], [0.085, 0.033, 0.035], [0.085, -0.033, 0.035], [0, 0.075, 0], [0, -0.075, 0]]
)


@dataclass(frozen=True)
class Stance:
    """Where a body is over T frames, without its arms.

    root: (T, 2) x and z of the hips. heading, lean, look: (T,) radians; lean is forward, look is
    the head's turn to the body's left. drop: (T,) metres of the hips below standing.
    ankles: (T, 2, 3).
    """

    root: np.ndarray
    heading: np.ndarray
    drop: np.ndarray
    lean: np.ndarray
    look: np.ndarray
    ankles: np.ndarray

    @property
    def hips(self) -> np.ndarray:
        """(T, 2, 3) left and right."""
        centre = np.stack([self.root[:, 0], HIP_HEIGHT - self.drop, self.root[:, 1]], axis=1)
        return centre[:, None] + SIDES[:, None] * _HIP * left_of(self.heading)[:, None]

    @property
    def shoulders(self) -> np.ndarray:
        """(T, 2, 3) left and right."""
        neck = self.hips.mean(axis=1) + _TORSO * self.up
        return neck[:, None] + SIDES[:, None] * _SHOULDER * left_of(self.heading)[:, None]

    @property
    def up(self) -> np.ndarray:
        """(T, 3) along the spine."""
        flat = np.sin(self.lean)[:, None] * forward_of(self.heading)
        return flat + np.cos(self.lean)[:, None] * np.array([0.0, 1.0, 0.0])

    def around(self, offsets: np.ndarray) -> np.ndarray:
        """Hands in the room, (T, 2, 3), from offsets to the shoulders: forward, outward, up."""
        axes = np.stack(
            [
                forward_of(self.heading),
                left_of(self.heading),
                np.broadcast_to([0.0, 1.0, 0.0], (len(self.root), 3)),
            ],
            axis=1,
        )  # (T, axis, 3)
        own = offsets * np.stack([np.ones(2), SIDES, np.ones(2)], axis=1)
        return self.shoulders + np.einsum("tsa,tax->tsx", own, axes)


def forward_of(heading: np.ndarray) -> np.ndarray:
    """(T,) -> (T, 3)."""
    return np.stack([np.sin(heading), np.zeros_like(heading), -np.cos(heading)], axis=1)


def left_of(heading: np.ndarray) -> np.ndarray:
    """(T,) -> (T, 3)."""
    return np.stack([np.cos(heading), np.zeros_like(heading), np.sin(heading)], axis=1)


def joints(stance: Stance, hands: np.ndarray) -> np.ndarray:
    """COCO-17 in metres, (T, 17, 3).

    Args:
        hands: (T, 2, 3); a hand or foot that is out of reach is reached for with a straight limb.
    """
    shoulders, hips = stance.shoulders, stance.hips
    ahead, left = forward_of(stance.heading)[:, None], left_of(stance.heading)[:, None]
    down = np.array([0.0, -1.0, 0.0])
    # Elbows point down, out and back; knees point ahead.
    elbow_pole = down - 0.6 * ahead + 0.45 * SIDES[:, None] * left
    knee_pole = ahead + 0.12 * SIDES[:, None] * left
    elbows, wrists = two_links(shoulders, hands, UPPER_ARM, FOREARM, elbow_pole)
    knees, ankles = two_links(hips, stance.ankles, THIGH, SHIN, knee_pole)
    out = np.zeros((len(stance.root), V, 3))
    out[:, :5] = _face(stance)
    limbs = {"shoulder": shoulders, "elbow": elbows, "wrist": wrists}
    for name, points in {**limbs, "hip": hips, "knee": knees, "ankle": ankles}.items():
        out[:, COCO_INDEX[f"left_{name}"]] = points[:, 0]
        out[:, COCO_INDEX[f"right_{name}"]] = points[:, 1]
    return out


def two_links(
    root: np.ndarray, target: np.ndarray, first: float, second: float, pole: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Inverse kinematics of two limbs: the joint between them, and the end, (..., 3) each.

    Args:
        pole: the direction to which the joint between them bends.
    """
    toward = target - root
    distance = np.linalg.norm(toward, axis=-1, keepdims=True)
    along = toward / np.maximum(distance, 1e-9)
    reach = np.clip(distance, abs(first - second) + 0.02, first + second - 1e-3)
    cosine = (first**2 + reach**2 - second**2) / (2 * first * reach)
    across = pole - (pole * along).sum(axis=-1, keepdims=True) * along
    across = across / np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-9)
    middle = root + first * (cosine * along + np.sqrt(np.maximum(1 - cosine**2, 0)) * across)
    return middle, root + reach * along


def _face(stance: Stance) -> np.ndarray:
    """(T, 5, 3) nose, eyes, ears."""
    turned = stance.heading - stance.look
    neck = stance.shoulders.mean(axis=1)
    centre = neck + _NECK * stance.up + 0.03 * forward_of(turned)
    axes = np.stack([forward_of(turned), left_of(turned), stance.up], axis=1)
    return centre[:, None] + np.einsum("fa,tax->tfx", _FACE, axes)


def picture(points: np.ndarray) -> np.ndarray:
    """What the camera sees: (T, 17, 3) metres -> (T, 17, 3) pixels and score.

    The parts of a face that are turned away from the camera are not seen.
    """
    seen = points - _CAMERA
    depth = np.maximum(seen[..., 2:], 0.3)
    out = np.empty((*points.shape[:-1], C), np.float32)
    out[..., :2] = _CENTRE + _FOCAL * seen[..., :2] * (1, -1) / depth
    out[..., 2] = _SCORE
    ears = points[:, 3:5].mean(axis=1, keepdims=True)
    toward = _CAMERA - ears
    toward = toward / np.linalg.norm(toward, axis=-1, keepdims=True)
    away = ((points[:, :5] - ears) * toward).sum(axis=-1) < -0.03
    out[:, :5][away] = 0
    return out
