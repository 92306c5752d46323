"""What the multi-person search needs from a pose model, whoever runs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from skeletr.pose.geometry import Region, Tile

LANDMARKS = 33
LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP = 11, 12, 23, 24

# BlazePose landmark of each COCO joint.
COCO_LANDMARKS: dict[str, int] = {
    "nose": 0,
    "left_eye": 2,
    "right_eye": 5,
    "left_ear": 7,
    "right_ear": 8,
    "left_shoulder": LEFT_SHOULDER,
    "right_shoulder": RIGHT_SHOULDER,
    "left_elbow": 13,
    "right_elbow": 14,
    "left_wrist": 15,
    "right_wrist": 16,
    "left_hip": LEFT_HIP,
    "right_hip": RIGHT_HIP,
    "left_knee": 25,
    "right_knee": 26,
    "left_ankle": 27,
    "right_ankle": 28,
}


@dataclass(frozen=True)
class Body:
    """One body as the landmark network sees it.

    landmarks: (33, 3) float32, x and y in pixels and visibility in [0, 1].
    region: where to look for this body in the next frame.
    presence: how sure the network is that there is a body, in [0, 1].
    looked_at: the region that was looked at.
    """

    landmarks: np.ndarray
    region: Region
    presence: float
    looked_at: Region


class PoseNetworks(Protocol):
    """BlazePose's two networks: a coarse finder and the landmarks of one body.

    parallel: how many calls may run at the same time, in threads of their own; not two with the
        same slot.
    """

    parallel: int

    def detect(self, image: np.ndarray, tile: Tile) -> list[Region]:
        """Where bodies may be inside `tile` of the (H, W, 3) uint8 RGB image, best first."""

    def landmarks(self, image: np.ndarray, region: Region, slot: int) -> Body | None:
        """The body in `region`, or None.

        Args:
            slot: number of the followed person, from 0; calls with one slot belong to one
                person, frame by frame, so that a runner may keep what it knows of them.
        """

    def reset(self) -> None:
        """Forget what is kept per slot: another stream begins."""

    def close(self) -> None:
        """Free the networks. May be called twice."""
