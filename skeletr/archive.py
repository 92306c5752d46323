"""Files of numpy arrays with a header of plain values: .npz without pickles, on top of `npz`."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from skeletr.files import atomic_path
from skeletr.npz import NpzError, array_names, read_npz

HEADER = "header"  # the array that holds JSON
_MOST_HEADER = 4 << 20  # bytes of JSON
_MOST_REASON = 400  # characters


class ArchiveError(ValueError):
    """An .npz that is refused: the message says what was found and what was expected."""


def reason(error: Exception) -> str:
    """What an error says, in short: it may repeat what a file holds, at any length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _MOST_REASON else f"{text[:_MOST_REASON]}..."


def write_arrays(
    path: str | os.PathLike[str], header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """A compressed .npz without pickles; the file appears whole or not at all."""
    text = json.dumps(header, allow_nan=False).encode()
    with atomic_path(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **{HEADER: np.frombuffer(text, dtype=np.uint8)}, **arrays)


def read_arrays(
    path: str | os.PathLike[str], most_bytes: int, most_arrays: int
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The header and the arrays of what `write_arrays` wrote.

    Args:
        most_bytes: of all arrays together when unpacked; looked up before anything is unpacked.

    Raises:
        ArchiveError: not such a file, too large, or arrays of anything but numbers.
    """
    try:
        names = _names(Path(path), most_arrays)
        arrays = read_npz(Path(path), dict.fromkeys(names, np.number), most_bytes)
        text = arrays.pop(HEADER).tobytes()
        if len(text) > _MOST_HEADER:
            raise ArchiveError(
                f"a header of {len(text):,} bytes, expected {_MOST_HEADER:,} at most"
            )
        header = json.loads(text)
    except ArchiveError:
        raise
    except NpzError as error:
        raise ArchiveError(str(error)) from error
    except OSError as error:  # its own words name the folder
        raise ArchiveError(f"it cannot be read: {error.strerror or 'the disk refused'}") from error
    # NotImplementedError: a zip of a version that Python does not know.
    except (zipfile.BadZipFile, NotImplementedError, RecursionError, ValueError) as error:
        raise ArchiveError(f"not a readable .npz of arrays with a header: {error}") from error
    if not isinstance(header, dict):
        raise ArchiveError(f"the header is a {type(header).__name__}, expected keys and values")
    return header, arrays


def _names(path: Path, most: int) -> list[str]:
    """Of the arrays in the zip directory."""
    names = array_names(path)
    if len(names) > most:
        raise ArchiveError(f"{len(names)} arrays, expected at most {most}")
    if HEADER not in names:
        raise ArchiveError(f"it holds {sorted(names)[:9]}, expected a {HEADER} among them")
    return names
