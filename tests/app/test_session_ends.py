"""Nothing outlives its page: not when it is closed, not when it vanishes, not by a late frame."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from app import live_frames, live_tab
from app import sessions as sessions_module
from app.engine import Engine
from app.sessions import Busy, Gone, Sessions
from app.settings import AppSettings, UserOptions
from app.vault import Vault
from tests.app.fakes import FakePose, untrained
from tests.app.loops import run

OPTIONS = UserOptions("fake")
IMAGE = np.full((120, 160, 3), 90, np.uint8)


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    FakePose.open = 0
    settings = AppSettings(max_sessions=40, max_live=1, max_waiting=2)
    engine = Engine(settings, untrained, lambda options: FakePose())
    engine.wait(60)
    return Sessions(engine, Vault(tmp_path / "files", 3600))


def frame(sessions: Sessions, key: str) -> tuple:
    """What the page gets for one camera picture, the way that `live_tab` answers it."""

    async def answer() -> tuple:
        told = await live_frames.in_line(sessions, key)
        if told is not None:
            return live_tab._nothing(told)
        return live_tab._step(sessions, IMAGE, (False, False), OPTIONS, key)

    return run(answer())


@pytest.fixture(autouse=True)
def quick_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_frames, "_LINE_PACE", 0.0)


def text(answer: tuple) -> str:
    return answer[1] if isinstance(answer[1], str) else ""


def test_a_late_frame_does_not_open_a_closed_page(sessions: Sessions) -> None:
    frame(sessions, "a")
    assert FakePose.open == 1
    sessions.close("a")
    assert "connection was closed" in text(frame(sessions, "a"))
    with pytest.raises(Gone):
        sessions.get("a")
    assert len(sessions) == 0 and FakePose.open == 0 and sessions.places.served == 0


def test_a_page_whose_connection_was_interrupted_comes_back(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame(sessions, "a")
    sessions.close("a")
    monkeypatch.setattr(sessions_module, "_LATE", 0.0)
    assert isinstance(frame(sessions, "a")[0], np.ndarray)
    sessions.close_all()


def test_requests_of_no_page_share_nothing(sessions: Sessions) -> None:
    with pytest.raises(Gone, match="no open page"):
        sessions.get("")
    assert "no open page" in text(frame(sessions, ""))


def test_whoever_waits_sees_the_line_and_gets_in(sessions: Sessions) -> None:
    assert isinstance(frame(sessions, "a")[0], np.ndarray)
    assert "You are 1st in line" in text(frame(sessions, "b"))
    assert "You are 2nd in line" in text(frame(sessions, "c"))
    assert "2 visitors wait" in text(frame(sessions, "d"))
    assert FakePose.open == 1
    sessions.close("a")
    assert isinstance(frame(sessions, "b")[0], np.ndarray)
    assert "You are 1st in line" in text(frame(sessions, "c"))
    assert FakePose.open == 1
    sessions.close_all()
    assert FakePose.open == 0


def test_a_browser_that_vanished_is_noticed(sessions: Sessions) -> None:
    frame(sessions, "a")
    long = time.monotonic() - 20  # more than `live_idle_seconds`
    sessions.get("a").used = long
    sessions.places._served["a"].seen = long
    sessions.sweep()
    assert FakePose.open == 0 and len(sessions) == 1  # its results stay
    sessions.get("a").used = time.monotonic() - 10_000  # more than `idle_seconds`
    sessions.sweep()
    assert len(sessions) == 0


def test_an_open_page_keeps_what_it_shows_though_nothing_is_asked(sessions: Sessions) -> None:
    frame(sessions, "a")
    session = sessions.get("a")
    sessions.is_open("a")
    sessions.is_open("nobody")
    session.used = time.monotonic() - 10_000
    sessions.places._served["a"].seen = -1e9
    sessions.sweep()
    assert len(sessions) == 1 and FakePose.open == 0  # its camera is freed all the same
    session.seen = time.monotonic() - 10_000
    sessions.sweep()
    assert len(sessions) == 0


def test_what_waits_can_be_given_up(sessions: Sessions, moving_video: Path) -> None:
    session = sessions.get("a")
    session.expect(str(moving_video), moving_video)
    assert session.waits and session.asked == str(moving_video)
    assert session.give_up() and not session.waits and session.asked == ""
    assert not session.give_up()
    running = session.begin(moving_video, "film.mp4", OPTIONS)
    session.expect("A handshake")  # stops what may hold the place that this waits for
    assert running.wait(60)
    sessions.close_all()


def test_an_upload_that_waits_for_long_is_kept(sessions: Sessions) -> None:
    upload = sessions.vault.root / ("0" * 64) / "film.mp4"
    upload.parent.mkdir(parents=True)
    upload.touch()
    session = sessions.get("a")
    session.expect(str(upload), upload)
    long_ago = time.time() - 10_000  # more than files are kept
    for waits in (True, False):
        session.waits = waits
        os.utime(upload.parent, (long_ago, long_ago))
        sessions.sweep()
        sessions.vault.sweep()
        assert upload.exists() == waits
    sessions.close_all()


def test_what_is_idle_is_freed_though_the_line_cannot_be_seen(sessions: Sessions) -> None:
    def fail() -> tuple:
        raise AttributeError("another version of Gradio")

    sessions.in_line = fail
    sessions.get("a").used = time.monotonic() - 10_000
    sessions.sweep()
    assert len(sessions) == 0


def test_a_picture_that_comes_while_one_is_worked_on_is_dropped(sessions: Sessions) -> None:
    frame(sessions, "a")
    dropped = sessions.metrics.total("frames_dropped_total")
    found: list[object] = []

    def another() -> None:
        found.append(live_frames.recognised(sessions, IMAGE, (False, False), OPTIONS, "a"))

    thread = threading.Thread(target=another, daemon=True)
    with sessions.get("a").lock:
        thread.start()
        thread.join(20)
    thread.join(20)  # of a thread that waited after all
    assert found == [""]
    assert sessions.metrics.total("frames_dropped_total") == dropped + 1
    assert isinstance(frame(sessions, "a")[0], np.ndarray)
    sessions.close_all()


def test_the_sweep_runs_by_itself(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions_module, "_SWEEP", 0.02)
    sessions.get("a").used = time.monotonic() - 10_000
    sessions.start()
    deadline = time.monotonic() + 30
    while len(sessions) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(sessions) == 0
    sessions.close_all()


def test_as_many_pose_streams_are_closed_as_opened(sessions: Sessions) -> None:
    for number in range(60):
        key = f"page {number}"
        frame(sessions, key)
        if number % 2:
            sessions.close(key)
        else:  # abruptly: nobody says goodbye
            sessions.get(key).used = 0.0
            sessions.places._served[key].seen = -1e9
            sessions.sweep()
    sessions.close_all()
    total = sessions.metrics.total
    assert total("pose_streams_opened_total") == total("pose_streams_closed_total") == 60
    assert total("sessions_opened_total") == total("sessions_closed_total") == 60
    assert FakePose.open == 0 and sessions.gauges()["live_served"] == 0


def test_too_many_pages_are_refused_with_the_limit(sessions: Sessions) -> None:
    for number in range(40):
        sessions.get(str(number))
    with pytest.raises(Busy, match="40 people are using this app"):
        sessions.get("one more")
    sessions.close_all()


def test_a_page_takes_its_files_along(sessions: Sessions, moving_video: Path) -> None:
    upload = sessions.vault.root / ("0" * 64) / "film.mp4"
    upload.parent.mkdir(parents=True)
    upload.write_bytes(moving_video.read_bytes())
    mine, yours = sessions.get("a"), sessions.get("b")
    for session in (mine, yours):  # the same file of two visitors is one file
        assert session.begin(upload, "film.mp4", OPTIONS).wait(60)
    results = list(mine._folder.iterdir())
    assert len(results) == 7 and mine._folder.parent == sessions.vault.root
    assert mine.begin(upload, "film.mp4", OPTIONS).wait(60)  # once more: the upload is still there
    assert mine.outcome is None and mine.job.outcome.problem == ""
    assert not any(r.exists() for r in results)
    mine.close()
    assert upload.exists()
    yours.forget_video()
    assert list(sessions.vault.root.iterdir()) == []


def test_videos_are_counted_by_how_they_ended(sessions: Sessions, tmp_path: Path) -> None:
    text = tmp_path / "letter.mp4"
    text.write_text("Dear all")
    assert sessions.get("a").begin(text, text.name, OPTIONS).wait(60)
    told = sessions.metrics.text(sessions.gauges())
    assert 'skeletr_videos_total{ending="refused"} 1' in told
    sessions.close_all()
