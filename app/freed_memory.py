"""Memory that is free within this process, back to the system."""

from __future__ import annotations

import ctypes
import sys

import psutil

_GROWN = 96 * 2**20  # bytes that the process may gain before one asks whether they are in use


def give_back() -> bool:
    """Return what glibc keeps for later; False where there is no glibc.

    The interpreters of a pose model take their memory in whichever thread serves the frame, each
    from a pool of its own, and freed memory stays in its pool: pages that come and go would fill
    one pool after another. Takes some hundredths of a second, without Python's lock.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return False
    trim(0)
    return True


class GrownMemory:
    """Gives back what is free whenever the process has become much larger than it had to be.

    What a camera leaves behind, key frame by key frame, lies between what is kept: pieces that are
    free but too small for the next key frame. One stream took 1.5 GB so in five minutes, of which
    0.5 were in use.
    """

    def __init__(self) -> None:
        self._needed = _resident()

    def look(self) -> bool:
        """To be called every few seconds; whether memory was given back."""
        held = _resident()
        if held < self._needed + _GROWN:
            self._needed = min(self._needed, held)
            return False
        given = give_back()
        self._needed = _resident()
        return given


def _resident() -> int:
    return psutil.Process().memory_info().rss
