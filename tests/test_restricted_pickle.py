from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from skeletr.datasets import DatasetError
from skeletr.datasets.restricted_pickle import load_pickle


class _Danger:
    def __reduce__(self) -> tuple:
        return os.system, ("exit 1",)


def test_pickles_run_no_code(tmp_path: Path) -> None:
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps({"pose": [_Danger()]}))
    with pytest.raises(DatasetError, match=r"evil\.pkl.*system"):
        load_pickle(path)


@pytest.mark.parametrize("value", [np.ndarray, object(), np.array([object()], dtype=object)])
def test_pickles_hold_plain_values_only(tmp_path: Path, value: object) -> None:
    path = tmp_path / "odd.pkl"
    path.write_bytes(pickle.dumps(value))
    with pytest.raises(DatasetError, match=r"odd\.pkl"):
        load_pickle(path)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_pickles_of_arrays_are_read(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "good.pkl"
    value = {"a": [np.arange(3.0)], "b": ("x", 1, None, np.float32(2))}
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    assert load_pickle(path)["a"][0].tolist() == [0, 1, 2]
