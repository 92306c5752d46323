"""One's own videos: FOLDER/LABEL/*.mp4 through the pose frontend into a store."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from skeletr.cli import main
from skeletr.datasets import prepare_kinds
from skeletr.datasets.clip import DatasetError
from skeletr.datasets.own_videos import Outcome, find_videos, read_videos, record_videos
from skeletr.datasets.store import RecordingStore
from skeletr.pose import USUAL_PEOPLE, PoseError, create_frontend
from skeletr.recording import Person, Recording
from skeletr.video import VideoReader
from tests.conftest import pattern, write_video
from tests.synthetic import scene

FPS = 10


class FakePose:
    """Sees two people who stand side by side in every picture; counts what is asked of it."""

    def __init__(self, people: int = 2) -> None:
        self.frames = self.resets = self.closed = 0
        recording = scene([150, 450][:people], np.zeros(1))
        self._people = tuple(
            Person(p.keypoints, p.box) for f in recording.frames() for p in f.people
        )

    def estimate(self, image: np.ndarray, time: float) -> tuple[Person, ...]:
        self.frames += 1
        return self._people

    def reset(self) -> None:
        self.resets += 1

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three videos of a second under two labels."""
    for name in ("wave/one.mp4", "wave/two.mkv", "run/deep/one.mp4"):
        path = tmp_path / "videos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(path, (pattern(i) for i in range(10)), FPS)
    return tmp_path / "videos"


@pytest.fixture
def pose(monkeypatch: pytest.MonkeyPatch) -> FakePose:
    """What `prepare` gets instead of a real frontend."""
    fake = FakePose()
    monkeypatch.setattr(prepare_kinds, "create_frontend", lambda *_, **__: fake)
    return fake


def record(folder: Path, pose: FakePose) -> list[Outcome]:
    return list(record_videos(find_videos(folder), lambda: pose))


def test_videos_are_found_with_the_label_of_their_folder(folder: Path) -> None:
    (folder / "wave" / "notes.txt").write_text("not a video")
    (folder / ".trash").mkdir()
    shutil.copy(folder / "wave" / "one.mp4", folder / ".trash" / "old.mp4")
    videos = find_videos(folder)
    assert [(v.label, v.name) for v in videos] == [
        ("run", "run/deep/one.mp4"),
        ("wave", "wave/one.mp4"),
        ("wave", "wave/two.mkv"),
    ]
    assert videos[0].recording == folder / ".skeletr" / "run" / "deep" / "one.mp4.npz"


def test_videos_become_labelled_recordings_with_tracked_people(folder: Path) -> None:
    pose = FakePose()
    outcomes = record(folder, pose)
    assert [o.problem for o in outcomes] == ["", "", ""]
    assert (pose.frames, pose.resets, pose.closed) == (30, 3, 1)
    splits = {o.video.name: "train" for o in outcomes}
    samples = list(read_videos(outcomes, splits))
    assert [s.recording.actions[0].label for s in samples] == ["run", "wave", "wave"]
    recording = samples[0].recording
    assert recording.people == [1, 2]
    assert len(recording.frame) == 20  # from the first frame on, before they were sure to be people
    np.testing.assert_allclose(recording.frame_times, np.arange(10) / FPS, atol=1e-3)
    assert recording.image_size == (160, 120)
    assert recording.actions[0].person is None


def test_an_interrupted_run_goes_on_where_it_stopped(folder: Path) -> None:
    pose = FakePose()
    seen = record_videos(find_videos(folder), lambda: pose)
    next(seen)
    seen.close()
    assert (pose.frames, pose.closed) == (10, 1)
    again = FakePose()
    outcomes = record(folder, again)
    assert again.frames == 20
    assert [o.again for o in outcomes] == [True, False, False]
    done = FakePose()
    assert all(o.again for o in record(folder, done))
    assert (done.frames, done.closed) == (0, 0)  # not even made


def test_a_frontend_that_fails_on_one_video_is_made_anew_for_the_next(folder: Path) -> None:
    class Broken(FakePose):
        def estimate(self, image: np.ndarray, time: float) -> tuple[Person, ...]:
            if self.frames == 15:
                raise ZeroDivisionError("of a tensor")
            return super().estimate(image, time)

    made = [Broken(), FakePose()]
    left = iter(made)
    outcomes = list(record_videos(find_videos(folder), lambda: next(left)))
    assert [bool(o.problem) for o in outcomes] == [False, True, False]
    assert "wave/one.mp4: failed unexpectedly (ZeroDivisionError" in outcomes[1].problem
    assert [pose.closed for pose in made] == [1, 1]


def test_an_interruption_within_a_video_leaves_no_half_recording(folder: Path) -> None:
    class Interrupted(FakePose):
        def estimate(self, image: np.ndarray, time: float) -> tuple[Person, ...]:
            if self.frames == 15:
                raise KeyboardInterrupt
            return super().estimate(image, time)

    with pytest.raises(KeyboardInterrupt):
        record(folder, Interrupted())
    kept = [p.name for p in (folder / ".skeletr").rglob("*") if p.is_file()]
    assert kept == ["one.mp4.npz"]
    rest = FakePose()
    record(folder, rest)
    assert rest.frames == 20


def test_a_video_that_changed_or_a_recording_that_broke_is_done_again(folder: Path) -> None:
    first = record(folder, FakePose())
    newer = first[0].video.recording.stat().st_mtime + 10
    os.utime(first[0].video.path, (newer, newer))
    first[1].video.recording.write_bytes(b"half a")
    assert [o.again for o in record(folder, FakePose())] == [False, False, True]


def test_a_broken_file_among_good_ones_is_named_and_the_rest_is_done(
    folder: Path, pose: FakePose, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "wave" / "broken.mp4").write_text("Dear all")
    out = tmp_path / "out"
    command = ["prepare", "videos", str(folder), "--out", str(out)]
    shares = ["--val-share", "0", "--test-share", "0"]
    assert main([*command, *shares]) == 1
    said = capsys.readouterr()
    assert "wave/broken.mp4 is not a video that can be read" in said.err
    assert "3 samples (3 train, 0 val, 0 test), 2 labels" in said.out
    assert RecordingStore.open(out).labels == ("run", "wave")
    assert pose.frames == 30
    (folder / "wave" / "broken.mp4").unlink()
    assert main([*command, *shares, "--overwrite"]) == 0
    assert pose.frames == 30  # all of them were kept


def test_a_split_file_is_checked_before_any_work(
    folder: Path, pose: FakePose, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "split.csv").write_text("wave/one.mp4,train\nwave/two.mkv,val\n")
    command = ["prepare", "videos", str(folder), "--out", str(tmp_path / "out")]
    assert main(command) == 1
    assert "split.csv has no row for run/deep/one.mp4" in capsys.readouterr().err
    assert pose.frames == 0
    with (folder / "split.csv").open("a") as file:
        file.write("run/deep/one.mp4,test\n")
    assert main(command) == 0
    splits = RecordingStore.open(tmp_path / "out").splits
    assert {name: len(index) for name, index in splits.items()} == {"train": 1, "val": 1, "test": 1}


def test_videos_without_people_are_named(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(prepare_kinds, "create_frontend", lambda *_, **__: FakePose(people=0))
    command = ["prepare", "videos", str(folder), "--out", str(tmp_path / "out")]
    assert main(command) == 1
    said = capsys.readouterr().err
    assert "wave/one.mp4: nobody is seen in it" in said
    assert "no sample that can be used" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: shutil.rmtree(folder), "is not a folder"),
        (lambda folder: [shutil.rmtree(p) for p in folder.iterdir()], "holds no videos"),
        (lambda folder: shutil.rmtree(folder / "run"), "only the label 'wave'"),
        (
            lambda folder: shutil.copy(folder / "wave" / "one.mp4", folder / "loose.mp4"),
            r"loose\.mp4 has no label",
        ),
    ],
)
def test_folders_that_cannot_be_learnt_from_are_refused_before_any_work(
    change: Callable[[Path], object], said: str, folder: Path
) -> None:
    change(folder)
    with pytest.raises(DatasetError, match=said):
        find_videos(folder)


def test_a_frontend_that_cannot_be_made_is_said(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PoseError("no model file")

    monkeypatch.setattr(prepare_kinds, "create_frontend", refuse)
    assert main(["prepare", "videos", str(folder), "--out", str(tmp_path / "out")]) == 1
    assert "no model file" in capsys.readouterr().err


def test_real_videos(videos: Path, tmp_path: Path) -> None:
    """Half a second each of two real videos, with the real pose model."""
    try:
        create_frontend().close()
    except PoseError as error:
        pytest.skip(f"the pose model cannot be had here: {error}")
    for label, name in (("juggle", "juggle_one_man.mp4"), ("lift", "clean_and_jerk.mp4")):
        (tmp_path / "in" / label).mkdir(parents=True)
        _shorten(videos / name, tmp_path / "in" / label / name)
    out = tmp_path / "out"
    assert main(["prepare", "videos", str(tmp_path / "in"), "--out", str(out)]) == 0
    store = RecordingStore.open(out)
    assert store.labels == ("juggle", "lift")
    for sample in store:
        assert sample.recording.people
        kept = tmp_path / "in" / ".skeletr" / f"mediapipe-{USUAL_PEOPLE}" / f"{sample.name}.npz"
        np.testing.assert_array_equal(Recording.load(kept).boxes, sample.recording.boxes)


def _shorten(source: Path, target: Path, frames: int = 20) -> None:
    images = (frame.image for frame in islice(VideoReader(source), frames))
    even = (i[: i.shape[0] // 2 * 2, : i.shape[1] // 2 * 2] for i in images)  # as H.264 needs
    write_video(target, map(np.ascontiguousarray, even), 25)
