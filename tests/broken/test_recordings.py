"""Recordings from strangers: opened without executing anything, or refused in one sentence.

`SKELETR_FLIPS=1000` tries that many damaged files.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from skeletr import recording as recording_module
from skeletr.recording import Recording, RecordingError
from tests.broken.test_videos import flipped
from tests.synthetic import scene

FLIPS = int(os.environ.get("SKELETR_FLIPS", "60"))
HEADER = {"version": 1, "image_size": [640, 480], "source": "", "actions": []}


class Trap:
    """Opening it as a pickle makes a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self._path,)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "r.npz"
    scene([100, 300], np.arange(20) / 10).save(path)
    return path.read_bytes()


def columns() -> dict[str, np.ndarray]:
    made = scene([100], np.arange(5) / 10)
    names = ("frame_times", "frame", "person", "keypoints", "boxes")
    return {name: getattr(made, name) for name in names}


def encoded(header: object) -> np.ndarray:
    text = header if isinstance(header, str) else json.dumps(header)
    return np.frombuffer(text.encode(), np.uint8)


def array(value: np.ndarray) -> bytes:
    data = io.BytesIO()
    np.lib.format.write_array(data, value)
    return data.getvalue()


def claiming(shape: tuple[int, ...]) -> bytes:
    """The bytes of an array that says it is large, and is not."""
    data = io.BytesIO()
    facts = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(data, facts)
    return data.getvalue() + bytes(64)


def write(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def members(header: object = HEADER, **changes: bytes | np.ndarray) -> dict[str, bytes]:
    made = {"header": encoded(header), **columns(), **changes}
    return {
        f"{name}.npy": value if isinstance(value, bytes) else array(value)
        for name, value in made.items()
    }


def without(name: str) -> dict[str, bytes]:
    kept = members()
    del kept[name]
    return kept


BROKEN: dict[str, Callable[[], dict[str, bytes]]] = {
    "nothing in it": lambda: {},
    "no keypoints": lambda: without("keypoints.npy"),
    "something more": lambda: {**members(), "more.npy": array(np.zeros(3))},
    "a path that leads out": lambda: {**members(), "../../evil.npy": array(np.zeros(3))},
    "text instead of an array": lambda: members(keypoints=b"Dear all"),
    "an array cut off": lambda: members(keypoints=members()["keypoints.npy"][:-10]),
    "a claim of 4 TB": lambda: members(keypoints=claiming((10**10, 17, 3))),
    "a claim beyond all numbers": lambda: members(keypoints=claiming((2**40, 2**40, 2**40))),
    "a negative size": lambda: members(keypoints=claiming((-1, 17, 3))),
    "words instead of numbers": lambda: members(frame_times=np.array(["a", "b"])),
    "complex numbers": lambda: members(keypoints=np.zeros((5, 17, 3), complex)),
    "records": lambda: members(boxes=np.zeros(3, [("a", "f4"), ("b", "i4")])),
    "times that are no numbers": lambda: members(frame_times=np.full(5, np.nan)),
    "joints that are no numbers": lambda: members(
        keypoints=np.full((5, 17, 3), np.nan, np.float32)
    ),
    "boxes without an end": lambda: members(boxes=np.full((5, 4), np.inf)),
    "times that go back": lambda: members(frame_times=np.arange(5.0)[::-1]),
    "frames out of range": lambda: members(frame=np.full(5, 10**6, np.int32)),
    "another format": lambda: members({**HEADER, "version": 99}),
    "a header without a size": lambda: members({"version": 1}),
    "a size below one": lambda: members({**HEADER, "image_size": [0, -5]}),
    "a size of words": lambda: members({**HEADER, "image_size": ["a", "b"]}),
    "a header that is a list": lambda: members([1, 2]),
    "a header that is no JSON": lambda: members("{"),
    "a header nested deeply": lambda: members("[" * 100_000),
    "a header of a wrong encoding": lambda: {
        **members(),
        "header.npy": array(np.full(9, 255, np.uint8)),
    },
    "actions that are none": lambda: members({**HEADER, "actions": [[1]]}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_one_sentence(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "r.npz", BROKEN[name]())
    with pytest.raises(RecordingError, match=r"r\.npz is not a readable recording: ") as error:
        Recording.load(path)
    assert str(tmp_path) not in str(error.value) and len(str(error.value)) < 500
    assert [p.name for p in tmp_path.iterdir()] == ["r.npz"]


def test_the_parts_of_these_tests_make_a_recording(tmp_path: Path) -> None:
    assert len(Recording.load(write(tmp_path / "r.npz", members())).frame) == 5


def test_a_pickle_in_a_recording_is_not_opened(tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    array_of_objects = io.BytesIO()
    np.save(array_of_objects, np.array([Trap(trap)], dtype=object), allow_pickle=True)
    paths = [
        write(tmp_path / "a.npz", members(keypoints=array_of_objects.getvalue())),
        write(tmp_path / "b.npz", members(keypoints=pickle.dumps(Trap(trap)))),
        tmp_path / "c.npz",
    ]
    paths[2].write_bytes(pickle.dumps(Trap(trap)))
    for path in paths:
        with pytest.raises(RecordingError):
            Recording.load(path)
    assert not trap.exists()


def test_what_unpacks_to_too_much_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_module, "MAX_BYTES", 2**20)
    path = write(tmp_path / "bomb.npz", members(boxes=np.zeros((10**6, 4), np.float32)))
    assert path.stat().st_size < 50_000
    with pytest.raises(RecordingError, match="unpacks to 15 MB, the limit is 1 MB"):
        Recording.load(path)


def test_a_size_that_the_archive_lies_about_is_not_believed(tmp_path: Path) -> None:
    path = write(tmp_path / "r.npz", members(boxes=np.zeros((10**5, 4), np.float32)))
    data = path.read_bytes()
    real = (10**5 * 16 + 128).to_bytes(4, "little")
    assert real in data
    path.write_bytes(data.replace(real, (100).to_bytes(4, "little")))
    with pytest.raises(RecordingError):
        Recording.load(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_is_refused(tmp_path: Path, method: int) -> None:
    path = write(tmp_path / "r.npz", members(), method)
    with pytest.raises(RecordingError, match="compressed in an unknown way"):
        Recording.load(path)


@pytest.mark.parametrize("percent", [0, 10, 50, 90])
def test_cut_off(percent: int, whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "r.npz"
    path.write_bytes(whole[: len(whole) * percent // 100])
    with pytest.raises(RecordingError):
        Recording.load(path)


def test_flipped_bytes(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "r.npz"
    for seed in range(FLIPS):
        path.write_bytes(flipped(whole, seed))
        try:
            found = Recording.load(path)
        except RecordingError as error:
            assert str(error).startswith("r.npz is not"), seed
        else:
            assert found.keypoints.shape[1:] == (17, 3), seed
