"""PYSKL pickles, and pickles that would run code."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from skeletr.cli import main
from skeletr.datasets.ava import read_ava
from skeletr.datasets.clip import DatasetError
from skeletr.datasets.pyskl import class_names, group_of, read_pyskl
from skeletr.datasets.store import RecordingStore
from skeletr.datasets.volleyball import read_volleyball
from skeletr.sequences import SequenceConfig, build_sequences
from skeletr.skeleton import COCO_INDEX
from tests.public_files import (
    XSUB,
    XTRAIN,
    Evil,
    people,
    plain,
    write_compact,
    write_plain,
    write_volleyball,
)

LEFT_SHOULDER = 5


def test_pyskl_clips_become_recordings_with_the_label_of_the_whole(tmp_path: Path) -> None:
    path = write_plain(tmp_path / "ntu.pkl")
    (tmp_path / "names.txt").write_text("drink water\nhug\n")
    names = class_names(tmp_path / "names.txt", None)
    one, two = read_pyskl(path, XSUB, names=names, fps=15)
    assert (one.name, one.split, two.name, two.split) == ("S1A1", "train", "S2A2", "test")
    assert [a.label for a in one.recording.actions] == ["drink water"]
    hug = two.recording.actions[0]
    assert (hug.label, hug.person, hug.start) == ("hug", None, 0.0)
    assert hug.end == two.recording.end == pytest.approx(29 / 15)
    assert two.recording.image_size == (640, 480)
    assert two.recording.people == [0, 1]
    assert (two.recording.person == 1).sum() == 20
    first = two.recording.keypoints[0]
    np.testing.assert_allclose(first[:, :2], people([100], 1)[0, 0, :, :2], atol=0.3)
    assert first[COCO_INDEX["left_eye"], 2] == 0


def test_pyskl_splits_are_chosen_by_name(tmp_path: Path) -> None:
    path = write_plain(tmp_path / "ntu.pkl")
    assert [(s.name, s.split) for s in read_pyskl(path, {"val": "xview_train"})] == [
        ("S2A2", "val")
    ]
    with pytest.raises(DatasetError, match=r"\['train'\] asked for.*xsub_train"):
        list(read_pyskl(path, {"train": "train"}))
    with pytest.raises(DatasetError, match="S2A2 is in xview_train and in another"):
        list(read_pyskl(path, {**XSUB, "val": "xview_train"}))


def test_compact_kinetics_keeps_empty_frames_and_leaves_weak_boxes_out(tmp_path: Path) -> None:
    path = write_compact(tmp_path)
    found = {s.name: s for s in read_pyskl(path, {"train": "train", "test": "val"}, fps=10)}
    run = found["run/1"].recording
    assert list(found) == ["sit/2", "sing/3", "run/1"]  # one keypoint file after the other
    np.testing.assert_allclose(run.frame_times, [0, 0.1, 0.2, 0.3])
    assert run.frame.tolist() == [0, 0, 2, 2]
    assert run.person.tolist() == [0, 1, 0, 1]  # ranks, not identities
    assert run.boxes[1, 0] > 400  # the third skeleton: the second had a weak box
    assert found["sit/2"].split == "test"


def test_sequences_link_compact_skeletons_by_iou_whatever_their_rank(tmp_path: Path) -> None:
    joints = people([100, 400], 20)
    order = [(0, 1) if t % 2 else (1, 0) for t in range(20)]
    points = np.concatenate([joints[list(o), t] for t, o in enumerate(order)])
    clip = {
        "frame_dir": "v",
        "label": 0,
        "total_frames": 20,
        "img_shape": (480, 640),
        "frame_inds": np.repeat(np.arange(20), 2),
        "box_score": np.ones(40),
        "raw_file": "k.pkl",
    }
    (tmp_path / "k.pkl").write_bytes(pickle.dumps({"v": {"keypoint": points}}))
    content = {"split": {"train": ["v"]}, "annotations": [clip]}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(content))
    sample = next(read_pyskl(tmp_path / "a.pkl", {"train": "train"}, fps=20))
    sequences = build_sequences(sample.recording, SequenceConfig(frames=10))
    assert len(sequences) >= 2
    shoulders = sequences.keypoints[:, :, LEFT_SHOULDER]
    seen = shoulders[..., 2] > 0
    for row, there in zip(shoulders, seen, strict=True):
        assert np.ptp(row[there, 0]) < 1


def test_posetics_is_kinetics_with_a_class_map(tmp_path: Path) -> None:
    path = write_compact(tmp_path)
    (tmp_path / "names.json").write_text(json.dumps({"0": "running", "1": "sitting", "2": "sing"}))
    changes = {"running": "run", "1": "sit", "sing": None}
    (tmp_path / "map.json").write_text(json.dumps(changes))
    names = class_names(tmp_path / "names.json", tmp_path / "map.json")
    found = {s.name: s.recording.actions[0].label for s in read_pyskl(path, XTRAIN, names=names)}
    assert found == {"run/1": "run", "sit/2": "sit"}
    (tmp_path / "map.json").write_text(json.dumps({"running": "run"}))
    with pytest.raises(DatasetError, match=r"map\.json has neither 'sitting' nor '1'"):
        names = class_names(tmp_path / "names.json", tmp_path / "map.json")
        list(read_pyskl(path, XTRAIN, names=names))


def test_label_files_that_do_not_fit_are_named(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("only one\n")
    names = class_names(tmp_path / "names.txt", None)
    with pytest.raises(DatasetError, match=r"names\.txt has no name for class 1, only for 1"):
        list(read_pyskl(write_plain(tmp_path / "a.pkl"), XSUB, names=names))
    (tmp_path / "names.json").write_text("{")
    with pytest.raises(DatasetError, match=r"names\.json is not JSON"):
        class_names(tmp_path / "names.json", None)
    (tmp_path / "map.json").write_text("[1]")
    with pytest.raises(DatasetError, match=r"map\.json holds a list, expected a dict"):
        class_names(None, tmp_path / "map.json")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"keypoint": np.zeros((1, 30, 25, 3))}, r"\(1, 30, 25, 3\).*prepare ntu"),
        ({"keypoint_score": np.zeros((1, 29, 17))}, r"keypoint_score \(1, 29, 17\), expected"),
        ({"keypoint": "none"}, "keypoint is"),
        ({"img_shape": None}, "img_shape is None"),
        ({"img_shape": (0, 640)}, r"image_size is \(640, 0\)"),
        ({"label": "hug"}, "label 'hug', expected a class index"),
    ],
)
def test_a_clip_that_is_not_as_described_is_named(change: dict, said: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.pkl"
    clip = {**plain("bad clip", 0, people([200], 30)), **change}
    content = {"split": {"train": ["bad clip"]}, "annotations": [clip]}
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(DatasetError, match=rf"broken\.pkl, bad clip: .*{said}"):
        list(read_pyskl(path, {"train": "train"}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"frame_inds": np.array([0, 2, 0, 2, 2])}, "frame_inds are not in order within 0..3"),
        ({"total_frames": 2}, "frame_inds are not in order within 0..1"),
        ({"box_score": np.ones(3)}, r"box_score \(3,\), expected"),
        ({"raw_file": "gone.pkl"}, r"holds neither gone\.pkl nor kpfiles/gone\.pkl"),
        ({"raw_file": "part_a.pkl"}, r"part_a\.pkl holds no \{'keypoint': \.\.\.\} of run/1"),
    ],
)
def test_a_compact_clip_that_is_not_as_described_is_named(
    change: dict, said: str, tmp_path: Path
) -> None:
    path = write_compact(tmp_path)
    content = pickle.loads(path.read_bytes())
    content["annotations"][0].update(change)
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(DatasetError, match=said):
        list(read_pyskl(path, XTRAIN))


def test_clips_without_people_are_left_out_and_noted(tmp_path: Path) -> None:
    empty = plain("S3A1", 0, people([], 30))
    path = write_plain(tmp_path / "a.pkl", empty)
    content = pickle.loads(path.read_bytes())
    content["split"]["xsub_train"].append("S3A1")
    path.write_bytes(pickle.dumps(content))
    notes: list[str] = []
    assert len(list(read_pyskl(path, XSUB, note=notes.append))) == 2
    assert notes == ["S3A1: nobody is seen"]


def test_pickles_that_would_run_code_are_refused_everywhere(tmp_path: Path) -> None:
    evil = tmp_path / "evil.pkl"
    evil.write_bytes(pickle.dumps({"split": {}, "annotations": [Evil()]}))
    with pytest.raises(DatasetError, match=r"evil\.pkl.*refused"):
        list(read_pyskl(evil, XSUB))
    with pytest.raises(DatasetError, match=r"evil\.pkl.*refused"):
        list(read_ava(evil, {}))
    path = write_compact(tmp_path / "k400")
    (tmp_path / "k400" / "kpfiles" / "part_a.pkl").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(DatasetError, match=r"part_a\.pkl.*refused"):
        list(read_pyskl(path, XTRAIN))
    write_volleyball(tmp_path / "v")
    (tmp_path / "v" / "tracks_normalized.pkl").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(DatasetError, match=r"tracks_normalized\.pkl.*refused"):
        list(read_volleyball(tmp_path / "v"))
    joints = tmp_path / "v" / "joints" / "4" / "100.pickle"
    joints.write_bytes(pickle.dumps(Evil()))
    (tmp_path / "v" / "tracks_normalized.pkl").unlink()
    with pytest.raises(DatasetError, match=r"100\.pickle.*refused"):
        list(read_volleyball(tmp_path / "v"))


def test_what_is_no_pyskl_pickle_is_named(tmp_path: Path) -> None:
    (tmp_path / "list.pkl").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(DatasetError, match=r"list\.pkl holds list, expected a dict of split"):
        list(read_pyskl(tmp_path / "list.pkl", XSUB))
    (tmp_path / "text.pkl").write_text("Dear all")
    with pytest.raises(DatasetError, match=r"text\.pkl"):
        list(read_pyskl(tmp_path / "text.pkl", XSUB))


@pytest.mark.parametrize(
    ("id", "group"),
    [
        ("S001C002P003R002A050", "P003"),
        ("v_ApplyEyeMakeup_g08_c01", "ApplyEyeMakeup_g08"),
        ("abc", ""),
        ("S001C002P003R002A050x", ""),
    ],
)
def test_performers_and_films_are_known_by_the_id_of_a_clip(id: str, group: str) -> None:
    assert group_of(id) == group


def test_prepare_pyskl(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["prepare", "pyskl", str(write_plain(tmp_path / "a.pkl")), "--out"]
    assert main([*command, str(tmp_path / "o")]) == 1
    assert "at least one of --train" in capsys.readouterr().err
    chosen = ["--train", "xsub_train", "--test", "xsub_val"]
    assert main([*command, str(tmp_path / "o"), *chosen]) == 0
    assert "2 samples (1 train, 0 val, 1 test), 2 labels" in capsys.readouterr().out
    assert RecordingStore.open(tmp_path / "o").labels == ("class 0", "class 1")
