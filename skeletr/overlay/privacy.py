"""Faces, or whole people, made unrecognisable by what is known of their joints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skeletr.recording import Person

_HEAD = slice(0, 5)
_SHOULDERS = [5, 6]
_FACE_KERNEL, _BODY_KERNEL = 0.5, 0.15
_AROUND = 0.12  # of the size of a box, added on each side
_LEAST = 0.14  # half the side of a head in sizes of the person, where nothing tells it better


def blur_faces(image: np.ndarray, people: Sequence[Person]) -> np.ndarray:
    """Blur the head of everyone whose head is seen.

    Args:
        image: (H, W, 3) uint8 RGB; not changed.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    return _blur(image, [face_box(p) for p in people], _FACE_KERNEL)


def blur_people(image: np.ndarray, people: Sequence[Person]) -> np.ndarray:
    """Blur everyone from head to foot; arguments as of `blur_faces`."""
    return _blur(image, [body_box(p) for p in people], _BODY_KERNEL)


def _blur(image: np.ndarray, boxes: Sequence[np.ndarray | None], share: float) -> np.ndarray:
    """Average over squares that are `share` of the longest side of the boxes."""
    import supervision as sv  # takes a second to import, and is only needed here

    height, width = image.shape[:2]
    found = np.array([b for b in boxes if b is not None], np.float32).reshape(-1, 4)
    found = found[np.isfinite(found).all(axis=1)]
    found = np.clip(found, 0, [width, height, width, height])
    found = found[(found[:, 2:] - found[:, :2] >= 2).all(axis=1)]
    if not len(found):
        return image
    size = float((found[:, 2:] - found[:, :2]).max())
    annotator = sv.BlurAnnotator(kernel_size=max(3, round(size * share)))
    return annotator.annotate(image.copy(), sv.Detections(xyxy=found))


def body_box(person: Person) -> np.ndarray:
    """(4,) around somebody in pixels: joints lie inside of a body, hair and clothes outside."""
    half = (person.box[2:] - person.box[:2]) * _AROUND
    box = np.array([*(person.box[:2] - half), *(person.box[2:] + half)], np.float32)
    face = face_box(person)
    if face is None:
        return box
    return np.concatenate([np.minimum(box[:2], face[:2]), np.maximum(box[2:], face[2:])])


def face_box(person: Person) -> np.ndarray | None:
    """A square (4,) around the head in pixels; None where no joint of the head is seen."""
    points = person.keypoints[_HEAD]
    seen = points[:, 2] > 0
    if not seen.any():
        return None
    centre = points[seen, :2].mean(axis=0)
    spread = np.abs(points[seen, :2] - centre).max() * 2.2
    shoulders = person.keypoints[_SHOULDERS]
    across = np.linalg.norm(shoulders[0, :2] - shoulders[1, :2])
    broad = 0.55 * across if (shoulders[:, 2] > 0).all() else 0.0
    tall = _LEAST * float((person.box[2:] - person.box[:2]).min())
    half = max(spread, broad, tall, 4.0)
    return np.array([*(centre - half), *(centre + half)], np.float32)
