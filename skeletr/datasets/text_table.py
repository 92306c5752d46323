"""Tables of numbers in text files, with errors that say what is wrong."""

from __future__ import annotations

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


def require(paths: list[Path], folder: Path, what: str) -> list[Path]:
    """The paths, sorted; raises `DatasetError` where there is none."""
    if not paths:
        raise DatasetError(f"{folder} holds no {what}")
    return sorted(paths)
