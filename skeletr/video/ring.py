"""Frames handed from one process to another through memory that both see."""

from __future__ import annotations

import fcntl
import mmap
import os
import tempfile
from contextlib import suppress

import numpy as np

SLOTS = 4  # frames that may lie there at once


def make_memory() -> int:
    """A file descriptor of shared memory without a name and of no size yet."""
    with suppress(AttributeError, OSError):  # not on macOS, nor in every sandbox
        return os.memfd_create("skeletr-frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def give_size(memory: int, size: tuple[int, int]) -> None:
    """Make room for `SLOTS` frames of `size` (width, height).

    Where that is possible the size is sealed: a process that shrinks memory which another one
    reads would kill that one.
    """
    os.ftruncate(memory, SLOTS * _bytes(size))
    with suppress(AttributeError, OSError):
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)


class Ring:
    """The frames in shared memory; the n-th frame lies in slot n modulo `SLOTS`.

    Args:
        memory: descriptor that was given its size. size: (width, height) of the frames. write:
            whether this process writes.
    """

    def __init__(self, memory: int, size: tuple[int, int], write: bool = False) -> None:
        self._size = size
        access = mmap.ACCESS_WRITE if write else mmap.ACCESS_READ
        self._map = mmap.mmap(memory, SLOTS * _bytes(size), access=access)

    def put(self, number: int, image: np.ndarray) -> None:
        """Store frame `number`, (H, W, 3) uint8."""
        self._slot(number)[:] = image

    def take(self, number: int) -> np.ndarray:
        """A copy of frame `number`, (H, W, 3) uint8."""
        return self._slot(number).copy()

    def close(self) -> None:
        """Give the memory back."""
        self._map.close()

    def _slot(self, number: int) -> np.ndarray:
        width, height = self._size
        begin = number % SLOTS * _bytes(self._size)
        flat = np.frombuffer(self._map, np.uint8, _bytes(self._size), begin)
        return flat.reshape(height, width, 3)


def _bytes(size: tuple[int, int]) -> int:
    return 3 * size[0] * size[1]
