"""Skeletons, boxes and attention arcs; every function draws into the image it is given."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from skeletr.overlay.palette import DARK, Color
from skeletr.recording import Person
from skeletr.skeleton import COCO_LIMBS

_SHIFT = 4  # OpenCV's fractional bits: joints are placed to 1/16 of a pixel
_FACE = range(5)
_CHEST = 0.27  # where an arc ends, in parts of a person's height
_BOW = 0.36  # how far it bends, in parts of its length


def unit(image: np.ndarray) -> float:
    """Line width that suits the size of an image: 1 at 360 pixels on the shorter side."""
    return max(min(image.shape[:2]) / 360, 0.6)


def _scale(image: np.ndarray, extent: float) -> float:
    """`unit`, but finer on people who are small in the picture; `extent` in pixels."""
    return min(unit(image), max(extent / 160, 0.4))


def draw_skeleton(image: np.ndarray, keypoints: np.ndarray, color: Color, min_score: float) -> None:
    """Limbs and joints whose score is above `min_score`; keypoints (17, 3)."""
    seen = np.isfinite(keypoints).all(axis=1) & (keypoints[:, 2] > min_score)
    if not seen.any():
        return
    points = _fixed(keypoints[:, :2])
    scale = _scale(image, float(np.ptp(keypoints[seen, :2], axis=0).max()))
    width = max(1, round(2.2 * scale))
    edge = 2 if width > 1 else 1
    limbs = [(a, b) for a, b in COCO_LIMBS if seen[a] and seen[b]]
    for thickness, paint in ((width + edge, DARK), (width, color)):
        for a, b in limbs:
            cv2.line(image, points[a], points[b], paint, thickness, cv2.LINE_AA, _SHIFT)
    for joint in np.flatnonzero(seen):
        radius = (1.5 if joint in _FACE else 2.3) * scale
        _disc(image, points[joint], radius + edge / 2, DARK)
        _disc(image, points[joint], radius, (255, 255, 255))


def draw_box(image: np.ndarray, box: np.ndarray, color: Color) -> None:
    """Four rounded corners of a box (x1, y1, x2, y2)."""
    if not np.isfinite(box).all():
        return
    x1, y1, x2, y2 = (float(v) for v in box)
    reach = max(3.0, 0.18 * min(x2 - x1, y2 - y1))
    bend = reach * 0.45
    width = max(1, round(1.8 * _scale(image, max(x2 - x1, y2 - y1))))
    edge = 2 if width > 1 else 1
    corners = ((x1, y1, 1, 1), (x2, y1, -1, 1), (x2, y2, -1, -1), (x1, y2, 1, -1))
    lines = [_fixed_line(_corner(x, y, sx, sy, reach, bend)) for x, y, sx, sy in corners]
    cv2.polylines(image, lines, False, DARK, width + edge, cv2.LINE_AA, _SHIFT)
    cv2.polylines(image, lines, False, color, width, cv2.LINE_AA, _SHIFT)


def draw_frame(image: np.ndarray, box: np.ndarray, color: Color, dashed: bool = False) -> None:
    """All of a box (x1, y1, x2, y2), thick, with a dark rim."""
    x1, y1, x2, y2 = (float(v) for v in box)
    corners = np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1)])
    width = max(2, round(3 * unit(image)))
    sides = [_dashes(a, b, 6 * width) if dashed else [(a, b)] for a, b in pairwise(corners)]
    lines = [_fixed_line(np.stack(line)) for side in sides for line in side]
    for thickness, paint in ((width + 2, DARK), (width, color)):
        cv2.polylines(image, lines, False, paint, thickness, cv2.LINE_AA, _SHIFT)


def _dashes(a: np.ndarray, b: np.ndarray, length: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """A line in dashes of about `length` pixels, with gaps as long."""
    count = max(1, round(float(np.hypot(*(b - a))) / (2 * length)))
    cuts = np.linspace(0, 1, 2 * count)
    return [(a + s * (b - a), a + e * (b - a)) for s, e in cuts.reshape(-1, 2)]


def chest_of(person: Person) -> np.ndarray:
    """Where an arc to or from a person ends, (2,): in the box, below the label above it."""
    x1, y1, x2, y2 = person.box
    return np.array([(x1 + x2) / 2, y1 + _CHEST * (y2 - y1)])


def draw_arc(
    image: np.ndarray, start: np.ndarray, end: np.ndarray, color: Color, weight: float
) -> None:
    """A curve from one point to another, thicker the higher `weight` in [0, 1] is.

    It bends to its own left, so that there and back run apart.
    """
    x, y = end - start
    middle = (start + end) / 2 + _BOW * np.array([y, -x])
    t = np.linspace(0, 1, 24)[:, None]
    curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
    line = [_fixed_line(curve)]
    width = max(1, round((0.8 + 5 * weight) * unit(image)))
    cv2.polylines(image, line, False, DARK, width + 2, cv2.LINE_AA, _SHIFT)
    cv2.polylines(image, line, False, color, width, cv2.LINE_AA, _SHIFT)
    _disc(image, tuple(line[0][-1]), width + 2 * unit(image), color)


def _corner(x: float, y: float, sx: int, sy: int, reach: float, bend: float) -> np.ndarray:
    angle = np.linspace(0, np.pi / 2, 6)
    bow = np.stack([x + sx * bend * (1 - np.sin(angle)), y + sy * bend * (1 - np.cos(angle))], 1)
    return np.concatenate([[(x + sx * reach, y)], bow, [(x, y + sy * reach)]])


def _disc(image: np.ndarray, point: tuple[int, int], radius: float, color: Color) -> None:
    size = max(1, round(radius * (1 << _SHIFT)))
    cv2.circle(image, (int(point[0]), int(point[1])), size, color, -1, cv2.LINE_AA, _SHIFT)


def _fixed_line(points: np.ndarray) -> np.ndarray:
    return np.array(_fixed(points), dtype=np.int32)


def _fixed(points: np.ndarray) -> list[tuple[int, int]]:
    # Far outside the frame is as good as anywhere outside, and must not overflow.
    finite = np.nan_to_num(points, nan=0.0, posinf=1e5, neginf=-1e5).clip(-1e5, 1e5)
    return [(int(x), int(y)) for x, y in np.round(finite * (1 << _SHIFT))]
