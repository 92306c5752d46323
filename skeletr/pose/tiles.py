"""Overlapping squares in which to search a picture for people, and whose turn it is."""

from __future__ import annotations

import itertools
import math

import numpy as np

from skeletr.pose.geometry import Tile

# Side of the smaller squares relative to the shorter side of the picture. A body of half the
# height of the picture then fills the detector's input.
SMALL = 0.6
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
    """Spreads the squares of a picture over the frames: all of them once per `interval` seconds."""

    def __init__(self) -> None:
        self._size = (0, 0)
        self._tiles: list[Tile] = []
        self._next = 0
        self._due = 0.0
        self._time: float | None = None

    def reset(self) -> None:
        """Forget the stream; the next call gives all squares."""
        self._size, self._time = (0, 0), None

    def take(self, width: int, height: int, time: float, interval: float) -> list[Tile]:
        """The squares to search in the frame at `time`; all of them in the first one."""
        if (width, height) != self._size or self._time is None:
            self._size, self._time = (width, height), time
            self._tiles, self._next, self._due = search_tiles(width, height), 0, 0.0
            return list(self._tiles)
        elapsed, self._time = max(time - self._time, 0.0), time
        total = len(self._tiles)
        self._due = min(self._due + total * elapsed / interval, float(total))
        count = int(self._due)
        self._due -= count
        taken = [self._tiles[(self._next + i) % total] for i in range(count)]
        self._next = (self._next + count) % total
        return taken
