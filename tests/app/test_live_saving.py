"""What was recognised live is kept, saved as a session, opened again, and gone with its page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app import teacher as teacher_module
from app.engine import Engine
from app.live_kept import FILE_NAME
from app.opening import open_skeletons
from app.sessions import Session, Sessions
from app.settings import AppSettings, UserOptions
from app.teacher import Teacher
from app.vault import Vault
from skeletr.actions import Status
from skeletr.recognizer import Recognizer, RecognizerConfig
from skeletr.recording import Person, Recording
from skeletr.replay import replay_video
from skeletr.session import Session as Recognised
from skeletr.synthetic.babble import babble
from skeletr.video import VideoLimits, VideoReader
from tests.app.fakes import untrained
from tests.synthetic import scene

RATE = 10
IMAGE = np.full((480, 640, 3), 90, np.uint8)
OPTIONS = UserOptions("fake")


class Two:
    """A pose frontend that sees two people for as long as `there` says so."""

    there = staticmethod(lambda frame: True)

    def __init__(self) -> None:
        self._frames = iter(scene([200, 440], np.arange(900) / RATE).frames())
        self._count = 0

    def estimate(self, image: np.ndarray, time: float) -> tuple[Person, ...]:
        self._count += 1
        return next(self._frames).people if Two.there(self._count) else ()

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    settings = AppSettings(live_minutes=0.2)  # 12 seconds
    engine = Engine(settings, untrained, lambda options: Two())
    engine.wait(60)
    return Sessions(engine, Vault(tmp_path / "files", 3600))


def play(session: Session, start: float, seconds: float, options: UserOptions = OPTIONS) -> list:
    clock = start + np.arange(round(seconds * RATE)) / RATE
    views = []
    for now in clock:
        with session.lock:
            views.append(session.live(options).step(IMAGE, False, now=now))
    return views


def opened(path: Path) -> Recognised:
    found = open_skeletons(path, path.name, VideoLimits())
    assert isinstance(found, Recognised)
    return found


def test_a_saved_live_session_is_what_was_recognised(sessions: Sessions, tmp_path: Path) -> None:
    session = sessions.get("a")
    views = play(session, 50.0, 9)
    path, _ = session.save_live()
    found = opened(path)
    assert path.name == FILE_NAME and path.is_relative_to(sessions.vault.root)
    assert found.recording.image_size == (640, 480)
    assert np.allclose(found.recording.frame_times, [v.actions.time for v in views])
    assert [len(f.people) for f in found.recording.frames()] == [len(v.people) for v in views]
    assert_as_recognised(sessions.engine, found)
    replay_video(found.result(), tmp_path / "again.mp4")
    assert sum(1 for _ in VideoReader(tmp_path / "again.mp4")) == len(views)
    sessions.close_all()


def assert_as_recognised(engine: Engine, found: Recognised) -> None:
    """The labels and the attention are those of a recogniser that is given the same frames."""
    with engine.model() as checkpoint:
        own = Recognizer(checkpoint, RecognizerConfig())
    for frame in found.recording.frames():
        own.step(frame.people, frame.time, found.recording.image_size)
    log = own.log()
    assert list(found.log.people) == list(log.people) == [1, 2]
    tracks = [(found.log.scene, log.scene)]
    tracks += [(found.log.people[p], log.people[p]) for p in log.people]
    for kept, expected in tracks:
        assert np.allclose(kept.times, expected.times) and len(kept.times) > 5
        for a, b in zip(kept.predictions, expected.predictions, strict=True):
            assert (a.status, a.label) == (b.status, b.label)
            assert np.allclose(a.scores, b.scores, atol=1e-5)
    assert len(found.log.attention) == len(log.attention) > 5
    for (key, kept), (at, expected) in zip(found.log.attention, log.attention, strict=True):
        assert key == pytest.approx(at) and kept.names == expected.names
        assert np.allclose(kept.weights, expected.weights, atol=1e-3)


def test_only_the_last_minutes_are_kept_and_begin_at_zero(sessions: Sessions) -> None:
    session = sessions.get("a")
    views = play(session, 0.0, 40)
    found = opened(session.save_live()[0])
    assert found.recording.start == 0.0
    assert found.recording.end == pytest.approx(12.0, abs=0.11)
    newest = found.recording.keypoints[-len(views[-1].people) :]
    assert np.allclose(newest, [p.keypoints for p in views[-1].people])
    steps = [found.log.scene, *found.log.people.values()]
    assert all(0 <= t <= 12.1 for track in steps for t in (*track.times, track.start, track.end))
    assert len(found.log.scene.times) >= 12 // found.log.interval - 2
    for key, attention in found.log.attention:
        assert attention.times.min() >= 0 and attention.times.max() <= key + 1e-6
    assert len(found.log.attention) >= 5
    sessions.close_all()


def test_it_can_be_saved_after_the_camera_was_stopped(sessions: Sessions) -> None:
    session = sessions.get("a")
    play(session, 0.0, 6)
    running = opened(session.save_live()[0])
    session.rest()  # the sweep closes a camera that sends nothing
    stopped = opened(session.save_live()[0])
    assert np.array_equal(running.recording.keypoints, stopped.recording.keypoints)
    assert running.log.overall() == stopped.log.overall()
    play(session, 100.0, 2)  # started again: another session
    assert opened(session.save_live()[0]).recording.end < 2
    sessions.close_all()


def test_nothing_is_saved_where_nobody_was(sessions: Sessions, monkeypatch) -> None:
    session = sessions.get("a")
    assert session.save_live() is None
    monkeypatch.setattr(Two, "there", staticmethod(lambda frame: False))
    play(session, 0.0, 3)
    assert session.save_live() is None
    assert list(sessions.vault.root.glob("*")) == []
    sessions.close_all()


def test_who_has_left_is_in_the_file_and_the_empty_room_too(sessions: Sessions, monkeypatch):
    monkeypatch.setattr(Two, "there", staticmethod(lambda frame: frame < 5 * RATE))
    session = sessions.get("a")
    views = play(session, 0.0, 10)
    found = opened(session.save_live()[0])
    assert list(found.log.people) == [1, 2]
    assert views[-1].actions.scene.status is Status.NOBODY
    assert found.log.at(9.0)[1].status is Status.NOBODY
    assert found.log.at(4.0)[1].status is Status.OK
    sessions.close_all()


def test_other_settings_change_nothing_that_was_kept(sessions: Sessions) -> None:
    session = sessions.get("a")
    play(session, 0.0, 5)
    play(session, 5.0, 4, UserOptions("fake", threshold=1.0))
    found = opened(session.save_live()[0])
    assert found.recording.end == pytest.approx(8.9)
    assert all(p.status is Status.UNKNOWN for p in found.log.people[1].predictions if p.label)
    sessions.close_all()


def test_what_is_taught_meanwhile_cuts_nothing_off(sessions: Sessions, monkeypatch) -> None:
    monkeypatch.setattr(teacher_module, "background_scenes", lambda: babble(4))
    session, teacher = sessions.get("a"), Teacher(sessions.engine)
    play(session, 0.0, 8)
    before = session.save_live()[1]
    session.teaching.offer(teacher, "juggle", scene([150], np.arange(50) / 25))
    play(session, 8.0, 1.5)
    session.teaching.use = False
    play(session, 9.5, 2)
    path, _ = session.save_live()
    found = opened(path)
    assert found.recording.end == pytest.approx(11.4)
    assert set(found.log.labels) == {"walk", "run", "juggle"}
    for track in (found.log.scene, found.log.people[1], found.log.people[2]):
        assert track.start < 0.3 and track.end == pytest.approx(11.4)
        assert np.diff(track.times).min() > 0.3
        assert np.diff(track.times).max() < 1.5 * found.log.interval + 0.01
        assert track.times[0] < 1 and track.times[-1] > 9.5
    assert_the_same_labels(before, found)
    assert_taught_in_between(found)
    sessions.close_all()


def assert_the_same_labels(before: Recognised, found: Recognised) -> None:
    """What was said before anything was taught is said still."""
    old, new = before.log.people[1], found.log.people[1]
    assert np.allclose(new.times[: len(old.times)], old.times)
    for a, b in zip(old.predictions[:6], new.predictions, strict=False):
        assert (a.status, a.label) == (b.status, b.label) and len(b.scores) == 3
        assert b.scores[list(found.log.labels).index("juggle")] == 0


def assert_taught_in_between(found: Recognised) -> None:
    index = found.log.labels.index("juggle")
    scores = np.array([p.scores[index] for p in found.log.people[1].predictions])
    assert (scores > 0).any() and scores[-1] == 0


def test_the_file_is_gone_with_the_page_or_when_forgotten(sessions: Sessions) -> None:
    mine, yours = sessions.get("a"), sessions.get("b")
    for session in (mine, yours):
        play(session, 0.0, 3)
    first = mine.save_live()[0]
    second, other = mine.save_live()[0], yours.save_live()[0]
    assert not first.exists() and second.exists()  # one file at a time
    assert second.parent != other.parent
    mine.forget_live()
    assert not second.exists() and mine.save_live() is None and other.exists()
    sessions.close("b")
    assert not other.exists()
    assert list(sessions.vault.root.glob("*")) == []
    sessions.close_all()


def test_a_page_that_is_closed_while_its_session_is_written_leaves_nothing(
    sessions: Sessions, monkeypatch
) -> None:
    session, write = sessions.get("a"), Recognised.save
    play(session, 0.0, 3)

    def save(kept: Recognised, path: Path) -> None:
        write(kept, path)
        sessions.close("a")

    monkeypatch.setattr(Recognised, "save", save)
    assert session.save_live() is None
    assert list(sessions.vault.root.glob("*")) == []


def test_a_live_session_is_small_and_holds_no_picture(sessions: Sessions) -> None:
    session = sessions.get("a")
    play(session, 0.0, 12)
    path, _ = session.save_live()
    assert path.stat().st_size < 1e6
    assert not any(a.size > 640 * 480 for a in np.load(path).values() if a.dtype == np.uint8)
    assert isinstance(opened(path).recording, Recording)
    sessions.close_all()
