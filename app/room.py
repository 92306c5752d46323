"""Room on the disk for uploads, counted while they come in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_STEP = 8 * 2**20  # bytes of an upload between two looks at the disk


class DiskFull(RuntimeError):
    """An upload would take what is to be left free; the message says what to do."""

    def __init__(self) -> None:
        super().__init__("The server's disk is nearly full. Try again in an hour.")


class Room:
    """What uploads may take of a disk, all together. To be used in one thread.

    Args:
        free: bytes that are free on the disk. least: how many of them are to be left.
    """

    def __init__(self, free: Callable[[], int], least: int) -> None:
        self._free = free
        self._least = least
        self._claimed = 0  # bytes that have not come yet, of all uploads

    @contextmanager
    def claim(self, length: int | None) -> Iterator[Claim]:
        """Room for an upload for as long as it comes in.

        Args:
            length: bytes that it says it has; None where it says nothing.

        Raises:
            DiskFull: there is none, beside what others may still send.
        """
        claim = Claim(self)
        try:
            claim.ask(length or _STEP)
            yield claim
        finally:
            self._claimed -= claim.left

    def _take(self, more: int) -> None:
        if self._free() - self._claimed - more < self._least:
            raise DiskFull
        self._claimed += more


class Claim:
    """Room for one upload. left: bytes of it that have not come yet."""

    def __init__(self, room: Room) -> None:
        self.left = 0
        self._room = room
        self._unseen = 0  # bytes since the last look at the disk

    def ask(self, more: int) -> None:
        """Claim `more` bytes. Raises `DiskFull`."""
        self._room._take(more)
        self.left += more

    def came(self, size: int) -> None:
        """So many bytes came, and lie on the disk. Raises `DiskFull`, looking every few MB."""
        used = min(size, self.left)
        self.left -= used
        self._room._claimed -= used
        self._unseen += size
        if self._unseen >= _STEP or size > used:
            # Something else may fill the disk meanwhile, and more may come than was said.
            self._unseen = 0
            self.ask(0 if self.left else _STEP)
