"""Faces, or whole people, made unrecognisable by what is known of their joints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from skeletr.recording import Person
from skeletr.skeleton import box_iou

_HEAD = slice(0, 5)
_SHOULDERS = [5, 6]
_FACE_KERNEL, _BODY_KERNEL = 0.5, 0.15
_AROUND = 0.12  # of the size of a box, added on each side
_FEET = 0.2  # the same below: the lowest joints are ankles
_LEAST = 0.14  # half the side of a head in sizes of the person, where nothing tells it better

_HELD = 0.3  # seconds for which somebody stays blurred where they were seen last
_SAME = 0.3  # overlap of two boxes from which on they are of one person
_COVERED = 0.95  # share of a head from which on blurring another one hides it


class Veil:
    """Who is to be blurred in a stream: who is found, and for a moment who was found before.

    A newcomer, who has no number yet, is hidden at once, and a frame in which somebody is missed,
    or only the head, shows nothing of them.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everybody."""
        self._held: list[tuple[Person, float]] = []  # with the seconds of when they were seen
        self._time: float | None = None

    def cover(self, found: Sequence[Person], time: float) -> tuple[Person, ...]:
        """Everybody to blur in this frame.

        Args:
            found: all people in it, with numbers or without.
            time: seconds, increasing between resets.
        """
        previous, self._time = self._time, time
        found = [p for p in found if np.isfinite(p.box).all()]
        recent = [h for h in self._held if time - h[1] <= _HELD or h[1] == previous]
        again = _again([p for p, _ in recent], found)
        missed = [h for h, now in zip(recent, again, strict=True) if _lost(h[0], now)]
        self._held = [*((p, time) for p in found), *missed]
        return tuple(person for person, _ in self._held)


def left_bare(found: Sequence[Person], hidden: Sequence[Person]) -> tuple[Person, ...]:
    """Those of `found` of whom something would be seen if only `hidden` were blurred."""
    return tuple(p for p in found if not any(_hides(h, p) for h in hidden))


def _hides(hidden: Person, person: Person) -> bool:
    """Whether what is blurred of one covers the joints and the head of the other."""
    blurred, face, head = body_box(hidden), face_box(hidden), face_box(person)
    joints = person.keypoints[person.keypoints[:, 2] > 0, :2]
    if not ((joints >= blurred[:2]) & (joints <= blurred[2:])).all():
        return False
    return head is None or (face is not None and _covered(head, face) >= _COVERED)


def _covered(box: np.ndarray, by: np.ndarray) -> float:
    """Share of the area of one box (4,) that lies in another."""
    sides = np.minimum(box[2:], by[2:]) - np.maximum(box[:2], by[:2])
    return float(np.maximum(sides, 0).prod() / (box[2:] - box[:2]).prod())


def _again(before: Sequence[Person], found: Sequence[Person]) -> list[Person | None]:
    """Who each of the people before is now; None where they are missed."""
    now: list[Person | None] = [None] * len(before)
    if not before or not found:
        return now
    overlaps = box_iou(np.array([p.box for p in before]), np.array([p.box for p in found]))
    for row, column in zip(*linear_sum_assignment(-overlaps), strict=True):
        if overlaps[row, column] >= _SAME:
            now[row] = found[column]
    return now


def _lost(before: Person, now: Person | None) -> bool:
    """Whether nothing that is seen now hides what was seen before."""
    return now is None or (face_box(now) is None and face_box(before) is not None)


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
    box[3] = person.box[3] + (person.box[3] - person.box[1]) * _FEET
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
