"""Two people set off from the others: who looks, and who is looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skeletr.overlay.labels import Part, chip, paste
from skeletr.overlay.palette import LIGHT, person_color
from skeletr.overlay.shapes import chest_of, draw_arc, draw_frame, unit
from skeletr.recording import Person

_THICKER = 0.35  # added to the weight of an arc, which is to be seen among all else
_RIM = 0.4  # and that much more for its rim


def draw_pair(
    image: np.ndarray, people: Sequence[Person], looks: int, seen: int, weight: float
) -> None:
    """Frame two people, say which of them looks, and join them by an arc; draws into `image`.

    Args:
        image: (H, W, 3) uint8 RGB.
        people: in pixels of `image`; who is not among them is not drawn.
        looks, seen: ids; the same one for a person who looks at another moment of itself.
        weight: share of the attention of the one that goes to the other, 0 to 1.
    """
    there = {p.id: p for p in people if np.isfinite(p.box).all()}
    if looks != seen and looks in there and seen in there:
        ends = chest_of(there[looks]), chest_of(there[seen])
        thick = min(weight + _THICKER, 1.0)
        draw_arc(image, *ends, LIGHT, thick + _RIM)
        draw_arc(image, *ends, person_color(looks), thick)
    alone = looks == seen
    said = {looks: "looks", seen: "looks at itself" if alone else "is looked at"}
    for id, text in said.items():
        if id in there:
            dashed = id == looks and not alone
            draw_frame(image, there[id].box, person_color(id), dashed)
            _name(image, there[id], text)


def _name(image: np.ndarray, person: Person, text: str) -> None:
    """A chip at the lower edge of a person's frame, within the picture."""
    height, width = image.shape[:2]
    size = max(11, round(13 * unit(image)))
    patch = chip((Part(text, person_color(person.id), strong=True),), size, width)
    x = int(np.clip(person.box[0], 0, max(width - patch.shape[1], 0)))
    y = int(np.clip(person.box[3] - patch.shape[0], 0, max(height - patch.shape[0], 0)))
    paste(image, patch, x, y)
