"""Data sets with damaged files: samples or one error that names the file, and nothing else.

`SKELETR_FLIPS=1000 pytest tests/broken/test_datasets.py` damages that many files of every format.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from skeletr.datasets import DATASETS, load_clips
from skeletr.datasets.ava import read_ava
from skeletr.datasets.clip import DatasetError
from skeletr.datasets.ntu import read_ntu
from skeletr.datasets.pyskl import read_pyskl
from skeletr.datasets.recordings import read_recordings
from skeletr.datasets.restricted_pickle import load_pickle
from skeletr.datasets.store import RecordingStore
from skeletr.datasets.volleyball import read_volleyball
from tests.broken.test_videos import flipped
from tests.own_store import make_store, write_recordings
from tests.public_files import (
    XSUB,
    write_ava,
    write_compact,
    write_ntu,
    write_plain,
    write_volleyball,
)
from tests.skeleton_files import write_all

FLIPS = int(os.environ.get("SKELETR_FLIPS", "25"))
_LONGEST = 1500  # characters of an error


@dataclass(frozen=True)
class Format:
    """write: a valid data set into a folder. read: all of it."""

    write: Callable[[Path], object]
    read: Callable[[Path], object]


def _read_ava(folder: Path) -> list:
    tables = {"train": folder / "ava_train_v2.2.csv", "test": folder / "ava_val_v2.2.csv"}
    labels = folder / "actions.pbtxt"
    return list(read_ava(folder / "skeletons", tables, labels=labels))


FORMATS = {
    "PYSKL": Format(
        lambda folder: write_plain(folder / "a.pkl"),
        lambda folder: list(read_pyskl(folder / "a.pkl", XSUB)),
    ),
    "PYSKL, compact": Format(
        write_compact,
        lambda folder: list(
            read_pyskl(folder / "k400.pkl", {"train": "train", "test": "val"}, fps=10)
        ),
    ),
    "NTU RGB+D": Format(write_ntu, lambda folder: list(read_ntu(folder))),
    "AVA": Format(write_ava, _read_ava),
    "Volleyball": Format(write_volleyball, lambda folder: list(read_volleyball(folder))),
    "recordings": Format(write_recordings, lambda folder: list(read_recordings(folder))),
    "store": Format(
        lambda folder: make_store(folder / "s"),
        lambda folder: list(RecordingStore.open(folder / "s")),
    ),
    "the nine of the default model": Format(
        write_all, lambda folder: load_clips(folder, DATASETS, unlabelled=True)
    ),
}


@pytest.fixture(scope="module", params=FORMATS, ids=str)
def whole(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Format, Path]]:
    """A valid data set of each format."""
    found, folder = FORMATS[request.param], tmp_path_factory.mktemp("data")
    found.write(folder)
    assert found.read(folder)
    yield found, folder


def damaged(data: bytes, seed: int) -> bytes:
    """Bytes replaced, the end missing, all missing, or something else in its place."""
    rng = np.random.default_rng(seed)
    what = rng.random()
    if what < 0.7:
        return flipped(data, seed) if data else b"\0"
    if what < 0.85:
        return data[: rng.integers(0, max(1, len(data)))]
    return (b"", b"Dear all,\n", b"\xff\xfe\0" * 50, b"[" * 5000, b"1 " * 5000)[rng.integers(5)]


def test_a_damaged_file_is_named_or_read(whole: tuple[Format, Path]) -> None:
    found, folder = whole
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    for seed in range(FLIPS):
        path = files[seed % len(files)] if len(files) <= FLIPS else files[_spread(seed, files)]
        data = path.read_bytes()
        path.write_bytes(damaged(data, seed))
        try:
            found.read(folder)
        except DatasetError as error:
            assert len(str(error)) < _LONGEST and "Traceback" not in str(error)
        except Exception as error:
            raise AssertionError(f"seed {seed}, {path.name}: {error!r}") from error
        finally:
            path.write_bytes(data)


def _spread(seed: int, files: list[Path]) -> int:
    return int(np.random.default_rng(seed).integers(len(files)))


def test_a_missing_file_is_named_or_done_without(whole: tuple[Format, Path]) -> None:
    found, folder = whole
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    for path in files[:: max(1, len(files) // FLIPS)]:
        data = path.read_bytes()
        path.unlink()
        try:
            found.read(folder)
        except DatasetError:
            pass
        finally:
            path.write_bytes(data)


class _Touch:
    """Opening it as a pickle makes a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self._path,)


PICKLES: dict[str, Callable[[Path], bytes]] = {
    "a call": lambda trap: pickle.dumps(_Touch(trap)),
    "a call deep inside": lambda trap: pickle.dumps({"a": [{"b": (1, _Touch(trap))}]}),
    "a call of the oldest protocol": lambda trap: pickle.dumps(_Touch(trap), 0),
    "a module of this program": lambda trap: b"cskeletr.files\natomic_path\n.",
    "a builtin": lambda trap: b"cbuiltins\neval\n(S'1'\ntR.",
    "an attribute of something allowed": lambda trap: (
        b"\x80\x04\x8c\x05numpy\x8c\x0bos.system\x93."
    ),
    "a persistent id": lambda trap: b"Pabc\n.",
    "an extension code": lambda trap: b"\x80\x02\x82\x01.",
    "an unknown coding": lambda trap: b"c_codecs\nencode\n(S'a'\nS'no-such'\ntR.",
    "nesting without end": lambda trap: b"(" * 10 + b"]" * 200_000 + b"a" * 199_999 + b".",
    "a claim of 4 GB": lambda trap: b"\x80\x04B\xff\xff\xff\xff.",
    "a claim of all memory": lambda trap: b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
    "a stack that is empty": lambda trap: b"\x80\x04.",
    "a mark that is missing": lambda trap: b"t.",
    "a memo that is missing": lambda trap: b"h\x07.",
    "a type": lambda trap: pickle.dumps(np.ndarray),
    "no end": lambda trap: pickle.dumps({"a": 1})[:-1],
    "an array of objects": lambda trap: pickle.dumps(np.array([_Touch(trap)], dtype=object)),
}


@pytest.mark.parametrize("name", PICKLES)
def test_a_pickle_runs_nothing(name: str, tmp_path: Path) -> None:
    trap, path = tmp_path / "sprung", tmp_path / "a.pkl"
    path.write_bytes(PICKLES[name](trap))
    with pytest.raises(DatasetError, match=r"a\.pkl"):
        load_pickle(path)
    assert not trap.exists()
