from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from skeletr.evaluation.figures import class_bars, confusion_picture, write_png

WHITE = (255, 255, 255)


def _labels(count: int) -> list[str]:
    return [f"label number {n}" for n in range(count)]


def _border_is_white(picture: np.ndarray) -> bool:
    """Nothing was cut off: what is drawn ends before the edge."""
    edges = (picture[:3], picture[-3:], picture[:, :3], picture[:, -3:])
    return all((edge == 255).all() for edge in edges)


def _cell(picture: np.ndarray, labels: int, row: int, column: int) -> tuple[int, ...]:
    """The colour near the corner of a cell, found by the lines of the grid."""
    line = (picture == (222, 225, 230)).all(axis=2)
    ys, xs = np.flatnonzero(line.mean(axis=1) > 0.3), np.flatnonzero(line.mean(axis=0) > 0.3)
    assert (len(ys), len(xs)) == (labels + 1, labels + 1)
    return tuple(int(v) for v in picture[ys[row] + 2, xs[column] + 2])


@pytest.mark.parametrize("count", [1, 2, 8, 74])
@pytest.mark.parametrize("title", ["", "A title that is much longer than the smallest picture is"])
def test_pictures_of_all_sizes_hold_everything(count: int, title: str) -> None:
    matrix = np.eye(count, dtype=int) * 1234
    for picture in (
        confusion_picture(matrix, _labels(count), title),
        class_bars(np.linspace(0, 1, count), _labels(count), np.arange(count), title),
    ):
        assert picture.dtype == np.uint8
        assert picture.shape[2] == 3
        assert _border_is_white(picture)


def test_rows_are_shares_of_their_label() -> None:
    matrix = np.array([[6, 2, 0], [0, 0, 0], [30, 0, 10]])
    picture = confusion_picture(matrix, ["a" * 30, "b", "c"])
    assert _cell(picture, 3, 0, 2) == WHITE
    assert _cell(picture, 3, 0, 0) == _cell(picture, 3, 2, 0) != WHITE  # 75 %, not the counts
    assert _cell(picture, 3, 0, 1) == _cell(picture, 3, 2, 2) != WHITE
    assert sum(_cell(picture, 3, 0, 0)) < sum(_cell(picture, 3, 0, 1))  # more is darker
    assert _cell(picture, 3, 1, 1) not in (WHITE, _cell(picture, 3, 0, 1))  # no clips is not 0 %


def test_a_long_label_widens_the_picture() -> None:
    short = confusion_picture(np.eye(2), ["a", "b"])
    long = confusion_picture(np.eye(2), ["a", "b" * 60])
    assert long.shape[1] > short.shape[1] + 300
    assert long.shape[0] > short.shape[0] + 300  # it stands above its column too
    assert _border_is_white(long)


def _bar_lengths(picture: np.ndarray) -> list[int]:
    """From top to bottom, each from its first to its last blue pixel: the mean lies between."""
    blue = (picture == (33, 113, 181)).all(axis=2)
    there = blue.any(axis=1)
    starts = np.flatnonzero(there[1:] & ~there[:-1]) + 1
    return [int(np.ptp(np.flatnonzero(blue[s]))) + 1 for s in starts]


def test_bars_are_sorted_or_as_given() -> None:
    values, counts = np.array([0.25, np.nan, 1.0, 0.5]), [4, 0, 1, 2]
    best = _bar_lengths(class_bars(values, _labels(4), counts))
    given = _bar_lengths(class_bars(values, _labels(4), counts, order="given"))
    assert len(best) == 3  # what was not measured has no bar
    assert best == sorted(best, reverse=True)
    assert given == [best[2], best[0], best[1]]
    np.testing.assert_allclose(best, np.array([1, 0.5, 0.25]) * 420, atol=4)


def test_nothing_measured_is_drawn_too() -> None:
    picture = class_bars(np.full(2, np.nan), _labels(2), [0, 0])
    assert _bar_lengths(picture) == []
    assert confusion_picture(np.zeros((2, 2), int), _labels(2)).size


def test_png_is_written_as_it_is(tmp_path: Path) -> None:
    picture = confusion_picture(np.eye(3, dtype=int), ["run", "walk", "gehen wir schön"])
    write_png(tmp_path / "new" / "c.png", picture)
    again = cv2.imread(str(tmp_path / "new" / "c.png"))
    np.testing.assert_array_equal(again[..., ::-1], picture)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["c.png"]


@pytest.mark.parametrize("matrix", [np.zeros((2, 3)), np.zeros((0, 0)), np.full((2, 2), -1)])
def test_no_confusion_matrix(matrix: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"matrix"):
        confusion_picture(matrix, _labels(len(matrix)))


@pytest.mark.parametrize(
    ("values", "counts"), [([0.5], [1, 2]), ([1.5, 0], [1, 2]), ([], []), ([np.inf, 0], [1, 2])]
)
def test_no_accuracies(values: list[float], counts: list[int]) -> None:
    with pytest.raises(ValueError, match=r"accurac"):
        class_bars(np.array(values), _labels(len(counts)), counts)
