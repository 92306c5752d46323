"""Pictures of an evaluation: confusion matrix and accuracy per label, as PNG."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np

from skeletr.evaluation.canvas import blank, paste, text
from skeletr.files import atomic_path
from skeletr.overlay.palette import Color, text_color

_WHITE: Color = (255, 255, 255)
_INK: Color = (38, 42, 50)
_SOFT: Color = (112, 118, 128)
_LINE: Color = (222, 225, 230)
_ABSENT: Color = (240, 241, 243)
# One hue from white to dark blue: read by lightness alone, so by colour-blind people too.
_SCALE = np.array([(255, 255, 255), (198, 219, 239), (107, 174, 214), (33, 113, 181), (8, 48, 107)])
_BAR: Color = (33, 113, 181)

_MARGIN = 24
_BAR_WIDTH = 420
_SCALE_WIDTH = 290


def confusion_picture(matrix: np.ndarray, labels: Sequence[str], title: str = "") -> np.ndarray:
    """A confusion matrix, each row in percent of its true label.

    Args:
        matrix: (K, K) counts; row = true label, column = predicted label, in the order in which
            they are to be shown. A row without counts is grey.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: shapes that do not fit, nothing to draw, or negative counts.
    """
    _check_matrix(matrix, labels)
    cell = int(np.clip(720 / len(labels), 22, 64))
    size = int(np.clip(cell * 0.6, 12, 16))
    names = [text(label, size, _INK) for label in labels]
    counts = [text(f"{n:.0f}", size, _SOFT) for n in matrix.sum(axis=1)]
    widest = max(n.shape[1] for n in names)
    side = cell * len(labels)
    left, top = _MARGIN + 26 + widest + 8, _title_height(title) + 26 + widest + 8
    right = left + max(side + 10 + max(c.shape[1] for c in counts), _SCALE_WIDTH)
    picture = _canvas(top + side + 62, right + _MARGIN, title)
    _draw_cells(picture, matrix, (left, top), cell)
    for n, (name, count) in enumerate(zip(names, counts, strict=True)):
        middle = n * cell + cell // 2
        paste(picture, name, left - 8, top + middle, "right")
        paste(picture, count, left + side + 10, top + middle, "left")
        paste(picture, np.rot90(name), left + middle, top - 8, "above")
    paste(picture, np.rot90(text("true label", 15, _SOFT)), _MARGIN + 8, top + side // 2)
    paste(picture, text("predicted label", 15, _SOFT), left + side // 2, _title_height(title) + 10)
    paste(picture, text("clips", 12, _SOFT), left + side + 10, top - 12, "left")
    _draw_scale(picture, left, top + side + 20)
    return picture


def class_bars(
    accuracies: np.ndarray,
    labels: Sequence[str],
    counts: Sequence[int] | np.ndarray,
    title: str = "",
    order: Literal["best", "given"] = "best",
) -> np.ndarray:
    """Accuracy per label as bars, with the mean as a line.

    Args:
        accuracies: (K,) in [0, 1], NaN for labels without clips. counts: (K,) clips per label.
        order: the best label first, or as given.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: shapes that do not fit, nothing to draw, or values outside [0, 1].
    """
    accuracies = np.asarray(accuracies, np.float64)
    _check_bars(accuracies, labels, counts)
    rows = np.arange(len(labels))
    if order == "best":
        rows = np.argsort(-np.nan_to_num(accuracies, nan=-1.0), kind="stable")
    high = 22 if len(labels) > 24 else 30
    size = 12 if len(labels) > 24 else 15
    names = [text(labels[r], size, _INK) for r in rows]
    tails = [text(_count(counts[r]), size, _SOFT) for r in rows]
    left, top = _MARGIN + max(n.shape[1] for n in names) + 10, _title_height(title) + 30
    right = left + _BAR_WIDTH + 70 + max(t.shape[1] for t in tails)
    bottom = top + high * len(labels)
    picture = _canvas(bottom + 40, right + _MARGIN, title)
    _draw_axis(picture, left, top, bottom)
    middles = [top + n * high + high // 2 for n in range(len(rows))]
    for row, middle in zip(rows, middles, strict=True):
        end = left + round(_BAR_WIDTH * float(np.nan_to_num(accuracies[row])))
        picture[middle - high // 3 : middle + high // 3, left + 1 : end] = _BAR
    _draw_mean(picture, accuracies, left, top, bottom)
    for row, middle, name, tail in zip(rows, middles, names, tails, strict=True):
        paste(picture, name, left - 10, middle, "right")
        paste(picture, tail, right, middle, "right")
        _draw_value(picture, float(accuracies[row]), left, middle, size)
    return picture


def write_png(path: str | os.PathLike[str], picture: np.ndarray) -> None:
    """Write a picture (H, W, 3) uint8 RGB; the file appears whole or not at all."""
    good, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not good:
        raise ValueError(f"{path}: a picture {picture.shape} cannot be written as PNG")
    with atomic_path(path) as partial:
        partial.write_bytes(data.tobytes())


def _draw_cells(
    picture: np.ndarray, matrix: np.ndarray, corner: tuple[int, int], cell: int
) -> None:
    left, top = corner
    total = matrix.sum(axis=1)
    share = matrix / np.maximum(total, 1)[:, None]
    size = int(np.clip(cell * 0.42, 10, 15))
    for row, column in np.ndindex(*matrix.shape):
        color = _shade(float(share[row, column])) if total[row] else _ABSENT
        y, x = top + row * cell, left + column * cell
        picture[y : y + cell, x : x + cell] = color
        percent = round(100 * float(share[row, column]))
        number = text(f"{percent}", size, text_color(color))
        # A zero says nothing that white does not say.
        if percent and number.shape[1] <= cell - 2:
            paste(picture, number, x + cell // 2, y + cell // 2)
    for n in range(len(matrix) + 1):
        end = cell * len(matrix)
        picture[top : top + end + 1, left + n * cell] = _LINE
        picture[top + n * cell, left : left + end + 1] = _LINE


def _draw_scale(picture: np.ndarray, left: int, top: int) -> None:
    """What the shades mean, `_SCALE_WIDTH` pixels wide."""
    strip = np.array([_shade(v) for v in np.linspace(0, 1, 120)], np.uint8)
    picture[top : top + 12, left + 30 : left + 150] = strip[None]
    picture[[top, top + 12], left + 30 : left + 150] = _LINE
    picture[top : top + 13, [left + 30, left + 150]] = _LINE
    paste(picture, text("0 %", 12, _SOFT), left + 24, top + 6, "right")
    paste(picture, text("100 % of the true label", 12, _SOFT), left + 156, top + 6, "left")


def _draw_axis(picture: np.ndarray, left: int, top: int, bottom: int) -> None:
    for percent in (0, 25, 50, 75, 100):
        x = left + _BAR_WIDTH * percent // 100
        picture[top:bottom, x] = _SOFT if percent == 0 else _LINE
        paste(picture, text(f"{percent} %", 12, _SOFT), x, top - 12)


def _draw_value(picture: np.ndarray, value: float, left: int, middle: int, size: int) -> None:
    if np.isnan(value):
        number = text("not measured", size, _SOFT)
    else:
        number = text(f"{100 * value:.0f} %", size, _INK)
    x = left + round(_BAR_WIDTH * float(np.nan_to_num(value))) + 6
    half = number.shape[0] // 2
    picture[middle - half : middle + half, x : x + number.shape[1]] = _WHITE  # over the lines
    paste(picture, number, x, middle, "left")


def _draw_mean(
    picture: np.ndarray, accuracies: np.ndarray, left: int, top: int, bottom: int
) -> None:
    if np.isnan(accuracies).all():
        return
    mean = float(np.nanmean(accuracies))
    x = left + round(_BAR_WIDTH * mean)
    for y in range(top, bottom + 6, 8):
        picture[y : min(y + 4, bottom + 6), x : x + 2] = _INK
    paste(picture, text(f"mean of the labels {100 * mean:.1f} %", 12, _INK), x, bottom + 18)


def _count(count: float) -> str:
    return f"{count:.0f} clip" if count == 1 else f"{count:.0f} clips"


def _shade(share: float) -> Color:
    """The colour of a share in [0, 1]."""
    places = np.linspace(0, 1, len(_SCALE))
    red, green, blue = (round(float(np.interp(share, places, c))) for c in _SCALE.T)
    return red, green, blue


def _title_height(title: str) -> int:
    return _MARGIN + (34 if title else 0)


def _canvas(height: int, width: int, title: str) -> np.ndarray:
    """A white picture with its title, wider where the title needs it."""
    if not title:
        return blank(height, width)
    heading = text(title, 20, _INK)
    picture = blank(height, max(width, heading.shape[1] + 2 * _MARGIN))
    paste(picture, heading, _MARGIN, _MARGIN + 8, "left")
    return picture


def _check_matrix(matrix: np.ndarray, labels: Sequence[str]) -> None:
    if not len(labels) or matrix.shape != (len(labels), len(labels)):
        raise ValueError(f"matrix {matrix.shape} and {len(labels)} labels: expected (K, K) and K")
    if not np.isfinite(matrix).all() or (matrix < 0).any():
        raise ValueError("the matrix holds negative or infinite counts")


def _check_bars(accuracies: np.ndarray, labels: Sequence[str], counts: Sequence[int]) -> None:
    shape = (len(labels),)
    if not len(labels) or accuracies.shape != shape or len(counts) != len(labels):
        raise ValueError(
            f"accuracies {accuracies.shape}, {len(labels)} labels and {len(counts)} counts: "
            "expected one of each per label, and some"
        )
    if ((accuracies < 0) | (accuracies > 1) | np.isinf(accuracies)).any():
        raise ValueError("an accuracy lies outside [0, 1]")
