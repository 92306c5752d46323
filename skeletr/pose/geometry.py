"""Square regions of a picture that hold one body, and the maps between picture and network."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

# MediaPipe widens the circle around a body by this much before it looks at it again.
REGION_MARGIN = 1.25


@dataclass(frozen=True)
class Tile:
    """An upright square of the picture to search for people; it may reach over the edge.

    x, y: top left corner in pixels. size: side in pixels.
    """

    x: float
    y: float
    size: float


@dataclass(frozen=True)
class Region:
    """A turned square around one body: hips in the middle, head towards its upper edge.

    x, y: centre in pixels. size: side in pixels. angle: clockwise turn of the body in radians,
    0 = upright. score: how sure the finder is, in [0, 1].
    """

    x: float
    y: float
    size: float
    angle: float = 0.0
    score: float = 1.0


def region_around(centre: np.ndarray, rim: np.ndarray, score: float = 1.0) -> Region:
    """The region of a body given by the middle of its hips and a point on its circle.

    Args:
        centre, rim: (2,) x and y in pixels; `rim` lies above the head of the body.
    """
    dx, dy = float(rim[0] - centre[0]), float(rim[1] - centre[1])
    size = 2.0 * REGION_MARGIN * math.hypot(dx, dy)
    angle = math.atan2(dx, -dy)
    return Region(float(centre[0]), float(centre[1]), size, angle, score)


def region_to_image(region: Region, side: int) -> np.ndarray:
    """The affine map (2, 3) from a `side` x `side` network input to pixels of the picture."""
    scale = region.size / side
    cos, sin = math.cos(region.angle) * scale, math.sin(region.angle) * scale
    half = side / 2
    return np.array(
        [
            [cos, -sin, region.x - cos * half + sin * half],
            [sin, cos, region.y - sin * half - cos * half],
        ],
        dtype=np.float64,
    )


def cut(image: np.ndarray, to_image: np.ndarray, side: int, border: int) -> np.ndarray:
    """The part of `image` that `to_image` covers, (side, side, 3) uint8.

    Args:
        to_image: affine map (2, 3) from the cut to the picture.
        border: OpenCV border mode for what lies outside the picture.
    """
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, to_image, (side, side), flags=flags, borderMode=border)


def transform(to_image: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (n, 2) of a cut in pixels of the picture, (n, 2)."""
    return points @ to_image[:, :2].T + to_image[:, 2]


def tile_region(tile: Tile) -> Region:
    """The same square as a region without a turn."""
    half = tile.size / 2
    return Region(tile.x + half, tile.y + half, tile.size)
