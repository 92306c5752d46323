"""Sessions and recordings given to the page: shown like a recognised video, or refused in words."""

from __future__ import annotations

import json
import logging
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.checks import Checks
from app.engine import Engine
from app.job import Job, Outcome
from app.opening import OpenError, is_skeleton_file, open_skeletons
from app.settings import AppSettings, UserOptions
from skeletr.archive import read_arrays, write_arrays
from skeletr.export import result_dict
from skeletr.recognizer import Recognizer
from skeletr.recording import Recording
from skeletr.replay import recognize_recording
from skeletr.session import Session
from skeletr.video import VideoLimits, VideoReader
from tests.app.fakes import FakePose, untrained
from tests.synthetic import scene

OPTIONS = UserOptions("mediapipe")
LIMITS = VideoLimits()


@pytest.fixture(scope="module")
def engine() -> Engine:
    made = Engine(AppSettings(), untrained, lambda options: FakePose())
    made.wait(60)
    return made


def done(engine: Engine, source: Path | Recording, folder: Path, **more: object) -> Outcome:
    """What the page is given for a file or a recording."""
    folder.mkdir()
    name = source.name if isinstance(source, Path) else "somebody"
    job = Job(engine, more.pop("options", OPTIONS), source, name, folder, **more)
    job.start()
    assert job.wait(120)
    return job.outcome


@pytest.fixture(scope="module")
def filmed(engine: Engine, moving_video: Path, tmp_path_factory) -> Outcome:
    """A video that was recognised."""
    return done(engine, moving_video, tmp_path_factory.mktemp("filmed") / "a")


def test_a_session_is_shown_exactly_as_the_video_it_came_from(
    engine: Engine, filmed: Outcome, tmp_path: Path
) -> None:
    again = done(engine, filmed.files.session, tmp_path / "b")
    assert again.problem == "" and "as it was saved" in again.told
    assert result_dict(again.result) == result_dict(filmed.result)
    assert json.loads(again.files.json.read_text()) == json.loads(filmed.files.json.read_text())
    for name in ("csv", "subtitles"):
        one, other = getattr(filmed.files, name), getattr(again.files, name)
        assert one.read_bytes() == other.read_bytes() and one.name == other.name
    windows = zip(filmed.result.log.attention, again.result.log.attention, strict=True)
    for (time, one), (other_time, other) in windows:
        assert time == other_time and np.allclose(one.weights, other.weights, atol=1e-3)


def test_the_replay_has_the_times_of_the_video_and_nothing_but_people(
    engine: Engine, filmed: Outcome, tmp_path: Path, moving_video: Path
) -> None:
    again = done(engine, filmed.files.session, tmp_path / "b")
    replay = list(VideoReader(again.files.video))
    times = [f.time for f in VideoReader(moving_video)]
    assert np.allclose([f.time for f in replay], times, atol=1e-3)
    image = replay[-1].image.astype(int)
    assert np.abs(image[:, 130:] - image[5, 150]).max() < 40  # a plain background beside people
    assert (np.abs(image - image[5, 150]).max(axis=2) > 60).mean() > 0.01  # skeletons and labels


def test_a_recording_is_recognised_like_the_video_it_came_from(
    engine: Engine, filmed: Outcome, tmp_path: Path
) -> None:
    again = done(engine, filmed.files.recording, tmp_path / "b")
    one, other = result_dict(filmed.result), result_dict(again.result)
    for key in ("labels", "video_labels", "people", "scene_steps"):
        assert one[key] == other[key]
    assert other["video"]["codec"] == "skeletons" and again.files.session.is_file()


def test_a_session_can_be_recognised_anew(engine: Engine, filmed: Outcome, tmp_path: Path) -> None:
    strict = replace(OPTIONS, threshold=1.0)
    again = done(engine, filmed.files.session, tmp_path / "b", anew=True, options=strict)
    statuses = {s["status"] for p in result_dict(again.result)["people"] for s in p["steps"]}
    assert "ok" not in statuses and again.told == ""
    assert again.result.info.name == filmed.result.info.name


def test_opening_can_be_stopped(engine: Engine, filmed: Outcome, tmp_path: Path) -> None:
    job = Job(engine, OPTIONS, filmed.files.session, "a.npz", tmp_path)
    job.cancel()
    job.start()
    assert job.wait(60) and job.outcome.stopped
    assert not list(tmp_path.iterdir())


def test_a_recording_of_nobody_has_no_clip_to_train_on(engine: Engine, tmp_path: Path) -> None:
    outcome = done(engine, scene([], np.arange(20) / 10), tmp_path / "a")
    assert outcome.files.pyskl is None and outcome.files.video.is_file()
    assert not list((tmp_path / "a").glob("*.pkl"))


def test_videos_are_told_from_skeletons(filmed: Outcome, moving_video: Path) -> None:
    assert is_skeleton_file(filmed.files.session) and is_skeleton_file(filmed.files.recording)
    assert not is_skeleton_file(moving_video)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("header", "step_times"):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                for _ in range(300):
                    file.write(bytes(1 << 20))


def _pickles(path: Path) -> None:
    nasty = np.array([{"a": 1}], dtype=object)
    np.savez(path, header=nasty, step_times=nasty)


def _changed(path: Path, change, **arrays) -> None:
    """Rewrite a session with another header or other arrays."""
    header, found = read_arrays(path, 1 << 30, 99)
    change(header)
    write_arrays(path, header, found | {k: v(found[k]) for k, v in arrays.items()})


def _same(header: dict) -> None:
    pass


HOSTILE = {
    "empty": (lambda p: _write(p, b""), "neither a session nor a recording"),
    "text": (lambda p: _write(p, b"hello"), "neither a session nor a recording"),
    "cut off": (lambda p: _write(p, p.read_bytes()[:-100]), "neither a session nor a recording"),
    "damaged": (
        lambda p: _write(p, p.read_bytes()[:200] + bytes(80) + p.read_bytes()[280:]),
        "is no session",
    ),
    "bomb": (_bomb, "unpacks to"),
    "pickles": (_pickles, "expected"),
    "other arrays": (lambda p: np.savez(p, weights=np.zeros(3)), "neither a session nor"),
    "taught": (lambda p: np.savez(p, keypoints_0=np.zeros(3)), "taught actions"),
    "version": (lambda p: _changed(p, lambda h: h.update(version=99)), "version 99"),
    "fact": (lambda p: _changed(p, lambda h: h["video"].update(width=-3)), "size"),
    "timing": (lambda p: _changed(p, lambda h: h.update(timing=[1])), "is no session"),
    "long": (lambda p: _changed(p, _same, frame_times=lambda t: t * 1e4), "too long"),
    "late": (lambda p: _changed(p, _same, frame_times=lambda t: t + 1e9), "ends at 1,000,000"),
    "early": (lambda p: _changed(p, _same, frame_times=lambda t: t - 5), "begins at"),
    "far": (lambda p: _changed(p, _same, keypoints=lambda k: k * 1e9), "outside"),
    "never": (lambda p: _changed(p, lambda h: h["log"]["tracks"][0].update(end=1e30)), "cannot be"),
    "before": (lambda p: _changed(p, _same, step_times=lambda t: t - 60), "cannot be"),
    "crowd": (
        lambda p: _changed(p, _same, person=lambda v: np.arange(len(v), dtype=np.int32) * 7919),
        None,
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_cannot_be_opened_is_answered_in_one_sentence(
    kind: str, engine: Engine, filmed: Outcome, tmp_path: Path
) -> None:
    make, says_why = HOSTILE[kind]
    path = tmp_path / "mine.npz"
    path.write_bytes(filmed.files.session.read_bytes())
    make(path)
    outcome = done(engine, path, tmp_path / "out")
    if says_why is None:  # odd, but it can be shown
        assert outcome.problem == ""
        return
    assert says_why in outcome.problem and outcome.problem.startswith("mine.npz")
    assert outcome.problem.endswith(".") and "\n" not in outcome.problem
    assert str(tmp_path) not in outcome.problem and "Traceback" not in outcome.problem
    assert outcome.result is None and not list((tmp_path / "out").iterdir())


def test_more_than_can_be_shown_is_refused(filmed: Outcome, tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    path.write_bytes(filmed.files.session.read_bytes())
    for limits, why in (
        (VideoLimits(max_frames=3), "too long"),
        (VideoLimits(max_seconds=1), "too long"),
    ):
        with pytest.raises(OpenError, match=why):
            open_skeletons(path, "mine.npz", limits)
    crowd = Recording.load(filmed.files.recording)
    many = np.arange(1200)
    replace(
        crowd,
        frame=np.zeros(1200, np.int32),
        person=many.astype(np.int32),
        keypoints=np.repeat(crowd.keypoints[:1], 1200, axis=0),
        boxes=np.repeat(crowd.boxes[:1], 1200, axis=0),
    ).save(path)
    with pytest.raises(OpenError, match="1,200 people"):
        open_skeletons(path, "mine.npz", LIMITS)
    few = VideoLimits(max_frames=len(crowd.frame_times))
    most = 30 * few.max_frames
    with pytest.raises(OpenError, match=rf"1,200 skeletons, the limit is {most:,}\."):
        open_skeletons(path, "mine.npz", few)


def test_what_counts_is_how_long_it_is_and_not_when_it_began(tmp_path: Path) -> None:
    late = scene([100], 100 + np.arange(100) / 10)
    late.save(tmp_path / "late.npz")
    result = recognize_recording(late, Recognizer(untrained(AppSettings())))
    Session.of(result).save(tmp_path / "session.npz")
    for name in ("late.npz", "session.npz"):
        assert open_skeletons(tmp_path / name, name, VideoLimits(max_seconds=60))
        with pytest.raises(OpenError, match=r"too long: 0:10, the limit is 0:05"):
            open_skeletons(tmp_path / name, name, VideoLimits(max_seconds=5))


@pytest.mark.parametrize("name", ["gone.mp4", "gone.npz"])
def test_a_file_that_was_deleted_meanwhile_is_said_to_be_gone(
    name: str, engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone, said = tmp_path / name, f"{name} is no longer on this server; give it again."
    with caplog.at_level(logging.ERROR):
        assert Checks().problem(gone, name, LIMITS) == said
        assert done(engine, gone, tmp_path / "out").problem == said
    assert not caplog.records


def test_a_session_of_before_it_knew_its_video_still_opens(filmed: Outcome, tmp_path: Path) -> None:
    path = tmp_path / "old.npz"
    path.write_bytes(filmed.files.session.read_bytes())

    def older(header: dict) -> None:
        for key in ("video", "timing", "warnings"):
            header.pop(key)

    _changed(path, older)
    found = Session.load(path).result()
    assert found.info.codec == "skeletons" and found.info.name == filmed.result.info.name
    assert found.frame_size == filmed.result.frame_size
