"""Pickles of strangers without running their code: arrays, containers, strings and numbers."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from skeletr.datasets.clip import DatasetError

# The only names a pickle may call for; both spellings of numpy's inner module.
_ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),  # protocol 5: an array from bytes
    ("numpy._core.numeric", "_frombuffer"),
    ("collections", "OrderedDict"),
    ("_codecs", "encode"),
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is refused")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def load_pickle(path: str | os.PathLike[str]) -> Any:
    """Read a pickle that holds numpy arrays, containers, strings and numbers only.

    Raises:
        DatasetError: names the file and what was refused, or why it cannot be read.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            value = _Unpickler(file).load()
        _refuse_objects(value)
    except (
        pickle.UnpicklingError,
        EOFError,
        AttributeError,
        ArithmeticError,
        ImportError,
        LookupError,
        MemoryError,
        OSError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise DatasetError(
            f"{path} is not a pickle of numpy arrays, containers, strings and numbers: {error}"
        ) from error
    return value


def _refuse_objects(value: Any) -> None:
    """Stop at anything that is no plain value, for instance the type `numpy.ndarray` itself."""
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_objects(key)
            _refuse_objects(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            _refuse_objects(item)
    elif not isinstance(
        value, str | bytes | int | float | complex | bool | np.ndarray | np.generic | None
    ):
        raise ValueError(f"it holds a {type(value).__name__}")
