"""How many camera pictures came and how many of them were looked at: the rest was skipped."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

_MOST = 1000  # cameras; the one that was looked at longest ago is forgotten


class Arrivals:
    """Pictures of running cameras, counted where they come in and where they are looked at.

    The newest picture always wins: those that come while another one is worked on replace one
    another. May be used from any thread.

    Args:
        dropped: told how many more were skipped, of all cameras together. Never less than none: a
            picture that is looked at after all makes up for the next one that is skipped.
    """

    def __init__(self, dropped: Callable[[int], None] = lambda more: None) -> None:
        self._lock = threading.Lock()
        self._dropped = dropped
        self._owed = 0  # pictures that were told as skipped, and looked at after all
        self._camera_of: OrderedDict[str, str] = OrderedDict()  # page -> camera
        self._waiting: dict[str, int] = {}  # camera -> pictures since the one looked at last

    def came(self, camera: str) -> None:
        """A picture came; of a camera that was never looked at it is not counted."""
        with self._lock:
            if camera in self._waiting:
                self._waiting[camera] += 1

    def taken(self, page: str, camera: str | None) -> int:
        """The newest picture of a page is looked at.

        Args:
            camera: what its pictures come in under; a page tells it with the first one only, and
                None means that it is the same.

        Returns:
            How many were skipped since the one before. -1 where a picture that had been counted
            as skipped is looked at after all, as it came while the one before was on its way: the
            sum is right.
        """
        with self._lock:
            before = self._camera_of.get(page)
            camera = camera or before or page
            if before is not None and before != camera:
                self._waiting.pop(before, None)
            self._camera_of[page] = camera
            self._camera_of.move_to_end(page)
            skipped = self._waiting.get(camera, 1) - 1
            self._waiting[camera] = 0
            if len(self._camera_of) > _MOST:
                self._waiting.pop(self._camera_of.popitem(last=False)[1], None)
            self._tell(skipped)
        return skipped

    def _tell(self, skipped: int) -> None:
        more = skipped - self._owed
        self._owed = max(0, -more)
        if more > 0:
            self._dropped(more)
