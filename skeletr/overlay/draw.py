"""A frame with everything that is known about it drawn on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from skeletr.actions import REASONS, Attention, Prediction, Status
from skeletr.overlay.labels import Part, Rect, chip, paste, place
from skeletr.overlay.palette import DARK, person_color
from skeletr.overlay.privacy import blur_faces, blur_people
from skeletr.overlay.shapes import chest_of, draw_arc, draw_box, draw_skeleton, unit
from skeletr.recording import UNTRACKED, Person

Picture = Literal["as it is", "faces blurred", "people blurred", "skeletons only"]
PICTURES: tuple[Picture, ...] = get_args(Picture)
_BLURS = {"faces blurred": blur_faces, "people blurred": blur_people}
_QUIET = (70, 74, 82)
_PLAIN = (232, 235, 240)
ARCS_EACH = 2  # at most, from one person


@dataclass(frozen=True)
class OverlayStyle:
    """What is drawn.

    picture: "as it is", "faces blurred", "people blurred", or "skeletons only" on a plain
    background. Who is not among the people given to be drawn or hidden is not blurred.
    joint_score: joints with a score at or below it are left out. arc_weight: attention between
    two people below this share is not drawn.
    """

    boxes: bool = True
    skeletons: bool = True
    labels: bool = True
    caption: bool = True
    arcs: bool = False
    picture: Picture = "as it is"
    joint_score: float = 0.3
    arc_weight: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.joint_score < 1:
            raise ValueError(f"joint_score is {self.joint_score}, expected 0 <= score < 1")
        if self.picture not in PICTURES:
            raise ValueError(f"picture is {self.picture!r}, expected one of {PICTURES}")


def draw_actions(
    image: np.ndarray,
    people: Sequence[Person],
    predictions: Mapping[int, Prediction] | None = None,
    scene: Prediction | None = None,
    attention: Attention | None = None,
    style: OverlayStyle | None = None,
    hidden: Sequence[Person] | None = None,
) -> np.ndarray:
    """Draw people, labels and the scene's caption on a copy of a frame.

    Args:
        image: (H, W, 3) uint8 RGB; not changed.
        people: in pixels of `image`.
        predictions: person id -> what the person does; who is missing gets a number only.
        scene: what happens as a whole; its reason is shown quietly where there is no label.
        attention: drawn as arcs between people if `style.arcs`.
        hidden: who is blurred, where the style says so, if not exactly the people; see `Veil`.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    style = style or OverlayStyle()
    out = _background(image, people if hidden is None else hidden, style.picture)
    for person in people:
        if style.boxes:
            draw_box(out, person.box, person_color(person.id))
        if style.skeletons:
            draw_skeleton(out, person.keypoints, person_color(person.id), style.joint_score)
    if style.arcs and attention is not None:
        _draw_arcs(out, people, attention, style.arc_weight)
    taken: list[Rect] = []
    if style.caption and scene is not None:
        taken += _draw_caption(out, scene)
    if style.labels:
        _draw_labels(out, people, predictions or {}, taken)
    return out


def _background(image: np.ndarray, people: Sequence[Person], picture: Picture) -> np.ndarray:
    """What the people are drawn on, a new array (H, W, 3)."""
    if picture == "skeletons only":
        return np.full(image.shape, _PLAIN, np.uint8)
    if picture in _BLURS:
        image = _BLURS[picture](image, people)
    return np.ascontiguousarray(image).copy()


def _draw_labels(
    image: np.ndarray,
    people: Sequence[Person],
    predictions: Mapping[int, Prediction],
    taken: list[Rect],
) -> None:
    height, width = image.shape[:2]
    for person in sorted(people, key=lambda p: float(p.box[0])):
        if not np.isfinite(person.box).all():
            continue
        patch = chip(_label(person.id, predictions.get(person.id)), _text_size(image), width)
        rect = place(patch.shape[1::-1], person.box, (width, height), taken)
        paste(image, patch, rect[0], rect[1], opacity=0.94)
        taken.append(rect)


def _label(id: int, prediction: Prediction | None) -> tuple[Part, ...]:
    color = person_color(id)
    number = Part("?" if id == UNTRACKED else str(id), color, strong=True)
    if prediction is None:
        return (number,)
    if prediction.status is Status.OK:
        return (number, Part(f"{prediction.label} {prediction.score:.0%}", DARK))
    return (number, Part(prediction.text, _QUIET))


def _draw_caption(image: np.ndarray, scene: Prediction) -> list[Rect]:
    height, width = image.shape[:2]
    if scene.status is Status.OK:
        parts = (Part("Scene", _QUIET), Part(f"{scene.label} {scene.score:.0%}", DARK, True))
    else:
        parts = (Part(REASONS[scene.status], _QUIET),)
    margin = round(6 * unit(image))
    patch = chip(parts, _text_size(image), max(width - 2 * margin, 1))
    top = height - patch.shape[0] - margin
    paste(image, patch, margin, top, opacity=0.88)
    return [(margin, top, margin + patch.shape[1], top + patch.shape[0])]


def _draw_arcs(
    image: np.ndarray, people: Sequence[Person], attention: Attention, least: float
) -> None:
    ids, weights = attention.between_people()
    chests = {p.id: chest_of(p) for p in people}
    for row, looks in enumerate(ids):
        for column in most_looked_at(weights[row], row):
            seen, weight = ids[column], float(weights[row, column])
            if looks in chests and seen in chests and weight >= least:
                draw_arc(image, chests[looks], chests[seen], person_color(looks), weight)


def most_looked_at(weights: np.ndarray, looks: int) -> list[int]:
    """Whom the person number `looks`, of (n,) attention to everybody, looks at most, beside
    themselves: in a crowd, arcs to all others would hide the picture."""
    others = [int(i) for i in np.argsort(-weights, kind="stable") if i != looks]
    return others[:ARCS_EACH]


def _text_size(image: np.ndarray) -> int:
    return max(10, round(12 * unit(image)))
