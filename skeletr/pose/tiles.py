"""Overlapping squares in which to search a picture for people, and whose turn it is."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Sequence

import numpy as np

from skeletr.pose.geometry import Tile

# Side of the smaller squares relative to the shorter side of the picture. A body of half the
# height of the picture then fills the detector's input.
SMALL = 0.6
# Of crowds: sides of still smaller squares, and the size of people's regions below which they are
# searched, both relative to the shorter side of the picture.
FINE = ((0.4, 0.42), (0.27, 0.3))
# While nobody or only a few are known, of whom one could tell how large people are, these squares
# take so many rounds. Nobody tells which of them: the larger ones.
FEW, ROUNDS_OF_FEW = 4, 3
# Neighbouring squares share at least this part of their side, so that a person on the seam of
# two is whole in a third.
STEP_LARGE, STEP_SMALL = 0.3, 0.67
MAX_PER_ROW = 8  # panoramas must not cost without limit


def search_tiles(width: int, height: int) -> list[Tile]:
    """All squares of a picture: the whole, squares over its shorter side, a grid of small ones."""
    long, short = max(width, height), min(width, height)
    whole = Tile((width - long) / 2, (height - long) / 2, long)
    large = _grid(width, height, short, STEP_LARGE * short)
    small = _grid(width, height, SMALL * short, STEP_SMALL * SMALL * short)
    tiles = [whole, *large, *small]
    return list(dict.fromkeys(tiles))


def fine_tiles(width: int, height: int, side: float) -> list[Tile]:
    """Squares for people who are small in the picture; side: relative to its shorter side."""
    pixels = side * min(width, height)
    return _grid(width, height, pixels, STEP_SMALL * pixels)


def fine_side(size: float) -> float | None:
    """Side of the squares in which to search for people whose regions are of this size, both
    relative to the picture's shorter side; None = the usual ones will do."""
    fitting = [side for side, below in FINE if size < below]
    return min(fitting, default=None)


def tile_around(x: float, y: float, size: float) -> Tile:
    """The square of side `size` around a point."""
    return Tile(x - size / 2, y - size / 2, size)


def _grid(width: int, height: int, side: float, step: float) -> list[Tile]:
    return [
        Tile(x, y, side)
        for y, x in itertools.product(_starts(height, side, step), _starts(width, side, step))
    ]


def _starts(length: float, side: float, step: float) -> list[float]:
    """Evenly spaced starts that cover `length`, at most `step` apart."""
    free = max(length - side, 0.0)
    count = min(math.ceil(free / max(step, 1.0) - 1e-6) + 1, MAX_PER_ROW)
    return [float(s) for s in np.linspace(0.0, free, count)]


class SearchRota:
    """Spreads the squares of a picture over the frames, in rounds of `interval` seconds.

    People in one picture are often of one size: where those who are known are small, others are
    looked for more closely.
    """

    def __init__(self) -> None:
        self._size = (0, 0)
        self._usual: list[Tile] = []
        self._left: deque[Tile] = deque()  # of this round
        self._round = 0  # its number
        self._length = 0  # squares in it
        self._due = 0.0  # squares
        self._time: float | None = None

    def reset(self) -> None:
        """Forget the stream; the next call gives all usual squares."""
        self._size, self._time = (0, 0), None

    def take(
        self, width: int, height: int, time: float, interval: float, known: Sequence[float] = ()
    ) -> list[Tile]:
        """The squares to search in the frame at `time`; all usual ones in the first one.

        Args:
            known: sizes of the regions of those who are known, in pixels.
        """
        if (width, height) != self._size or self._time is None:
            self._size, self._time = (width, height), time
            self._usual = search_tiles(width, height)
            self._left.clear()
            self._length, self._round, self._due = len(self._usual), 0, 0.0
            return list(self._usual)
        elapsed, self._time = max(time - self._time, 0.0), time
        self._due = min(self._due + self._length * elapsed / interval, float(self._length))
        count = int(self._due)
        self._due -= count
        return [self._one(known) for _ in range(count)]

    def _one(self, known: Sequence[float]) -> Tile:
        if not self._left:
            self._round += 1
            self._left.extend((*self._usual, *self._fine(known)))
            self._length = len(self._left)
        return self._left.popleft()

    def _fine(self, known: Sequence[float]) -> list[Tile]:
        size = float(np.quantile(known, 0.25)) / min(self._size) if known else 0.0
        side = fine_side(size) if known else FINE[0][0]
        tiles = [] if side is None else fine_tiles(*self._size, side)
        rounds = ROUNDS_OF_FEW if len(known) < FEW else 1
        return tiles[self._round % rounds :: rounds]
