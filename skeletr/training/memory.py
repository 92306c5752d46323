"""Keep freed memory in the process: training on a CPU else pays for it at every step."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4


def keep_freed_memory() -> bool:
    """Tell glibc not to give large blocks back after every step; False where there is no glibc.

    The same as MALLOC_MMAP_MAX_=0 and a large MALLOC_TRIM_THRESHOLD_, without a restart.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, 2**31 - 1))
