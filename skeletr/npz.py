"""Reading .npz archives that arrive from outside: no pickles, no surprises in size."""

from __future__ import annotations

import io
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

_READ_HEADER = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What the standard library and numpy raise over bytes that are not what they should be.
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError),
    *(tokenize.TokenError, SyntaxError, UnicodeError),
)
_HEADROOM = 10_000  # bytes that the header of an array may take
# Bytes that are read to find out what an archive holds: twice those of a set of 200 taught actions.
# Python makes half a kilobyte of each 50, of all of them before anything can be asked.
_MOST_DIRECTORY = 128 << 10


class NpzError(ValueError):
    """An archive that cannot be read: one sentence about what is wrong with it."""


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """An archive of which only the directory was read, and no more of that than is allowed.

    Every archive that arrives from outside is opened by this: a file of some megabytes may
    otherwise name so many parts that the names alone fill the memory.

    Raises:
        NpzError: its directory is too long.
        OSError, zipfile.BadZipFile, ValueError, NotImplementedError: it is no archive.
    """
    with _Sparing(io.FileIO(path)) as file, zipfile.ZipFile(file) as archive:
        file.left = None
        yield archive


def array_names(path: Path) -> list[str]:
    """Of what is in an archive, without unpacking any of it; errors as of `open_archive`."""
    with open_archive(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


class _Sparing(io.BufferedReader):
    """A file of which `left` more bytes may be read; None = all.

    It does not matter where the archive says that its directory lies, and how often it says so.
    """

    left: int | None = _MOST_DIRECTORY

    def read(self, size: int | None = -1) -> bytes:
        if self.left is None:
            return super().read(size)
        whole = size is None or size < 0
        data = super().read(self.left + 1 if whole else min(size, self.left + 1))
        self.left -= len(data)
        if self.left < 0:
            raise NpzError(
                f"the list of what it holds is longer than the {_MOST_DIRECTORY >> 10} KB that "
                "one may take"
            )
        return data


def read_npz(path: Path, expected: Mapping[str, type], limit: int) -> dict[str, np.ndarray]:
    """The arrays of an archive, by name.

    Sizes are checked before anything is unpacked or reserved: a small archive may claim, or
    unpack to, more than there is memory.

    Args:
        expected: names that must be there, with the kinds of numbers; others are refused.
        limit: bytes that all arrays together may take.

    Raises:
        NpzError: it is none, is damaged, breaks the limit, or holds something else.
        OSError: it cannot be opened.
    """
    try:
        with open_archive(path) as archive:
            members = _members(archive, expected, limit)
            return {name: _array(archive, info, expected[name]) for name, info in members.items()}
    except NpzError:
        raise
    except DAMAGE as error:
        raise NpzError(f"the archive is damaged: {type(error).__name__}") from error
    except (ValueError, TypeError, KeyError, RuntimeError, NotImplementedError) as error:
        raise NpzError(f"it is no archive of arrays: {error}") from error
    except (MemoryError, OverflowError) as error:
        raise NpzError("it is larger than the memory") from error


def _members(
    archive: zipfile.ZipFile, expected: Mapping[str, type], limit: int
) -> dict[str, zipfile.ZipInfo]:
    found = archive.infolist()
    size = sum(info.file_size for info in found)
    if size > limit + _HEADROOM * len(expected):
        raise NpzError(
            f"it unpacks to {size / 2**20:,.0f} MB, the limit is {limit / 2**20:,.0f} MB"
        )
    members = {info.filename.removesuffix(".npy"): info for info in found}
    if set(members) != set(expected) or len(members) != len(found):
        raise NpzError(f"it holds {sorted(members)[:9]}, expected {sorted(expected)}")
    if any(info.compress_type not in _METHODS for info in found):
        raise NpzError("it is compressed in an unknown way")
    return members


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, kind: type) -> np.ndarray:
    """One array. Its own header is held against what the archive says before memory is taken."""
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        if version not in _READ_HEADER:
            raise NpzError(f"{info.filename} has format {version}, expected {list(_READ_HEADER)}")
        shape, fortran, dtype = _READ_HEADER[version](file, max_header_size=_HEADROOM)
        if not np.issubdtype(dtype, kind):
            raise NpzError(f"{info.filename} holds {dtype}, expected {kind.__name__}")
        if any(side < 0 for side in shape):
            raise NpzError(f"{info.filename} claims the shape {shape}")
        size = math.prod(shape) * dtype.itemsize
        if size > info.file_size:
            raise NpzError(
                f"{info.filename} claims {shape} of {dtype}, but is {info.file_size} bytes long"
            )
        data = file.read(size)
    if len(data) < size:
        raise NpzError(f"{info.filename} ends too early")
    flat = np.frombuffer(bytearray(data), dtype=dtype)
    return flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)
