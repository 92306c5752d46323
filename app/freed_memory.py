"""Memory that is free within this process, back to the system."""

from __future__ import annotations

import ctypes
import sys


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
