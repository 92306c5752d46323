"""Archives that are small, and name more parts than there is memory for."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.opening import OpenError, open_skeletons
from skeletr.recording import Recording, RecordingError
from skeletr.session import Session, SessionError
from skeletr.teach import MOST_EXAMPLES, TaughtActions, TeachError
from skeletr.video import VideoLimits
from tests.broken.damage import is_one_sentence
from tests.synthetic import scene

_MOST_MEMORY = 2 << 20  # bytes; each entry of a directory takes half a kilobyte once it is read
_ONE = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 3, 20, *(0,) * 8, 8, *(0,) * 6)[:46]


def entries(count: int, extra: int = 0) -> bytes:
    """A directory of so many parts; extra: bytes that each of them says more."""
    head = bytearray(_ONE)
    struct.pack_into("<HH", head, 28, 8, extra)
    more = struct.pack("<HH", 0xCAFE, extra - 4) + bytes(extra - 4) if extra else b""
    return b"".join(bytes(head) + f"{i:08x}".encode() + more for i in range(count))


def archive(directory: bytes, count: int, comment: bytes = b"", large: bool = False) -> bytes:
    """A file that ends with this directory. large: its size is said the way of large archives."""
    said = (0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF) if large else (min(count, 0xFFFF), len(directory), 0)
    longer = b""
    if large:
        record = (b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(directory), 0)
        longer = struct.pack("<4sQ2H2L4Q", *record)
        longer += struct.pack("<4sLQL", b"PK\x06\x07", 0, len(directory), 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, said[0], *said, len(comment))
    return directory + longer + end + comment


COUNT = 60_000
BOMBS: dict[str, Callable[[], bytes]] = {
    "many parts": lambda: archive(entries(COUNT), COUNT),
    "many parts, said in the way of large archives": lambda: archive(
        entries(COUNT), COUNT, large=True
    ),
    "many parts before a comment": lambda: archive(entries(COUNT), COUNT, bytes(65_000)),
    "many parts, and only one is said": lambda: archive(entries(COUNT), 1),
    "few parts that say much": lambda: archive(entries(60, 60_000), 60),
}
LOADERS: dict[str, tuple[Callable[[Path], object], type[Exception]]] = {
    "recording": (Recording.load, RecordingError),
    "session": (Session.load, SessionError),
    "taught set": (TaughtActions.load, TeachError),
    "page": (lambda path: open_skeletons(path, path.name, VideoLimits()), OpenError),
}


@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("loader", LOADERS)
def test_a_long_directory_is_refused_before_it_is_read(
    loader: str, bomb: str, tmp_path: Path
) -> None:
    load, refused = LOADERS[loader]
    path = tmp_path / "r.npz"
    path.write_bytes(BOMBS[bomb]())
    tracemalloc.start()
    try:
        with pytest.raises(refused, match="the list of what it holds is longer than") as error:
            load(path)
        assert tracemalloc.get_traced_memory()[1] < _MOST_MEMORY
    finally:
        tracemalloc.stop()
    assert is_one_sentence(str(error.value), path.name, tmp_path)


def test_the_makers_of_these_tests_make_archives(tmp_path: Path) -> None:
    path = tmp_path / "r.npz"
    for large in (False, True):
        path.write_bytes(archive(entries(3, 100), 3, b"hello", large))
        with pytest.raises(RecordingError, match=r"it holds.*00000002"):
            Recording.load(path)


def test_the_largest_set_that_can_be_saved_is_opened(tmp_path: Path) -> None:
    one = TaughtActions().add("wave", scene([100], np.arange(6) / 10))
    replace(one, examples=one.examples * MOST_EXAMPLES).save(tmp_path / "full.npz")
    assert TaughtActions.load(tmp_path / "full.npz").count("wave") == MOST_EXAMPLES
