"""Stores: what is written is what is read, whole or not at all, and opened at once."""

from __future__ import annotations

import json
import pickle
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from skeletr.actions import ActionLog, Track
from skeletr.cli import main
from skeletr.datasets.clip import DatasetError
from skeletr.datasets.recordings import assign_splits, read_recordings
from skeletr.datasets.sample import Sample, drawn, hold_out, whole
from skeletr.datasets.store import HEADER, RecordingStore, write_store
from skeletr.recording import Action, Recording
from skeletr.sequences import SequenceConfig, build_sequences
from skeletr.session import Session
from tests.synthetic import scene

TIMES = np.arange(40) / 20


def two_people(name: str, split: str = "train", group: str = "") -> Sample:
    """Two people; one walks and waves at the same time, and the scene has a label of its own."""
    recording = replace(
        scene([150, 450], TIMES),
        source=f"{name}.mp4",
        actions=(
            Action("walk", 0, 0.0, 1.5),
            Action("wave", 0, 0.5, 1.0),
            Action("meeting", None, 0.0, 1.95),
        ),
    )
    return Sample(recording, name, split, group)


def labelled(name: str, label: str, split: str = "train", group: str = "") -> Sample:
    recording = scene([200], TIMES)
    return Sample(replace(recording, actions=whole(label, recording)), name, split, group)


@pytest.fixture
def store(tmp_path: Path) -> RecordingStore:
    samples = [two_people("a/1"), labelled("ä/2", "run", "val", "P1"), labelled("3", "run", "test")]
    assert write_store(tmp_path / "store", samples) == 3
    return RecordingStore.open(tmp_path / "store")


def test_a_sample_comes_back_as_it_went_in(store: RecordingStore) -> None:
    before, after = two_people("a/1"), store[0]
    assert (after.name, after.split, after.group) == ("a/1", "train", "")
    assert after.recording.actions == before.recording.actions
    assert after.recording.source == "a/1.mp4"
    assert after.recording.image_size == (640, 480)
    for column in ("frame_times", "frame", "person", "keypoints", "boxes"):
        written, read = getattr(before.recording, column), getattr(after.recording, column)
        assert read.dtype == written.dtype
        np.testing.assert_array_equal(read, written)


def test_labels_splits_and_groups_are_known_without_reading_samples(store: RecordingStore) -> None:
    assert len(store) == 3
    assert store.labels == ("meeting", "run", "walk", "wave")
    assert {name: index.tolist() for name, index in store.splits.items()} == {
        "train": [0],
        "val": [1],
        "test": [2],
    }
    assert [s.name for s in store] == ["a/1", "ä/2", "3"]
    assert store[1].group == "P1"
    assert store[-1].name == "3"
    with pytest.raises(IndexError):
        store[3]


def test_frames_without_people_keep_their_time(tmp_path: Path) -> None:
    recording = scene([200], TIMES)
    later = recording.frame >= 20
    gap = replace(
        recording,
        frame=recording.frame[later],
        person=recording.person[later],
        keypoints=recording.keypoints[later],
        boxes=recording.boxes[later],
        actions=(Action("sit", 0, 1, 2),),
    )
    write_store(tmp_path / "s", [Sample(gap, "gap", "train"), labelled("other", "run")])
    found = RecordingStore.open(tmp_path / "s")[0].recording
    assert len(found.frame_times) == 40
    assert found.times.min() == pytest.approx(1.0)


def test_a_recording_of_a_store_is_a_read_only_view_that_makes_sequences(
    store: RecordingStore,
) -> None:
    recording = store[0].recording
    with pytest.raises(ValueError, match="read-only"):
        recording.keypoints[0] = 0
    config = SequenceConfig()
    found = build_sequences(recording, config)
    expected = build_sequences(two_people("a/1").recording, config)
    np.testing.assert_array_equal(found.keypoints, expected.keypoints)


def test_float16_would_lose_more_than_a_twentieth_of_a_pixel() -> None:
    x = np.linspace(0, 1920, 10_000, dtype=np.float32)
    assert np.abs(x.astype(np.float16).astype(np.float32) - x).max() > 0.05


def test_it_goes_to_other_processes_without_its_data(store: RecordingStore) -> None:
    sent = pickle.dumps(store)
    assert len(sent) < 1000
    assert pickle.loads(sent)[1].name == "ä/2"


def test_a_hundred_thousand_samples_open_at_once(tmp_path: Path) -> None:
    one = labelled("0", "run")
    short = replace(one.recording.between(0, 0.05), actions=one.recording.actions)
    few = [Sample(short, str(i), "train") for i in range(5)] + [labelled("x", "walk")]
    write_store(tmp_path / "few", few)
    _repeat(tmp_path / "few", 100_000)
    begin = time.perf_counter()
    store = RecordingStore.open(tmp_path / "few")
    assert time.perf_counter() - begin < 0.5
    assert len(store) == 100_000
    assert store[99_999].recording.people == [0]


def _repeat(folder: Path, count: int) -> None:
    """Blow the index up to so many samples that all point at the last rows."""
    header = json.loads((folder / HEADER).read_text())
    for name in [*header["rows"]]:
        path = folder / f"{name}.npy"
        if not name.endswith("_offsets") and name not in ("split", "image_size"):
            continue
        column = np.load(path)
        more = count + name.endswith("_offsets") - len(column)
        front = np.zeros((more, *column.shape[1:]), column.dtype)
        np.save(path, np.concatenate([front, column]))
        header["rows"][name] = len(column) + more
    (folder / HEADER).write_text(json.dumps(header))


def test_an_interrupted_store_is_not_there(tmp_path: Path) -> None:
    def broken():
        yield labelled("1", "run")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_store(tmp_path / "store", broken())
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DatasetError, match="not a store"):
        RecordingStore.open(tmp_path / "store")


@pytest.mark.parametrize("missing", [HEADER, "keypoints.npy", "row_offsets.npy", "split.npy"])
def test_a_store_without_one_of_its_files_is_refused(store: RecordingStore, missing: str) -> None:
    (store.folder / missing).unlink()
    with pytest.raises(DatasetError, match=missing):
        RecordingStore.open(store.folder)


def test_a_column_that_is_cut_off_or_of_another_store_is_named(
    store: RecordingStore, tmp_path: Path
) -> None:
    path = store.folder / "keypoints.npy"
    whole_file = path.read_bytes()
    path.write_bytes(whole_file[:-100])
    with pytest.raises(DatasetError, match=r"keypoints\.npy is missing or cut off"):
        RecordingStore.open(store.folder)
    write_store(tmp_path / "other", [labelled("1", "run"), labelled("2", "walk")])
    path.write_bytes((tmp_path / "other" / "keypoints.npy").read_bytes())
    with pytest.raises(DatasetError, match=r"keypoints\.npy: float32 \(80, 17, 3\), expected"):
        RecordingStore.open(store.folder)
    path.write_bytes(whole_file)
    offsets = np.load(store.folder / "row_offsets.npy")
    np.save(store.folder / "row_offsets.npy", offsets[::-1].copy())
    with pytest.raises(DatasetError, match=r"row_offsets\.npy does not lead from 0 to 160"):
        RecordingStore.open(store.folder)


def test_a_store_of_another_version_is_refused(store: RecordingStore) -> None:
    header = json.loads((store.folder / HEADER).read_text())
    (store.folder / HEADER).write_text(json.dumps({**header, "skeletr_store": 99}))
    with pytest.raises(DatasetError, match="version 99, this program reads 1"):
        RecordingStore.open(store.folder)


def test_a_store_is_replaced_only_on_request_and_only_once_the_new_one_is_whole(
    store: RecordingStore,
) -> None:
    new = [labelled("1", "jump"), labelled("2", "sit")]
    with pytest.raises(DatasetError, match="there already"):
        write_store(store.folder, new)
    with pytest.raises(DatasetError, match="two samples with the name 1"):
        write_store(store.folder, [*new, new[0]], overwrite=True)
    assert len(RecordingStore.open(store.folder)) == 3
    write_store(store.folder, new, overwrite=True)
    assert RecordingStore.open(store.folder).labels == ("jump", "sit")


def test_a_folder_that_is_no_store_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("Dear all")
    with pytest.raises(DatasetError, match="no store"):
        write_store(tmp_path / "letters", [labelled("1", "run")], overwrite=True)
    assert (tmp_path / "letters" / "dear.txt").read_text() == "Dear all"


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        ([], "no sample that can be used"),
        ([labelled("1", "run"), labelled("2", "run")], r"\['run'\], expected at least two"),
        ([Sample(scene([], TIMES), "1", "train")], "1 shows nobody"),
    ],
)
def test_what_cannot_be_learnt_from_is_not_written(
    samples: list[Sample], said: str, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError, match=said):
        write_store(tmp_path / "store", samples)
    assert list(tmp_path.iterdir()) == []


def test_holding_out_never_divides_a_group_and_is_the_same_every_time() -> None:
    samples = [labelled(f"{i}", "run", "train", f"P{i % 20}") for i in range(200)]
    samples.append(labelled("t", "run", "test"))
    held = list(hold_out(samples, 0.3))
    by_group = {g: {s.split for s in held if s.group == g} for g in {s.group for s in held}}
    assert all(len(splits) == 1 for splits in by_group.values())
    assert {"train", "val"} <= {s.split for s in held}
    assert held[-1].split == "test"
    shares = [drawn(f"clip {i}", 0.1, 0.2) for i in range(2000)]
    assert shares.count("val") / 2000 == pytest.approx(0.1, abs=0.03)
    assert shares.count("test") / 2000 == pytest.approx(0.2, abs=0.03)
    assert shares[:4] == ["train", "train", "test", "train"]


def test_few_recordings_of_a_label_are_divided_too(tmp_path: Path) -> None:
    """The draw alone leaves parts of a small folder empty, and then nothing can be trained."""
    for count in range(1, 9):
        names = [f"{label}/clip{i}" for label in ("wave", "juggle", "bow") for i in range(count)]
        found = assign_splits(names, tmp_path)
        assert list(found) == names
        for label in ("wave", "juggle", "bow"):
            parts = [part for name, part in found.items() if name.startswith(label)]
            assert "train" in parts
            assert ("val" in parts) >= (count >= 3)
            assert ("test" in parts) >= (count >= 4)
    many = [f"wave/{i}" for i in range(500)]
    assert assign_splits(many, tmp_path) == {name: drawn(name, 0.1, 0.1) for name in many}
    nobody = assign_splits(many[:10], tmp_path, val=0.0, test=0.0)
    assert set(nobody.values()) == {"train"}


def save(path: Path, actions: tuple[Action, ...] = (), people: int = 1) -> None:
    replace(scene([200] * people, TIMES), actions=actions).save(path)


def test_recordings_are_called_after_their_folder_or_by_what_is_in_them(tmp_path: Path) -> None:
    save(tmp_path / "wave" / "one.npz")
    save(tmp_path / "wave" / "video 2" / "recording.npz")
    save(tmp_path / "any.npz", (Action("jump", 0, 0.0, 1.0), Action("clap", 0, 0.5, 1.0)))
    save(tmp_path / ".hidden" / "x.npz")
    found = {s.name: s.recording.actions for s in read_recordings(tmp_path)}
    assert set(found) == {"any", "wave/one", "wave/video 2/recording"}
    assert found["wave/one"] == (Action("wave", None, 0.0, 1.95),)
    assert found["wave/video 2/recording"][0].label == "wave"
    assert [a.label for a in found["any"]] == ["jump", "clap"]


def test_saved_sessions_are_recordings_too(tmp_path: Path) -> None:
    """What the app saves of a camera, and what it calls a session."""
    recording = scene([200], TIMES)
    said = ActionLog(("wave",), 0.75, {}, Track(np.zeros(0), (), 0.0, 0.0))
    (tmp_path / "wave").mkdir()
    Session(recording, said).save(tmp_path / "wave" / "one.npz")
    (sample,) = read_recordings(tmp_path)
    assert sample.recording.actions == (Action("wave", None, 0.0, 1.95),)
    assert sample.recording.keypoints.tolist() == recording.keypoints.tolist()


def test_a_split_file_decides_and_must_be_complete(tmp_path: Path) -> None:
    save(tmp_path / "wave" / "one.npz")
    save(tmp_path / "run" / "two.npz")
    (tmp_path / "split.csv").write_text("name,split\nwave/one,test\nrun/two.npz,val\n")
    assert {s.name: s.split for s in read_recordings(tmp_path)} == {
        "wave/one": "test",
        "run/two": "val",
    }
    (tmp_path / "split.csv").write_text("wave/one,test\n")
    with pytest.raises(DatasetError, match=r"split\.csv has no row for run/two"):
        list(read_recordings(tmp_path))
    (tmp_path / "split.csv").write_text("wave/one,training\n")
    with pytest.raises(DatasetError, match=r"split\.csv, line 1: .*training"):
        list(read_recordings(tmp_path))


def test_recordings_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds no recordings"):
        list(read_recordings(tmp_path))
    with pytest.raises(DatasetError, match="nowhere is not a folder"):
        list(read_recordings(tmp_path / "nowhere"))
    save(tmp_path / "wave" / "empty.npz", people=0)
    notes: list[str] = []
    assert list(read_recordings(tmp_path, note=notes.append)) == []
    assert "empty.npz: nobody is seen" in notes[0]
    save(tmp_path / "bare.npz")
    with pytest.raises(DatasetError, match=r"bare\.npz has no labels"):
        list(read_recordings(tmp_path))
    (tmp_path / "bare.npz").write_bytes(b"PK not really")
    with pytest.raises(DatasetError, match=r"bare\.npz is not a readable recording"):
        list(read_recordings(tmp_path))


def test_prepare_makes_a_store_of_recordings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for i in range(3):
        save(tmp_path / "in" / "wave" / f"{i}.npz")
        save(tmp_path / "in" / "run" / f"{i}.npz")
    save(tmp_path / "in" / "run" / "nobody.npz", people=0)
    command = ["prepare", "recordings", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    assert main(command) == 0
    said = capsys.readouterr()
    assert "6 samples" in said.out and "2 labels" in said.out
    assert "nobody.npz: nobody is seen" in said.err
    assert RecordingStore.open(tmp_path / "out").labels == ("run", "wave")
    assert main(command) == 1
    assert "there already" in capsys.readouterr().err
    assert main([*command, "--overwrite", "--val-share", "0", "--test-share", "0"]) == 0
    assert len(RecordingStore.open(tmp_path / "out").splits["train"]) == 6


def test_prepare_says_what_is_wrong_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["prepare", "recordings", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(command) == 1
    assert "holds no recordings" in capsys.readouterr().err
    save(tmp_path / "wave" / "1.npz")
    assert main(command) == 1
    assert "at least two to tell apart" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_recordings_of_the_app_load_as_they_are(tmp_path: Path) -> None:
    save(tmp_path / "a" / "1.npz")
    sample = next(iter(read_recordings(tmp_path)))
    saved = Recording.load(tmp_path / "a" / "1.npz")
    np.testing.assert_array_equal(sample.recording.keypoints, saved.keypoints)
