"""Tables of numbers in text files, with errors that say what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skeletr.datasets.clip import DatasetError


def read_table(
    path: Path, columns: int, delimiter: str | None = None, skip: int = 0, first: int = 0
) -> np.ndarray:
    """The numbers of a text file.

    Args:
        columns: how many are wanted, counted from column `first`.
        skip: lines of heading to leave out.

    Returns:
        (rows, columns) float64.

    Raises:
        DatasetError: a row is short, or no number; names the file and the reason.
    """
    wanted = range(first, first + columns)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()[skip:]
        if not any(line.strip() for line in lines):
            raise ValueError("it holds no rows")
        table = np.loadtxt(lines, delimiter=delimiter, usecols=wanted, ndmin=2)
    except (ValueError, OSError) as error:
        raise DatasetError(
            f"{path}: expected rows of at least {first + columns} columns: {error}"
        ) from error
    return table


def read_frames(path: Path, joints: int, columns: int) -> np.ndarray:
    """A file of one joint a line, `joints` lines a frame.

    Returns:
        (T, joints, columns) float64.

    Raises:
        DatasetError: as `read_table`, or the lines do not make whole frames.
    """
    table = read_table(path, columns)
    if len(table) % joints:
        raise DatasetError(f"{path}: {len(table)} rows, expected {joints} per frame")
    return table.reshape(-1, joints, columns)


def named_files(
    folder: Path, pattern: str, name: re.Pattern[str], what: str
) -> Iterator[tuple[Path, re.Match[str]]]:
    """The files of a folder in order, each with what its name says.

    Args:
        pattern: which files, as for `Path.glob`.
        name: what the whole name of each must match.
        what: such a name in words, for the errors.

    Raises:
        DatasetError: there is no file, or one has another name.
    """
    for path in require(list(folder.glob(pattern)), folder, f"files named {what}"):
        match = name.fullmatch(path.name)
        if match is None:
            raise DatasetError(f"{path}: expected a name like {what}")
        yield path, match


def require(paths: list[Path], folder: Path, what: str) -> list[Path]:
    """The paths, sorted; raises `DatasetError` where there is none."""
    if not paths:
        raise DatasetError(f"{folder} holds no {what}")
    return sorted(paths)
