"""Small pictures of recordings, as SVG in a style sheet: they need no file and no request."""

from __future__ import annotations

from urllib.parse import quote

import numpy as np

from skeletr.overlay import person_hex
from skeletr.recording import Person, Recording
from skeletr.skeleton import COCO_LIMBS

_ASPECT = 1.7  # width by height
_ROOM = 1.12  # of the people's own extent


def thumbnail(recording: Recording) -> str:
    """SVG of the people in the middle of a recording."""
    frames = list(recording.frames())
    people = frames[len(frames) // 2].people
    points = np.concatenate([p.keypoints[p.keypoints[:, 2] > 0, :2] for p in people])
    low, high = points.min(axis=0), points.max(axis=0)
    height = float(max(high[1] - low[1], (high[0] - low[0]) / _ASPECT)) * _ROOM
    left, top = (low + high) / 2 - np.array([height * _ASPECT, height]) / 2
    limbs = "".join(_limbs(p, height / 26) for p in people)
    view = f"{left:.0f} {top:.0f} {height * _ASPECT:.0f} {height:.0f}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}">{limbs}</svg>'


def style_sheet(pictures: dict[str, str]) -> str:
    """Rules that show a picture, by the id of the element that it goes on top of."""
    return "\n".join(
        f'#{element}::before {{ background-image: url("data:image/svg+xml,{quote(svg)}"); }}'
        for element, svg in pictures.items()
    )


def _limbs(person: Person, width: float) -> str:
    joints = person.keypoints
    lines = [(a, b) for a, b in COCO_LIMBS if joints[a, 2] > 0 and joints[b, 2] > 0]
    path = "".join(
        f"M{joints[a, 0]:.0f} {joints[a, 1]:.0f}L{joints[b, 0]:.0f} {joints[b, 1]:.0f}"
        for a, b in lines
    )
    color = person_hex(person.id)
    ink = f'stroke="{color}" stroke-width="{width:.1f}"'
    face = joints[:5][joints[:5, 2] > 0, :2]
    head = ""
    if len(face):
        x, y = face.mean(axis=0)
        head = f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{1.3 * width:.1f}" fill="{color}"/>'
    return f'<path d="{path}" fill="none" {ink} stroke-linecap="round"/>{head}'
