"""Text on white pictures, for the figures of an evaluation."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from skeletr.overlay.palette import Color

# Text is drawn larger and averaged: small letters keep their spacing.
_FINER = 3


def blank(height: int, width: int) -> np.ndarray:
    """A white picture (height, width, 3) uint8."""
    return np.full((height, width, 3), 255, np.uint8)


@lru_cache(maxsize=1024)
def text(words: str, size: int, color: Color) -> np.ndarray:
    """A line of text as (h, w, 4) uint8 RGBA, as wide as it is."""
    font = ImageFont.load_default(size * _FINER)  # Pillow carries it: all machines draw the same
    words = " ".join(words.split()) or " "
    width, height = -(-round(font.getlength(words)) // _FINER) + 2, round(size * 1.5)
    mask = Image.new("L", (width * _FINER, height * _FINER), 0)
    middle = (_FINER, height * _FINER / 2)
    ImageDraw.Draw(mask).text(middle, words, 255, font, "lm")
    patch = np.empty((height, width, 4), np.uint8)
    patch[..., :3] = color
    patch[..., 3] = cv2.resize(np.array(mask), (width, height), interpolation=cv2.INTER_AREA)
    return patch


def paste(
    picture: np.ndarray,
    patch: np.ndarray,
    x: int,
    y: int,
    side: Literal["centre", "left", "right", "above"] = "centre",
) -> None:
    """Blend an RGBA patch: its middle, or its left, right or lower edge, is at (x, y)."""
    height, width = patch.shape[:2]
    left = {"left": x, "right": x - width}.get(side, x - width // 2)
    top = y - height if side == "above" else y - height // 2
    left = int(np.clip(left, 0, picture.shape[1] - width))
    target = picture[top : top + height, left : left + width]
    alpha = patch[..., 3:].astype(np.float32) / 255
    target[:] = (target + alpha * (patch[..., :3] - target.astype(np.float32))).round()
