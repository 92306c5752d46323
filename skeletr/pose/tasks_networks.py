"""BlazePose's networks in MediaPipe's `PoseLandmarker`, which wants to do more than it is asked.

It finds and follows one person in whatever picture it gets. So it never gets the whole picture:
a square to search goes to a landmarker for single images, and every followed person has a
landmarker of their own that sees a crop around the last pose. Its memory of where the person was
then holds for the next crop.
"""

from __future__ import annotations

import contextlib
import math
import weakref
from pathlib import Path

import cv2
import numpy as np

from skeletr.pose.base import PoseError
from skeletr.pose.geometry import Region, Tile, cut, region_to_image, tile_region, transform
from skeletr.pose.networks import (
    LEFT_HIP,
    LEFT_SHOULDER,
    RIGHT_HIP,
    RIGHT_SHOULDER,
    Body,
)

TILE_SIDE = 448  # pixels; twice the detector's input, for the landmarks that follow at once
CROP_SIDE = 384
CROP_MARGIN = 1.2  # the landmarker turns and shifts its own square inside the crop
POSES_PER_TILE = 3
STEP_MS = 33  # the landmarker's smoothing wants time to pass; crops have no time of their own
FINGERS_TO_RIM = 1.02  # the circle MediaPipe means, relative to the farthest landmark


class TasksNetworks:
    """Runs a `.task` bundle with MediaPipe Tasks, which brings threads of its own."""

    parallel = 1

    def __init__(self, bundle: Path, min_detection: float) -> None:
        """Raises `PoseError` where MediaPipe cannot be imported or does not take the bundle."""
        self._bundle = bundle
        self._min_detection = min_detection
        self._clock = 0
        self._video: dict[int, object] = {}
        # Left to itself, a landmarker that is collected at interpreter shutdown fails loudly.
        self._open: list[object] = []
        self._finalizer = weakref.finalize(self, _close_all, self._open)
        self._image = self._landmarker("IMAGE", POSES_PER_TILE)

    def detect(self, image: np.ndarray, tile: Tile) -> list[Region]:
        """See `PoseNetworks.detect`."""
        to_image = region_to_image(tile_region(tile), TILE_SIDE)
        crop = cut(image, to_image, TILE_SIDE, cv2.BORDER_CONSTANT)
        result = self._image.detect(_mediapipe_image(crop))
        found = (_body(p, to_image, TILE_SIDE, tile_region(tile)) for p in result.pose_landmarks)
        return [body.region for body in found]

    def landmarks(self, image: np.ndarray, region: Region, slot: int) -> Body | None:
        """See `PoseNetworks.landmarks`."""
        if slot not in self._video:
            self._video[slot] = self._landmarker("VIDEO", 1)
        self._clock += STEP_MS
        to_image = region_to_image(_visible_part(region, image), CROP_SIDE)
        crop = cut(image, to_image, CROP_SIDE, cv2.BORDER_CONSTANT)
        result = self._video[slot].detect_for_video(_mediapipe_image(crop), self._clock)
        if not result.pose_landmarks:
            return None
        return _body(result.pose_landmarks[0], to_image, CROP_SIDE, region)

    def reset(self) -> None:
        """See `PoseNetworks.reset`. A landmarker cannot forget, so new ones are made."""
        for landmarker in self._video.values():
            self._open.remove(landmarker)
            landmarker.close()
        self._video = {}

    def close(self) -> None:
        """See `PoseNetworks.close`."""
        self._finalizer()
        self._image, self._video = None, {}

    def _landmarker(self, mode: str, poses: int) -> object:
        try:
            from mediapipe.tasks.python import BaseOptions, vision
        except (ImportError, OSError) as error:
            raise PoseError(
                f"MediaPipe cannot be loaded ({error}); install it with `pip install mediapipe`, "
                "and on Debian or Ubuntu `apt install libegl1 libgles2 libgl1`"
            ) from error
        options = vision.PoseLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(self._bundle)),
            running_mode=vision.RunningMode[mode],
            num_poses=poses,
            min_pose_detection_confidence=self._min_detection,
        )
        try:
            landmarker = vision.PoseLandmarker.create_from_options(options)
        except (RuntimeError, ValueError) as error:
            raise PoseError(f"MediaPipe does not take the model {self._bundle}: {error}") from error
        self._open.append(landmarker)
        return landmarker


def _close_all(landmarkers: list) -> None:
    while landmarkers:
        # At interpreter shutdown the thread behind it may be gone: nothing left to free.
        with contextlib.suppress(RuntimeError):
            landmarkers.pop().close()


def _visible_part(region: Region, image: np.ndarray) -> Region:
    """The upright square around what the picture holds of a region.

    Of a person whose legs are out of the picture, a crop of the whole region would be mostly
    black, and the landmarker would take the head for a small person.
    """
    height, width = image.shape[:2]
    reach = 0.5 * CROP_MARGIN * region.size
    left, right = max(region.x - reach, 0.0), min(region.x + reach, float(width))
    top, bottom = max(region.y - reach, 0.0), min(region.y + reach, float(height))
    size = max(right - left, bottom - top, 1.0)
    return Region((left + right) / 2, (top + bottom) / 2, size)


def _mediapipe_image(crop: np.ndarray) -> object:
    from mediapipe import Image, ImageFormat

    return Image(image_format=ImageFormat.SRGB, data=crop)


def _body(pose: list, to_image: np.ndarray, side: int, looked_at: Region) -> Body:
    rows = np.array([(p.x * side, p.y * side, p.visibility, p.presence) for p in pose])
    points = transform(to_image, rows[:, :2])
    presence = float(rows[:, 3].max())
    landmarks = np.concatenate([points, rows[:, 2:3]], axis=1).astype(np.float32)
    return Body(landmarks, region_of(landmarks, presence), presence, looked_at)


def region_of(landmarks: np.ndarray, score: float) -> Region:
    """The region of a body from its landmarks (33, 3); Tasks hides the points that say it."""
    xy = landmarks[:, :2]
    hips = (xy[LEFT_HIP] + xy[RIGHT_HIP]) / 2
    up = (xy[LEFT_SHOULDER] + xy[RIGHT_SHOULDER]) / 2 - hips
    radius = FINGERS_TO_RIM * float(np.linalg.norm(xy - hips, axis=1).max())
    angle = math.atan2(float(up[0]), float(-up[1]))
    return Region(float(hips[0]), float(hips[1]), 2.5 * radius, angle, score)
