"""Bodies: which are believable, which are the same, and how they look as people."""

from __future__ import annotations

import math

import numpy as np

from skeletr.pose.geometry import Region
from skeletr.pose.networks import (
    COCO_LANDMARKS,
    LEFT_HIP,
    LEFT_SHOULDER,
    RIGHT_HIP,
    RIGHT_SHOULDER,
    Body,
)
from skeletr.recording import Person
from skeletr.skeleton import BODY_JOINTS, COCO_FLIP, TORSO, to_coco17

SEEN = 0.5  # visibility from which a joint counts as seen
MIN_SEEN = 6  # of the 17 joints; head and shoulders before a webcam are 7
_COCO = list(COCO_LANDMARKS.values())
_FLIPPED = [_COCO[i] for i in COCO_FLIP]
_BODY = [_COCO[i] for i in BODY_JOINTS]
_BODY_FLIPPED = [_FLIPPED[i] for i in BODY_JOINTS]
_HEAD = _COCO[:5]
_TORSO = [_COCO[i] for i in TORSO]
_TOP = [0, LEFT_SHOULDER, RIGHT_SHOULDER]

# Distances are in parts of the size of a region, which is about 1.3 times as tall as a body. Two
# looks at one body differ by 0.01 to 0.03 in the mean over its joints, two people in a close
# embrace by 0.1. Of newcomers, whose region is not settled yet, the head tells (0.06 is 13 cm).
SAME_JOINTS, SAME_TORSO, SAME_HEAD = 0.06, 0.045, 0.06
SMALL_BODY = 0.35  # of the size of another: too small even for a child in their arms
# What newcomers must look like; in 2800 looks at true bodies, 98 of 100 do. Those who are
# followed may bend, fall and turn their shortened side to the camera.
NEW_ANGLE, NEW_TORSO, NEW_WIDTH = 1.0, 0.13, 1.1
MAX_TURN = 1.3  # radians between two frames


def is_plausible(body: Body, width: int, height: int, min_size: float) -> bool:
    """Whether this can be a person: seen well enough, in the picture, of human proportions.

    Args:
        width, height: of the picture in pixels.
        min_size: least side of the region in pixels.
    """
    if not np.isfinite(body.landmarks).all() or body.region.size < min_size:
        return False
    return _is_seen(body, width, height) and _is_human(body, 0.06, 1.6)


def is_upright(body: Body) -> bool:
    """Whether this looks like a person at first sight: on their feet or seated, not crumpled."""
    return abs(body.region.angle) <= NEW_ANGLE and _is_human(body, NEW_TORSO, NEW_WIDTH)


def is_turned(a: Region, b: Region) -> bool:
    """Whether a body turned over faster than people do: it was taken for something else."""
    turn = (a.angle - b.angle + math.pi) % (2 * math.pi) - math.pi
    return abs(turn) > MAX_TURN


def distance(a: Body, b: Body) -> float:
    """How far two bodies are apart: mean over their joints, in parts of the size of the regions."""
    return _gap(a, b, _BODY, _BODY)


def is_same(a: Body, b: Body) -> bool:
    """Whether two bodies that are followed have become one person.

    From behind, left and right are easily taken for one another. Heads do not count: in an
    embrace the network may give both people the head of one.
    """
    same_joints = min(distance(a, b), _gap(a, b, _BODY, _BODY_FLIPPED)) < SAME_JOINTS
    return same_joints or _gap(a, b, _TORSO, _TORSO) < SAME_TORSO


def is_double(newcomer: Body, known: Body) -> bool:
    """Whether a newcomer is but another look at someone known, or a pattern on their clothes."""
    doubled = is_same(newcomer, known) or _head_gap(newcomer, known) < SAME_HEAD
    return doubled or _is_within_torso(newcomer, known)


def is_near(a: Region, b: Region, gap: float) -> bool:
    """Whether two regions share their centre (within `gap` of their size) and scale."""
    size = min(a.size, b.size)
    close = math.hypot(a.x - b.x, a.y - b.y) < gap * size
    return close and max(a.size, b.size) < 1.6 * size


def to_person(body: Body, scale: float, width: int, height: int) -> Person:
    """COCO-17 in pixels of the given image; joints outside of it are not seen.

    Args:
        scale: pixels of the given image per pixel that was looked at.
        width, height: of the given image.
    """
    xy = body.landmarks[:, :2] * scale
    inside = (xy >= 0).all(axis=1) & (xy[:, 0] < width) & (xy[:, 1] < height)
    scores = np.where(inside, body.landmarks[:, 2], 0.0)
    keypoints = to_coco17(xy, COCO_LANDMARKS, scores)
    return Person.from_keypoints(keypoints)


def _is_seen(body: Body, width: int, height: int) -> bool:
    x, y, visibility = body.landmarks[_COCO].T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    seen = inside & (visibility >= SEEN)
    return bool(seen.sum() >= MIN_SEEN and body.landmarks[_TOP, 2].mean() >= SEEN)


def _is_human(body: Body, min_torso: float, max_width: float) -> bool:
    """Proportions: `min_torso` relative to the region, `max_width` relative to the torso."""
    xy = body.landmarks[:, :2]
    shoulders = (xy[LEFT_SHOULDER] + xy[RIGHT_SHOULDER]) / 2
    hips = (xy[LEFT_HIP] + xy[RIGHT_HIP]) / 2
    torso = math.dist(shoulders, hips)
    if not min_torso * body.region.size <= torso <= 0.6 * body.region.size:
        return False
    across = max(
        math.dist(xy[LEFT_SHOULDER], xy[RIGHT_SHOULDER]),
        math.dist(xy[LEFT_HIP], xy[RIGHT_HIP]),
    )
    reach = np.linalg.norm(xy[_BODY] - [body.looked_at.x, body.looked_at.y], axis=1)
    seen = body.landmarks[_BODY, 2] >= SEEN
    return bool(
        across <= max_width * torso
        and math.dist(xy[0], shoulders) <= 1.5 * torso
        and (reach[seen] <= 0.85 * body.looked_at.size).all()
    )


def _gap(a: Body, b: Body, joints: list[int], others: list[int]) -> float:
    p, q = a.landmarks[joints], b.landmarks[others]
    weights = np.minimum(p[:, 2], q[:, 2]) + 1e-3
    gaps = np.linalg.norm(p[:, :2] - q[:, :2], axis=1)
    return float((gaps * weights).sum() / weights.sum() / _mean_size(a, b))


def _head_gap(a: Body, b: Body) -> float:
    heads = a.landmarks[_HEAD, :2].mean(axis=0), b.landmarks[_HEAD, :2].mean(axis=0)
    return math.dist(*heads) / _mean_size(a, b)


def _is_within_torso(small: Body, large: Body) -> bool:
    if small.region.size > SMALL_BODY * large.region.size:
        return False
    corners = large.landmarks[_TORSO, :2]
    middle = small.landmarks[_TORSO, :2].mean(axis=0)
    return bool((corners.min(axis=0) <= middle).all() and (middle <= corners.max(axis=0)).all())


def _mean_size(a: Body, b: Body) -> float:
    return max(0.5 * (a.region.size + b.region.size), 1e-6)
