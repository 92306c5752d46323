"""NTU RGB+D .skeleton files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from skeletr.cli import main
from skeletr.datasets.clip import DatasetError
from skeletr.datasets.ntu import MUTUAL, TRAIN_PEOPLE, read_ntu
from skeletr.datasets.store import RecordingStore
from skeletr.skeleton import COCO_INDEX
from tests.public_files import LONG_ID, kinect_body, write_ntu, write_skeleton

LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_WRIST = 5, 6, 9


def test_ntu_names_splits_and_groups(tmp_path: Path) -> None:
    folder = write_ntu(tmp_path)
    notes: list[str] = []
    found = {s.name: s for s in read_ntu(folder, note=notes.append)}
    assert {n: s.recording.actions[0].label for n, s in found.items()} == {
        "S001C001P001R001A050": "punch someone",
        "S018C002P003R002A112": "high five",
        "S001C003P002R001A010": "A010",
    }
    assert found["S018C002P003R002A112"].group == "P003"
    assert notes == ["S002C001P001R001A051.skeleton: nobody is seen"]
    expected = {"xsub": ["train", "train", "test"], "xview": ["test", "train", "train"]}
    expected["xset"] = ["test", "test", "train"]
    for protocol, splits in expected.items():
        assert [s.split for s in read_ntu(folder, protocol)] == splits
    assert [s.name for s in read_ntu(folder, mutual_only=True, classes=60)] == [
        "S001C001P001R001A050"
    ]
    (tmp_path / "missing.txt").write_text("S001C001P001R001A050\n")
    assert len(list(read_ntu(folder, ignore=tmp_path / "missing.txt"))) == 2


def test_ntu_protocols_have_the_published_sizes() -> None:
    assert len(TRAIN_PEOPLE) == 53
    assert len([p for p in TRAIN_PEOPLE if p <= 40]) == 20
    assert sorted(MUTUAL) == [*range(50, 61), *range(106, 121)]
    assert len(set(MUTUAL.values())) == 26


def test_ntu_joints_are_in_the_picture_with_left_on_the_right(tmp_path: Path) -> None:
    sample = next(read_ntu(write_ntu(tmp_path), mutual_only=True))
    recording = sample.recording
    assert recording.image_size == (1920, 1080)
    assert recording.people == [0, 1]
    assert recording.end == pytest.approx(39 / 30)
    joints = recording.keypoints[0]
    assert joints[LEFT_SHOULDER, 0] > joints[RIGHT_SHOULDER, 0]
    assert joints[0, 1] < joints[11, 1] < joints[15, 1]
    assert joints[COCO_INDEX["left_ear"], 2] == 0
    # The body at x = -0.5 m, 810 of the mirror image, is at 1110 of the picture.
    assert sorted(np.unique(np.round(recording.keypoints[:2, 0, 0]))) == [810, 1110]


def test_ntu_inferred_joints_count_half_and_untracked_or_infinite_ones_not(tmp_path: Path) -> None:
    body = kinect_body(0, 20)
    body[:, 6, 11], body[:, 10, 11] = 1, 0
    body[:, 14, 5] = -np.inf
    write_skeleton(tmp_path / "S001C001P001R001A001.skeleton", {"7": (0, body)}, 20)
    joints = next(read_ntu(tmp_path)).recording.keypoints[0]
    assert joints[LEFT_WRIST, 2] == 0.5
    assert joints[COCO_INDEX["right_wrist"], 2] == 0
    assert joints[COCO_INDEX["left_ankle"]].tolist() == [0, 0, 0]


def test_ntu_furniture_is_left_out_and_the_liveliest_two_stay(tmp_path: Path) -> None:
    table = kinect_body(2, 40, swing=0.5)
    table[..., 0] *= 5
    table[..., 1] *= 0.1
    bodies = {
        "1": (0, kinect_body(-1, 40, swing=0.02)),
        "2": (0, kinect_body(2, 40, swing=0.0)),
        "3": (0, kinect_body(0, 40, swing=0.1)),
        "4": (0, kinect_body(1, 40, swing=0.05)),
        "5": (3, kinect_body(1, 5, swing=0.5)),
        "6": (0, table),
    }
    write_skeleton(tmp_path / "S001C001P001R001A055.skeleton", bodies, 40)
    mutual = next(read_ntu(tmp_path)).recording
    noses = 960 - (mutual.keypoints[mutual.rows(0), 0, 0] - 960)
    assert sorted(np.round((noses - 960) / 300)) == [0, 1]
    write_skeleton(tmp_path / "S001C001P001R001A010.skeleton", bodies, 40)
    assert next(read_ntu(tmp_path)).recording.people == [0]


def test_ntu_a_body_that_gets_a_new_id_is_kept(tmp_path: Path) -> None:
    body = kinect_body(0, 40)
    bodies = {LONG_ID: (0, body[:18]), "72057594037931102": (20, body[20:])}
    write_skeleton(tmp_path / "S001C001P001R001A001.skeleton", bodies, 40)
    recording = next(read_ntu(tmp_path)).recording
    assert len(recording.frame_times) == 40
    assert len(recording.frame) == 38


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[: len(text) // 2], "numbers, expected|out of bounds"),
        (lambda text: text + " 1 2 3", "numbers, expected"),
        (lambda text: text.replace("\n25\r", "\n24\r", 1), "frame 0: 24 joints, expected 25"),
        (lambda text: "Dear all", "could not convert"),
        (lambda text: "", "out of bounds"),
    ],
)
def test_ntu_broken_files_are_named(
    change: Callable[[str], str], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "S001C001P001R001A001.skeleton"
    write_skeleton(path, {"7": (0, kinect_body(0, 12))}, 12)
    path.write_bytes(change(path.read_bytes().decode()).encode())
    with pytest.raises(DatasetError, match=rf"A001\.skeleton is not a .*({said})"):
        list(read_ntu(tmp_path))


def test_ntu_folders_and_names_that_do_not_fit_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds no \.skeleton files"):
        list(read_ntu(tmp_path))
    (tmp_path / "one.skeleton").write_text("0")
    with pytest.raises(DatasetError, match=r"one\.skeleton: expected a name like"):
        list(read_ntu(tmp_path))


def test_prepare_ntu(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = str(write_ntu(tmp_path / "ntu")), str(tmp_path / "out")
    assert main(["prepare", "ntu", source, "--out", out, "--mutual-only"]) == 0
    said = capsys.readouterr()
    assert "2 samples (1 train, 0 val, 1 test), 2 labels" in said.out
    assert "A051.skeleton: nobody is seen" in said.err
    assert RecordingStore.open(out).labels == ("high five", "punch someone")
