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
        task: {
            row.row: results.figure(task, row, "top1")
            for row in TABLES[6].rows
            if defined(row, task)
        }
        for task in (BENCHMARK, SCENES, SBU, JHMDB)
    }
    shown = {
        task: {row: f for row, f in group.items() if f.values} for task, group in groups.items()
    }
    shown = {task: group for task, group in shown.items() if group}
    return bars(shown, "Input: top-1 on the test parts, spread over seeds") if shown else None


def curves(lines: Mapping[str, np.ndarray], title: str, below: str) -> np.ndarray:
    """Lines of (n, 2) arrays: x, and y in [0, 1]; (H, W, 3) uint8 RGB.

    Raises:
        ValueError: there is no line.
    """
    if not lines:
        raise ValueError("no line to draw")
    picture = _page(_TOP + _HEIGHT + 56 + 22 * len(lines), _LEFT + _WIDTH + 30, title)
    last = max(float(points[-1, 0]) for points in lines.values())
    _horizontal_grid(picture)
    for place in np.linspace(0, 1, 6):
        mark = text(f"{place * last:.0f}", 12, _SOFT)
        paste(picture, mark, _LEFT + round(place * _WIDTH), _TOP + _HEIGHT + 12)
    paste(picture, text(below, 12, _SOFT), _LEFT + _WIDTH // 2, _TOP + _HEIGHT + 30)
    for number, (name, points) in enumerate(lines.items()):
        color = person_color(number + 1)
        x = _LEFT + points[:, 0] / last * _WIDTH
        y = _TOP + (1 - points[:, 1]) * _HEIGHT
        path = np.stack([x, y], axis=1).round().astype(np.int32)
        cv2.polylines(picture, [path], False, color, 2, cv2.LINE_AA)
        _legend(picture, number, name, color, _TOP + _HEIGHT + 54)
    return picture


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


def _horizontal_grid(picture: np.ndarray, width: int = _WIDTH) -> None:
    for percent in range(0, 101, 20):
        y = _TOP + round((1 - percent / 100) * _HEIGHT)
        picture[y, _LEFT : _LEFT + width] = _SOFT if percent == 0 else _LINE
        paste(picture, text(f"{percent} %", 12, _SOFT), _LEFT - 8, y, "right")


def _page(height: int, width: int, title: str) -> np.ndarray:
    heading = text(title, 18, _INK)
    picture = blank(height + 20, max(width, heading.shape[1] + 2 * _LEFT))
    paste(picture, heading, _LEFT, 32, "left")
    return picture
