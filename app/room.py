"""Room on the disk for uploads, counted while they come in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_STEP = 8 * 2**20  # bytes of an upload between two looks at the disk


class DiskFull(RuntimeError):
    """An upload would take what is to be left free; the message says what to do."""

    def __init__(
        self, told: str = "The server's disk is nearly full. Try again in an hour."
    ) -> None:
        super().__init__(told)


class ShareTaken(DiskFull):
    """Uploads from the same network address lie on the disk already."""

    def __init__(self) -> None:
        super().__init__(
            "Uploads from your network address fill as much of the server's disk as one may. Close "
            "other pages of this app, or try again in an hour."
        )


class Room:
    """What uploads may take of a disk, all together. To be used in one thread.

    Args:
        free: bytes that are free on the disk. least: how many of them are to be left.
        share: of the rest, that visitors of one group may have beyond a single upload.
    """

    def __init__(self, free: Callable[[], int], least: int, share: float = 1.0) -> None:
        self._share = share
        self._coming: defaultdict[str, list[Claim]] = defaultdict(list)  # group -> on their way
        self._files: defaultdict[str, set[Path]] = defaultdict(set)  # group -> its uploads
        self._free = free
        self._least = least
        self._claimed = 0  # bytes that have not come yet, of all uploads

    @contextmanager
    def claim(self, length: int | None, group: str = "") -> Iterator[Claim]:
        """Room for an upload for as long as it comes in.

        Args:
            length: bytes that it says it has; None where it says nothing.
            group: of visitors who share what one address may have; "" = none.

        Raises:
            DiskFull: there is none, beside what others may still send; or the group has its share.
        """
        claim = Claim(self)
        if group:
            self._check_share(group, length or _STEP)
        self._coming[group].append(claim)
        try:
            claim.ask(length or _STEP)
            yield claim
        finally:
            self._claimed -= claim.left
            self._coming[group].remove(claim)
            if not self._coming[group]:
                del self._coming[group]

    def lie(self, group: str, paths: Iterable[Path]) -> None:
        """Note where uploads of a group lie; they count for as long as they are there."""
        if group:
            self._files[group].update(paths)

    def _check_share(self, group: str, more: int) -> None:
        theirs = self._size_of(group) + sum(c.asked for c in self._coming.get(group, ()))
        if not theirs:
            return  # a single upload may have what there is
        whole = max(0, self._free() - self._claimed - self._least) + theirs
        if theirs + more > self._share * whole:
            raise ShareTaken

    def _size_of(self, group: str) -> int:
        """Bytes of its uploads that are still there; forgets the others."""
        sizes = {}
        for path in self._files.pop(group, ()):
            with suppress(OSError):
                sizes[path] = path.stat().st_size
        if sizes:
            self._files[group] = set(sizes)
        return sum(sizes.values())

    def _take(self, more: int) -> None:
        if self._free() - self._claimed - more < self._least:
            raise DiskFull
        self._claimed += more


class Claim:
    """Room for one upload. left: bytes of it that have not come yet. asked: all of it."""

    def __init__(self, room: Room) -> None:
        self.left = self.asked = 0
        self._room = room
        self._unseen = 0  # bytes since the last look at the disk

    def ask(self, more: int) -> None:
        """Claim `more` bytes. Raises `DiskFull`."""
        self._room._take(more)
        self.left += more
        self.asked += more

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
