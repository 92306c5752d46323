"""Hands that go where they are wanted, backs and knees that bend: changes to recorded bodies.

Metres: x right, y down, z away. Limbs keep their length; see `skeletr.synthetic.body.two_links`.
"""

from __future__ import annotations

import numpy as np

from skeletr.datasets.camera import facing
from skeletr.synthetic.body import two_links

LEFT, RIGHT = 0, 1
_ARMS = ((5, 7, 9), (6, 8, 10))  # shoulder, elbow, wrist
_LEGS = ((11, 13, 15), (12, 14, 16))  # hip, knee, ankle
_HIPS = [11, 12]
_OVER_FEET = list(range(15))
_SURELY_BENT = 0.05  # metres that the hips are lower, from which on knees are bent for sure
_UPPER = list(range(11))  # head and arms
_DOWN = np.array([0.0, 1.0, 0.0])


def reach(points: np.ndarray, side: int, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Let one hand go to a place.

    Args:
        points: (T, 17, 3). side: LEFT or RIGHT. target: (T, 3) or (3,); one that is too far away
        is reached for with a straight arm. weight: (T,) from 0, the arm's own movement, to 1.
    """
    root, middle, tip = _ARMS[side]
    shoulder, elbow, wrist = points[:, root], points[:, middle], points[:, tip]
    upper, fore = _length(points, root, middle), _length(points, middle, tip)
    share = weight[:, None]
    wanted = (1 - share) * wrist + share * target
    outward = shoulder - points[:, _ARMS[1 - side][0]]
    outward = outward / np.maximum(np.linalg.norm(outward, axis=-1, keepdims=True), 1e-6)
    # Elbows point down, out and a little back.
    pole = _DOWN - 0.6 * facing(points) + 0.45 * outward
    bent, reached = two_links(shoulder, wanted, upper, fore, pole)
    own = np.clip(1 - 4 * share, 0, 1)  # at rest the arm is the recorded one
    out = points.copy()
    out[:, middle] = own * elbow + (1 - own) * bent
    out[:, tip] = own * wrist + (1 - own) * reached
    return out


def lean(points: np.ndarray, radians: np.ndarray) -> np.ndarray:
    """Bend the back about the hips, (T,) radians; above 0 to where the person looks."""
    hips = points[:, _HIPS].mean(axis=1, keepdims=True)
    ahead = facing(points) * (1, 0, 1)
    ahead = ahead / np.maximum(np.linalg.norm(ahead, axis=-1, keepdims=True), 1e-6)
    arm = points[:, _UPPER] - hips
    forward = (arm * ahead[:, None]).sum(axis=-1)
    up = -arm[..., 1]
    cos, sin = np.cos(radians)[:, None], np.sin(radians)[:, None]
    moved = (cos * forward + sin * up - forward)[..., None] * ahead[:, None]
    moved = moved - (cos * up - sin * forward - up)[..., None] * _DOWN
    out = points.copy()
    out[:, _UPPER] = points[:, _UPPER] + moved
    return out


def crouch(points: np.ndarray, down: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Lower the body over feet that stay where they are: (T,) metres down and back; knees bend
    ahead."""
    ahead = ahead_of(points)
    out = points.copy()
    out[:, _OVER_FEET] += (down[:, None] * _DOWN - back[:, None] * ahead)[:, None]
    bent = np.clip(down / _SURELY_BENT, 0, 1)[:, None]  # straight legs are the recorded ones
    for hip, knee, ankle in _LEGS:
        thigh, shin = _length(points, hip, knee), _length(points, knee, ankle)
        outward = points[:, hip] - points[:, _HIPS].mean(axis=1)
        pole = ahead + outward / max(float(np.linalg.norm(outward, axis=-1).mean()), 1e-6) * 0.2
        knees, _ = two_links(out[:, hip], points[:, ankle], thigh, shin, pole)
        out[:, knee] = (1 - bent) * points[:, knee] + bent * knees
    return out


def ahead_of(points: np.ndarray) -> np.ndarray:
    """(3,) level, where somebody looks most of the time."""
    ahead = np.median(facing(points), axis=0) * (1, 0, 1)
    return ahead / max(float(np.linalg.norm(ahead)), 1e-6)


def beside(
    points: np.ndarray,
    side: int,
    forward: float | np.ndarray,
    outward: float | np.ndarray,
    up: float | np.ndarray,
    joint: int | None = None,
) -> np.ndarray:
    """(T, 3) a place seen from the shoulder of a side, or from another joint, in metres."""
    ahead = ahead_of(points)
    left = np.cross(-_DOWN, ahead)
    out = left if side == LEFT else -left
    origin = points[:, _ARMS[side][0] if joint is None else joint]
    parts = ((forward, ahead), (outward, out), (up, -_DOWN))
    return origin + sum(np.asarray(size).reshape(-1, 1) * axis for size, axis in parts)


def arm_length(points: np.ndarray) -> float:
    """From the shoulders to the wrists, both arms on average, in the unit of (T, 17, 3)."""
    return sum(_length(points, *pair) for arm in _ARMS for pair in (arm[:2], arm[1:])) / 2


def _length(points: np.ndarray, start: int, end: int) -> float:
    return float(np.median(np.linalg.norm(points[:, end] - points[:, start], axis=-1)))
