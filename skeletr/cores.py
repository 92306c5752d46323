"""How many processor cores this program may really use."""

from __future__ import annotations

import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")
# How many cores one of several processes keeps to; inherited by those that it starts.
LIMIT_VARIABLE = "SKELETR_CORES"


def usable_cores(quota: Path = _QUOTA) -> int:
    """Cores that this process may use, at least 1.

    A container on a large machine sees all of its cores and is given a few: the quota of its
    control group says how many. `limit_cores`, or its variable, may say fewer.
    """
    seen = _seen()
    return max(1, min(seen, _granted(quota) or seen, _limit() or seen))


def limit_cores(count: int) -> None:
    """Let this process, and those it starts, count on at most so many cores."""
    os.environ[LIMIT_VARIABLE] = str(count)


def _limit() -> int:
    """What `limit_cores` said, 0 for nothing."""
    given = os.environ.get(LIMIT_VARIABLE, "")
    return int(given) if given.isdecimal() else 0


def _seen() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _granted(quota: Path) -> int:
    """Whole cores that the control group grants, 0 where it sets no limit."""
    try:
        share, period = quota.read_text().split()
        return 0 if share == "max" else max(1, round(int(share) / int(period)))
    except (OSError, ValueError, ZeroDivisionError):
        return 0
