"""Curves and bars of what was measured, as PNG: training curves by interaction, Table 6 as bars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np

from benchmarks.paper.cells import BENCHMARK, JHMDB, SBU, SCENES, TABLES, defined
from benchmarks.paper.figures import Figure, Results
from skeletr.evaluation.canvas import blank, paste, text
from skeletr.evaluation.figures import write_png
from skeletr.overlay.palette import Color, person_color

_INK: Color = (38, 42, 50)
_SOFT: Color = (112, 118, 128)
_LINE: Color = (222, 225, 230)
_WIDTH, _HEIGHT = 640, 320  # of what lies between the axes
_LEFT, _TOP = 80, 70
_BAR, _GAP = 15, 14
_WARM_UP = 0.1  # of a curve; what comes before does not decide which part of the axis is shown
# What the bars of a task show. Most people of the benchmark are alone, so that top-1 says little.
_JUDGED = {
    BENCHMARK: ("people: mAP", "interactions_map"),
    SCENES: ("scenes: top-1", "top1"),
    SBU: ("SBU: top-1", "top1"),
    JHMDB: ("JHMDB: top-1", "top1"),
}


def draw(results: Results, folder: Path) -> Iterator[Path]:
    """Write the pictures for which there are results; gives their paths."""
    for name, picture in (
        ("paper-curves", interaction_curves(results)),
        ("paper-inputs", input_bars(results)),
    ):
        if picture is not None:
            write_png(folder / f"{name}.png", picture)
            yield folder / f"{name}.png"


def interaction_curves(results: Results) -> np.ndarray | None:
    """Share of right answers on the benchmark while training, a line per row of Table 4, the mean
    over the seeds; None without results."""
    lines = {}
    for row in TABLES[4].rows:
        found = [np.array(r["curve"]) for _, r in results.of(BENCHMARK, row)]
        if found:
            label = f"{row.row} ({len(found)} seeds)" if len(found) > 1 else f"{row.row} (1 seed)"
            lines[label] = np.mean(found, axis=0)
    return curves(lines, "Benchmark: right answers while training", "step") if lines else None


def input_bars(results: Results) -> np.ndarray | None:
    """Table 6, a group of bars per task; None without results."""
    groups = {
        title: {
            row.row: results.figure(task, row, figure)
            for row in TABLES[6].rows
            if defined(row, task)
        }
        for task, (title, figure) in _JUDGED.items()
    }
    shown = {
        title: {row: f for row, f in group.items() if f.values} for title, group in groups.items()
    }
    shown = {title: group for title, group in shown.items() if group}
    return bars(shown, "Input: the test parts, spread over seeds") if shown else None


def curves(lines: Mapping[str, np.ndarray], title: str, below: str) -> np.ndarray:
    """Lines of (n, 2) arrays: x, and y in [0, 1]; (H, W, 3) uint8 RGB. The axis of y begins and
    ends where the lines do after their first tenth.

    Raises:
        ValueError: there is no line.
    """
    if not lines:
        raise ValueError("no line to draw")
    picture = _page(_TOP + _HEIGHT + 56 + 22 * len(lines), _LEFT + _WIDTH + 30, title)
    last = max(float(points[-1, 0]) for points in lines.values())
    low, high = _reach(lines, last)
    _horizontal_grid(picture, low=low, high=high)
    for place in np.linspace(0, 1, 6):
        mark = text(f"{place * last:.0f}", 12, _SOFT)
        paste(picture, mark, _LEFT + round(place * _WIDTH), _TOP + _HEIGHT + 12)
    paste(picture, text(below, 12, _SOFT), _LEFT + _WIDTH // 2, _TOP + _HEIGHT + 30)
    for number, (name, points) in enumerate(lines.items()):
        color = person_color(number + 1)
        x = _LEFT + points[:, 0] / last * _WIDTH
        y = _TOP + (high - np.maximum(points[:, 1], low)) / (high - low) * _HEIGHT
        path = np.stack([x, y], axis=1).round().astype(np.int32)
        cv2.polylines(picture, [path], False, color, 2, cv2.LINE_AA)
        _legend(picture, number, name, color, _TOP + _HEIGHT + 54)
    return picture


def _reach(lines: Mapping[str, np.ndarray], last: float) -> tuple[float, float]:
    """Between which shares, in twentieths, the lines run."""
    late = [points[points[:, 0] > _WARM_UP * last, 1] for points in lines.values()]
    values = np.concatenate(late)
    low, high = np.floor(20 * values.min()) / 20, np.ceil(20 * values.max() + 1e-9) / 20
    return float(max(low, 0.0)), float(min(max(high, low + 0.05), 1.0))


def bars(groups: Mapping[str, Mapping[str, Figure]], title: str) -> np.ndarray:
    """A group of bars per key, with the spread over the seeds; (H, W, 3) uint8 RGB.

    Raises:
        ValueError: there is nothing to draw.
    """
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    if not names:
        raise ValueError("no bar to draw")
    width = max(_WIDTH, len(groups) * (len(names) * _BAR + 2 * _GAP))
    picture = _page(_TOP + _HEIGHT + 46 + 22 * len(names), _LEFT + width + 30, title)
    _horizontal_grid(picture, width)
    for place, (group, found) in enumerate(groups.items()):
        left = _LEFT + place * width // len(groups) + _GAP
        for name, figure in found.items():
            number = names.index(name)
            _bar(picture, left + number * _BAR, figure, person_color(number + 1), number >= 7)
        middle = _LEFT + (2 * place + 1) * width // (2 * len(groups))
        paste(picture, text(group, 14, _INK), middle, _TOP + _HEIGHT + 16)
    for number, name in enumerate(names):
        color = _INK if number >= 7 else person_color(number + 1)
        _legend(picture, number, name, color, _TOP + _HEIGHT + 46)
    return picture


def _bar(picture: np.ndarray, left: int, figure: Figure, color: Color, eighth: bool) -> None:
    """The palette has seven colours; the eighth bar is dark."""
    top = _TOP + round((1 - figure.mean) * _HEIGHT)
    picture[top : _TOP + _HEIGHT, left + 1 : left + _BAR - 1] = _INK if eighth else color
    reach = round(figure.spread * _HEIGHT)
    x = left + _BAR // 2
    cv2.line(picture, (x, top - reach), (x, top + reach), _SOFT, 2)


def _legend(picture: np.ndarray, number: int, name: str, color: Color, top: int) -> None:
    y = top + 22 * number
    picture[y - 6 : y + 6, _LEFT : _LEFT + 22] = color
    paste(picture, text(name, 14, _INK), _LEFT + 32, y, "left")


def _horizontal_grid(
    picture: np.ndarray, width: int = _WIDTH, low: float = 0.0, high: float = 1.0
) -> None:
    for place in np.linspace(0, 1, 6):
        y = _TOP + round((1 - place) * _HEIGHT)
        picture[y, _LEFT : _LEFT + width] = _SOFT if place == 0 else _LINE
        percent = 100 * (low + place * (high - low))
        paste(picture, text(f"{percent:.0f} %", 12, _SOFT), _LEFT - 8, y, "right")


def _page(height: int, width: int, title: str) -> np.ndarray:
    heading = text(title, 18, _INK)
    picture = blank(height + 20, max(width, heading.shape[1] + 2 * _LEFT))
    paste(picture, heading, _LEFT, 32, "left")
    return picture
