"""Synthetic people for tests: stick figures that sway, walk and stop."""

from __future__ import annotations

import numpy as np

from skeletr.recording import Recording
from skeletr.skeleton import COCO_INDEX, V

# A standing figure, 1 high, centred at its hips; x to the right, y down.
_STANDING = {
    "nose": (0.0, -0.45),
    "left_shoulder": (0.1, -0.32),
    "right_shoulder": (-0.1, -0.32),
    "left_elbow": (0.14, -0.17),
    "right_elbow": (-0.14, -0.17),
    "left_wrist": (0.15, -0.02),
    "right_wrist": (-0.15, -0.02),
    "left_hip": (0.07, 0.0),
    "right_hip": (-0.07, 0.0),
    "left_knee": (0.07, 0.25),
    "right_knee": (-0.07, 0.25),
    "left_ankle": (0.07, 0.5),
    "right_ankle": (-0.07, 0.5),
}


def figure() -> np.ndarray:
    """(17, 3): the standing figure with eyes and ears missing."""
    out = np.zeros((V, 3), np.float32)
    for name, (x, y) in _STANDING.items():
        out[COCO_INDEX[name]] = (x, y, 1.0)
    return out


def scene(
    places: list[float],
    times: np.ndarray,
    height: float = 200.0,
    speed: float = 0.0,
    image_size: tuple[int, int] = (640, 480),
) -> Recording:
    """People at x = `places` pixels who raise their arms in turn; ids follow the order.

    speed: pixels per second to the right, the same for all.
    """
    people = []
    for number, x in enumerate(places):
        body = np.repeat(figure()[None], len(times), axis=0)
        lift = 0.3 * np.sin(2 * np.pi * times + number)
        for wrist in ("left_wrist", "right_wrist"):
            body[:, COCO_INDEX[wrist], 1] -= np.abs(lift)
        body[..., :2] *= height
        body[..., 0] += np.where(body[..., 2] > 0, x + speed * times[:, None], 0)
        body[..., 1] += np.where(body[..., 2] > 0, image_size[1] / 2, 0)
        people.append(body)
    stacked = np.stack(people) if people else np.zeros((0, len(times), V, 3), np.float32)
    return Recording.from_arrays(stacked, times, image_size)
