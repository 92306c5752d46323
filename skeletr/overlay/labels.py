"""Text chips: drawn once, kept, and laid out so that none covers another or leaves the frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from skeletr.overlay.palette import Color, text_color

Rect = tuple[int, int, int, int]  # x1, y1, x2, y2


# Text is drawn larger and averaged: small letters keep their spacing, corners are smooth.
_FINER = 3


@dataclass(frozen=True)
class Part:
    """A piece of a chip: text on a background."""

    text: str
    background: Color
    strong: bool = False


@lru_cache(maxsize=512)
def chip(parts: tuple[Part, ...], size: int, longest: int) -> np.ndarray:
    """Render parts side by side as one rounded chip.

    Args:
        size: text height in pixels. longest: width that must not be exceeded; the last
            part is shortened with an ellipsis.

    Returns:
        (h, w, 4) uint8 RGBA.
    """
    large = size * _FINER
    font = _font(large)
    pad, height = round(large * 0.5), round(size * 1.55) * _FINER
    texts = _shorten(parts, font, pad, longest * _FINER)
    widths = [_width(t, font, p.strong) + 2 * pad for p, t in zip(parts, texts, strict=True)]
    width = min(-(-sum(widths) // _FINER), longest)
    image = Image.new("RGBA", (width * _FINER, height), (*parts[-1].background, 255))
    draw = ImageDraw.Draw(image)
    left = 0
    for part, text, wide in zip(parts, texts, widths, strict=True):
        draw.rectangle((left, 0, left + wide, height), (*part.background, 255))
        ink = (*text_color(part.background), 255)
        draw.text((left + pad, height / 2), text, ink, font, "lm", stroke_width=_bold(part, large))
        left += wide
    _round_corners(image, round(large * 0.3))
    small = (width, height // _FINER)
    return cv2.resize(np.array(image), small, interpolation=cv2.INTER_AREA)


def paste(image: np.ndarray, patch: np.ndarray, x: int, y: int, opacity: float = 1.0) -> None:
    """Blend an RGBA patch into an RGB image at (x, y); what hangs over the edge is cut off."""
    height, width = image.shape[:2]
    x1, y1 = max(x, 0), max(y, 0)
    x2, y2 = min(x + patch.shape[1], width), min(y + patch.shape[0], height)
    if x1 >= x2 or y1 >= y2:
        return
    piece = patch[y1 - y : y2 - y, x1 - x : x2 - x]
    target = image[y1:y2, x1:x2]
    alpha = piece[..., 3:].astype(np.float32) * (opacity / 255)
    target[:] = (target + alpha * (piece[..., :3] - target.astype(np.float32))).round()


def place(
    size: tuple[int, int], box: np.ndarray, frame: tuple[int, int], taken: list[Rect]
) -> Rect:
    """Where a chip goes: above its box if it can, else nearby, free of the chips in `taken`.

    Args:
        size: (width, height) of the chip. box: x1 y1 x2 y2 of its person.
        frame: (width, height) of the image.
    """
    width, height = size
    x = int(np.clip(box[0], 0, max(frame[0] - width, 0)))
    above, below = int(box[1]) - height - 3, int(box[3]) + 3
    lowest = max(frame[1] - height, 0)
    tries = [above, int(box[1]) + 3, below]
    for step in range(1, frame[1] // height + 2):
        tries += [above - step * (height + 2), above + step * (height + 2)]
    for y in tries:
        rect = (x, y, x + width, y + height)
        if 0 <= y <= lowest and not any(_overlap(rect, other) for other in taken):
            return rect
    y = int(np.clip(above, 0, lowest))
    return x, y, x + width, y + height


def _overlap(a: Rect, b: Rect) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    # Pillow carries this font itself, so that every machine draws the same.
    return ImageFont.load_default(size)


def _bold(part: Part, size: int) -> float:
    return size / 40 if part.strong else 0


def _width(text: str, font: ImageFont.FreeTypeFont, strong: bool) -> int:
    return round(font.getlength(text)) + (1 if strong else 0)


def _shorten(
    parts: tuple[Part, ...], font: ImageFont.FreeTypeFont, pad: int, longest: int
) -> list[str]:
    texts = [" ".join(p.text.split()) for p in parts]
    fixed = sum(_width(t, font, True) for t in texts[:-1]) + 2 * pad * len(parts)
    last = texts[-1]
    while last and fixed + _width(last, font, True) > longest:
        last = last[:-2].rstrip() + "…" if len(last) > 2 else ""
    return [*texts[:-1], last]


def _round_corners(image: Image.Image, radius: int) -> None:
    mask = Image.new("L", image.size, 0)
    corners = (0, 0, image.width - 1, image.height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(corners, radius, 255)
    image.putalpha(mask)
