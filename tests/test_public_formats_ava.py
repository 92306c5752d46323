"""AVA: labels of people by the second."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from skeletr.cli import main
from skeletr.datasets.ava import AvaConfig, read_ava
from skeletr.datasets.ava_skeletons import linked
from skeletr.datasets.clip import DatasetError
from skeletr.datasets.sample import Sample
from skeletr.datasets.store import RecordingStore
from skeletr.recording import UNTRACKED
from tests.public_files import write_ava
from tests.synthetic import scene


def read_written_ava(folder: Path, **options: object) -> dict[str, Sample]:
    tables = {"train": folder / "ava_train_v2.2.csv", "test": folder / "ava_val_v2.2.csv"}
    return {s.name: s for s in read_ava(folder / "skeletons", tables, **options)}


def test_ava_labels_are_actions_of_people_around_their_second(tmp_path: Path) -> None:
    folder = write_ava(tmp_path)
    notes: list[str] = []
    found = read_written_ava(folder, labels=folder / "actions.pbtxt", note=notes.append)
    assert list(found) == ["film1,0902", "film1,0903", "film1,0904", "film1,0908"]
    assert [s.split for s in found.values()] == ["train", "train", "train", "test"]
    sample = found["film1,0902"]
    assert sample.group == "film1"
    by_label = {a.label: a for a in sample.recording.actions}
    assert set(by_label) == {"stand", "talk to (e.g., self)", "sit"}
    assert by_label["stand"].person == by_label["talk to (e.g., self)"].person
    assert by_label["stand"].person != by_label["sit"].person
    assert (by_label["sit"].start, by_label["sit"].end) == (901.5, 902.5)
    assert notes == [
        "film1: 4 of 5 labelled people have skeletons",
        "film2: 0 of all labelled people have skeletons",
    ]


def test_ava_people_keep_their_id_and_place_over_the_window(tmp_path: Path) -> None:
    sample = read_written_ava(write_ava(tmp_path))["film1,0902"]
    recording = sample.recording
    assert recording.start == pytest.approx(899.5)
    assert recording.end == pytest.approx(904.5)
    labels = {a.label: a.person for a in recording.actions}
    assert set(labels) == {"action 11", "action 12", "action 79"}
    for label, place in (("action 12", 150), ("action 11", 450)):
        noses = recording.keypoints[recording.person == labels[label], 0, 0]
        assert len(noses) == 51
        np.testing.assert_allclose(noses, place, atol=1)


def test_ava_options(tmp_path: Path) -> None:
    folder = write_ava(tmp_path)
    found = read_written_ava(
        folder, excluded=[folder / "excluded.csv"], config=AvaConfig(seconds=10)
    )
    assert list(found) == ["film1,0902", "film1,0904", "film1,0908"]
    recording = found["film1,0902"].recording
    assert recording.end - recording.start == pytest.approx(10)
    (folder / "actions.csv").write_text("id,name\n12,stand\n")
    only = read_written_ava(folder, labels=folder / "actions.csv")
    assert {a.label for s in only.values() for a in s.recording.actions} == {"stand"}
    assert list(only) == ["film1,0902", "film1,0903", "film1,0904"]


def test_ava_takes_saved_recordings_and_pickles_by_video_or_by_second(tmp_path: Path) -> None:
    folder = write_ava(tmp_path)
    expected = {n: len(s.recording.frame) for n, s in read_written_ava(folder).items()}
    entry = dict(np.load(folder / "skeletons" / "film1.npz"))
    around = {**entry, "frame_inds": entry["frame_inds"]}
    table = {"train": folder / "ava_train_v2.2.csv"}
    for content in ({"film1": entry}, {"film1,0902": around}):
        path = tmp_path / "all.pkl"
        path.write_bytes(pickle.dumps(content))
        found = {s.name: len(s.recording.frame) for s in read_ava(path, table)}
        assert found["film1,0902"] == expected["film1,0902"]
        assert len(found) == (3 if "film1" in content else 1)
    recording = scene([150, 450], np.arange(200) / 10)
    recording.save(tmp_path / "saved" / "film1" / "recording.npz")
    found = {s.name: s for s in read_ava(tmp_path / "saved", table, config=AvaConfig(start=895))}
    assert {a.person for a in found["film1,0902"].recording.actions} == {0, 1}
    assert found["film1,0902"].recording.start == pytest.approx(899.5)


def test_linking_gives_an_id_to_who_comes_and_a_new_one_to_who_returns_late() -> None:
    recording = scene([150, 450], np.arange(60) / 10)
    away = (recording.person == 1) & (recording.frame >= 20) & (recording.frame < 40)
    shown = replace(
        recording,
        frame=recording.frame[~away],
        person=np.full((~away).sum(), UNTRACKED, np.int32),
        keypoints=recording.keypoints[~away],
        boxes=recording.boxes[~away],
    )
    found = linked(shown)
    assert found.people == [0, 1, 2]
    assert (found.person == 0).sum() == 60
    assert linked(recording) is recording


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"keypoint": np.zeros((400, 13, 3))}, r"keypoint \(400, 13, 3\), expected \(400, 17, 3\)"),
        ({"frame_inds": np.arange(400)[::-1]}, "non-decreasing"),
        ({"img_shape": np.array([1])}, "img_shape"),
        ({"fps": np.array(0.0)}, "film1.npz"),
    ],
)
def test_ava_skeletons_that_do_not_fit_are_named(change: dict, said: str, tmp_path: Path) -> None:
    folder = write_ava(tmp_path)
    path = folder / "skeletons" / "film1.npz"
    np.savez(path, **{**dict(np.load(path)), **change})
    with pytest.raises(DatasetError, match=said):
        read_written_ava(folder)


def test_ava_files_that_do_not_fit_are_named(tmp_path: Path) -> None:
    folder = write_ava(tmp_path)
    with pytest.raises(DatasetError, match="nowhere is neither a folder nor a pickle"):
        list(read_ava(tmp_path / "nowhere", {}))
    (folder / "skeletons" / "film1.npz").write_text("Dear all")
    with pytest.raises(DatasetError, match=r"film1\.npz is no file of skeletons"):
        read_written_ava(folder)
    (folder / "ava_train_v2.2.csv").write_text("film1,0902,0.1,0.2\n")
    with pytest.raises(DatasetError, match=r"ava_train_v2\.2\.csv, line 1: 4 columns"):
        read_written_ava(folder)
    with pytest.raises(DatasetError, match=r"gone\.pbtxt"):
        read_written_ava(folder, labels=folder / "gone.pbtxt")


def test_prepare_ava(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_ava(tmp_path)
    command = ["prepare", "ava", str(folder / "skeletons"), "--out", str(tmp_path / "out")]
    files = ["--train", str(folder / "ava_train_v2.2.csv"), "--labels"]
    files += [str(folder / "actions.pbtxt"), "--excluded", str(folder / "excluded.csv")]
    files += ["--test", str(folder / "ava_val_v2.2.csv"), "--seconds", "10"]
    assert main([*command, *files]) == 0
    assert "3 samples (2 train, 0 val, 1 test), 3 labels" in capsys.readouterr().out
    store = RecordingStore.open(tmp_path / "out")
    assert len(store[0].recording.actions) == 3  # several labels at a time, of one person too
