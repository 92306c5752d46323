"""Columns of a store: .npy files that grow while they are written and are mapped when read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from skeletr.datasets.clip import DatasetError
from skeletr.npz import DAMAGE

Form = tuple[str, tuple[int, ...]]  # data type and shape of a row


class ColumnWriter:
    """A .npy file that grows; its header is written again when the number of rows is known."""

    def __init__(self, path: Path, form: Form) -> None:
        self._type, self._row = form
        self._file = path.open("wb")
        self.rows = 0
        self._write_header()

    def append(self, values: object) -> None:
        """Add one row, or several along the first axis."""
        array = np.asarray(values, dtype=self._type).reshape(-1, *self._row)
        self._file.write(array.tobytes())
        self.rows += len(array)

    def close(self) -> None:
        """Finish the file."""
        with self._file:
            self._file.seek(0)
            self._write_header()

    def _write_header(self) -> None:
        # numpy pads the header so that the first dimension may grow in place.
        shape = (self.rows, *self._row)
        facts = {"descr": self._type, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, facts)


@contextmanager
def write_columns(folder: Path, forms: Mapping[str, Form]) -> Iterator[dict[str, ColumnWriter]]:
    """A writer of NAME.npy for every name; all are closed at the end."""
    columns = {name: ColumnWriter(folder / f"{name}.npy", form) for name, form in forms.items()}
    try:
        yield columns
    finally:
        for column in columns.values():
            column.close()


def map_column(path: Path, form: Form, rows: int) -> np.ndarray:
    """A read-only view of a column on the disk.

    Raises:
        DatasetError: it is missing, cut off, or not of this form and number of rows.
    """
    try:
        column = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, OverflowError, TypeError, *DAMAGE) as error:
        raise DatasetError(f"{path} is missing or cut off: {error}") from error
    expected = np.dtype(form[0]), (rows, *form[1])
    if (column.dtype, column.shape) != expected:
        raise DatasetError(
            f"{path}: {column.dtype} {column.shape}, expected {expected[0]} {expected[1]}"
        )
    return column.view(np.ndarray)  # slices of np.memmap itself are slow


def map_offsets(path: Path, rows: int, end: int) -> np.ndarray:
    """A column of offsets, from 0 to `end`, never decreasing; errors as above."""
    offsets = map_column(path, ("<i8", ()), rows)
    if not rows or offsets[0] != 0 or offsets[-1] != end or (np.diff(offsets) < 0).any():
        raise DatasetError(f"{path} does not lead from 0 to {end} in order")
    return offsets
