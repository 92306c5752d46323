"""Sessions without a browser: what is made, shared and freed."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from app.engine import Engine, EngineState, NotReady
from app.job import safe_stem
from app.sessions import Busy, Gone, Session, Sessions
from app.settings import AppSettings, UserOptions
from skeletr.checkpoint import Checkpoint
from tests.app.fakes import FakePose, untrained

OPTIONS = UserOptions("fake")


@pytest.fixture
def engine() -> Engine:
    FakePose.open = 0
    made = Engine(AppSettings(max_sessions=2), untrained, lambda options: FakePose())
    made.wait(60)
    return made


def step(session: Session, now: float, mirrored: bool = False, options: UserOptions = OPTIONS):
    image = np.full((120, 160, 3), 90, np.uint8)
    with session.lock:
        return session.live(options).step(image, mirrored, now=now)


def test_live_stream_labels_a_person_and_is_closed_with_the_page(engine: Engine) -> None:
    sessions = Sessions(engine)
    session = sessions.get("a")
    assert FakePose.open == 0
    views = [step(session, 100 + i / 10) for i in range(40)]
    assert list(views[-1].actions.people) and FakePose.open == 1
    assert next(iter(views[-1].actions.people.values())).label in engine.labels
    assert views[-1].actions.time == pytest.approx(3.9)
    assert views[-1].fps == pytest.approx(10, rel=0.01)
    assert sum(v.actions.fresh for v in views) >= 2
    sessions.close("a")
    assert FakePose.open == 0 and len(sessions) == 0
    with pytest.raises(NotReady):
        step(session, 200)


def test_a_pause_and_new_options_begin_a_new_stream(engine: Engine) -> None:
    session = Sessions(engine).get("a")
    step(session, 0.0)
    assert step(session, 1.0).actions.time == 1.0
    assert step(session, 60.0).actions.time == 0.0
    step(session, 60.1, options=replace(OPTIONS, max_people=2))
    assert FakePose.open == 1


def test_times_that_stand_still_are_moved_on(engine: Engine) -> None:
    session = Sessions(engine).get("a")
    times = [step(session, 5.0).actions.time for _ in range(3)]
    assert times == sorted(set(times))


def test_mirrored_pictures_are_drawn_mirrored(engine: Engine) -> None:
    session = Sessions(engine).get("a")
    views = [step(session, i / 10, mirrored=True) for i in range(10)]
    changed = np.any(views[-1].image[:90] != 90, axis=(0, 2))
    assert np.flatnonzero(changed).mean() > 80  # the person of the left is shown on the right


def test_too_many_pages_are_told_and_idle_ones_make_room(engine: Engine) -> None:
    sessions = Sessions(engine)
    sessions.get("a")
    sessions.get("b")
    with pytest.raises(Busy):
        sessions.get("c")
    sessions.get("a").used = time.monotonic() - 2 * engine.settings.idle_seconds
    sessions.get("c")
    assert len(sessions) == 2
    sessions.close_all()


def test_forgotten_tabs_make_room_when_all_places_are_taken(engine: Engine) -> None:
    sessions = Sessions(engine)
    long_ago = time.monotonic() - 2 * engine.settings.idle_seconds
    for key in "ab":
        sessions.get(key)
        sessions.is_open(key)
    with pytest.raises(Busy, match="2 people"):  # both were used just now
        sessions.get("c")
    sessions.get("a").used, sessions.get("b").used = long_ago, long_ago - 1
    sessions.sweep()
    assert len(sessions) == 2  # as long as nobody needs it, an open tab keeps its place
    sessions.get("c")
    assert set(sessions._sessions) == {"a", "c"}
    for ask in (sessions.get, sessions.place):
        with pytest.raises(Gone, match="Reload it"):
            ask("b")
    sessions.close_all()


def test_a_tab_whose_video_waits_is_not_forgotten(engine: Engine) -> None:
    sessions = Sessions(engine)
    for key in "ab":
        sessions.get(key).waits = True
        sessions.get(key).used = time.monotonic() - 2 * engine.settings.idle_seconds
        sessions.is_open(key)
    with pytest.raises(Busy):
        sessions.get("c")
    sessions.close_all()


def test_a_job_writes_its_files_and_leaves_nothing(engine: Engine, moving_video: Path) -> None:
    session = Sessions(engine).get("a")
    job = session.begin(moving_video, "../odd name?.mp4", OPTIONS)
    assert job.wait(60)
    assert job.outcome.problem == "" and len(job.outcome.result.log.people) == 1
    files = job.outcome.files
    paths = (files.video, files.csv, files.json, files.recording)
    assert all(p.is_file() for p in paths)
    session.close()
    assert not any(p.exists() for p in paths)
    assert FakePose.open == 0


def test_a_fault_in_a_job_is_one_sentence(engine: Engine, moving_video: Path, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("inner detail")

    monkeypatch.setattr(FakePose, "estimate", fail)
    job = Sessions(engine).get("a").begin(moving_video, "film.mp4", OPTIONS)
    assert job.wait(60)
    assert "film.mp4" in job.outcome.problem and "inner detail" not in job.outcome.problem


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (ValueError("the first time fails"), "first time"),
        (torch.OutOfMemoryError("CUDA out of memory"), "no memory left"),
    ],
)
def test_models_that_failed_are_tried_again(monkeypatch, fault: Exception, said: str) -> None:
    tries = []

    def load(settings: AppSettings) -> Checkpoint:
        tries.append(1)
        if len(tries) == 1:
            raise fault
        return untrained(settings)

    monkeypatch.setattr("app.engine._RETRY", 0.0)
    engine = Engine(AppSettings(), load, lambda options: FakePose())
    with pytest.raises(NotReady, match=said):
        engine.wait(60)
    engine.wait(60)
    assert engine.state is EngineState.READY


def test_a_missing_checkpoint_is_said_and_does_not_stop_the_page(tmp_path: Path) -> None:
    engine = Engine(AppSettings(checkpoint=tmp_path / "none"), None, lambda options: FakePose())
    with pytest.raises(NotReady, match="checkpoint"):
        engine.wait(60)
    assert engine.state is EngineState.FAILED


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a b.mp4", "a_b"), ("../../x.mp4", "x"), ("<i>.mp4", "i"), ("?.mp4", "video")],
)
def test_file_names_are_made_safe(name: str, stem: str) -> None:
    assert safe_stem(name) == stem
