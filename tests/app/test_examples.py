"""The examples on the page: made here, recognised when they are asked for."""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from app.engine import Engine
from app.examples import example, example_names, example_style, first_example_ahead
from app.job import Files, Job, Outcome
from app.settings import AppSettings, UserOptions
from app.thumbnails import thumbnail
from skeletr.actions import Status
from skeletr.checkpoint import DEFAULT_CHECKPOINT
from skeletr.overlay import person_hex
from skeletr.video import VideoReader
from tests.app.fakes import FakePose, untrained

SHIPPED = (DEFAULT_CHECKPOINT / "config.json").is_file()


def recognised(engine: Engine, name: str, folder: Path) -> Outcome:
    """An example as the page shows it."""
    job = Job(engine, UserOptions("mediapipe"), example(name), name, folder)
    job.start()
    assert job.wait(300) and job.outcome.problem == ""
    return job.outcome


@pytest.mark.parametrize("name", ["A handshake", "A crowd of four"])
def test_an_example_becomes_a_result_with_a_replay(name: str, tmp_path: Path) -> None:
    engine = Engine(AppSettings(), untrained, lambda options: FakePose())
    outcome = recognised(engine, name, tmp_path)
    recording = example(name)
    assert list(outcome.result.log.people) == recording.people
    assert outcome.result.info.name == name and outcome.result.log.attention
    times = [f.time for f in VideoReader(outcome.files.video)]
    assert np.allclose(times, recording.frame_times, atol=1e-3)
    assert outcome.files.session.stat().st_size < 400_000


def test_the_model_looks_at_an_example_once(tmp_path: Path) -> None:
    engine = Engine(AppSettings(), untrained, lambda options: FakePose())
    name = example_names()[0]
    ahead = time.monotonic() + 300
    with first_example_ahead(engine):
        while engine.ready_made.take((name, None), tmp_path) is None:
            assert time.monotonic() < ahead
            time.sleep(0.1)
    assert not engine.ready_made.making.locked()
    folders = [tmp_path / str(i) for i in range(3)]
    for folder in folders:
        folder.mkdir()
    known = recognised(engine, name, folders[0])
    assert recognised(engine, name, folders[1]).result is known.result
    for field in fields(Files):
        path = getattr(known.files, field.name)
        assert path.parent == folders[0] and path.stat().st_size
    stricter = Job(engine, UserOptions("mediapipe", threshold=0.9), example(name), name, folders[2])
    stricter.start()
    assert stricter.wait(300) and stricter.outcome.result is not known.result


def test_two_who_ask_at_the_same_time_share_one_look(tmp_path: Path) -> None:
    engine = Engine(AppSettings(), untrained, lambda options: FakePose())
    name = example_names()[0]
    jobs = []
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        jobs.append(Job(engine, UserOptions("mediapipe"), example(name), name, folder))
        jobs[-1].start()
    jobs[-1].cancel()
    assert all(job.wait(300) for job in jobs)
    assert jobs[0].outcome.result is jobs[1].outcome.result is not None
    assert jobs[-1].outcome.stopped or jobs[-1].outcome.result is jobs[0].outcome.result


def test_recognised_anew_an_example_is_looked_at_again(tmp_path: Path) -> None:
    engine = Engine(AppSettings(), untrained, lambda options: FakePose())
    name = example_names()[0]
    first = recognised(engine, name, tmp_path)
    anew = Job(engine, UserOptions("mediapipe"), example(name), name, tmp_path, anew=True)
    anew.start()
    assert anew.wait(300) and anew.outcome.result is not first.result


@pytest.mark.skipif(not SHIPPED, reason="there is no trained model in checkpoints")
def test_the_shipped_model_sees_the_handshake_and_that_the_two_look_at_each_other(
    tmp_path: Path,
) -> None:
    engine = Engine(AppSettings(), None, lambda options: FakePose())
    log = recognised(engine, "A handshake", tmp_path).result.log
    for track in log.people.values():
        sure = [p.label for p in track.predictions if p.status is Status.OK]
        assert "shake hands" in sure and log.summary(track)[0][0] == "shake hands"
    middle = dict(log.attention)[min((t for t, _ in log.attention), key=lambda t: abs(t - 3.5))]
    people, weights = middle.between_people()
    assert people == [1, 2]
    assert weights[0, 1] > 0.1 and weights[1, 0] > 0.1


def test_each_example_has_its_picture() -> None:
    style = example_style()
    assert len(re.findall(r"#example-[a-z-]+::before", style)) == len(example_names()) >= 4
    assert "http:" not in style and "https:" not in style  # nothing is fetched
    for name in example_names():
        recording = example(name)
        picture = ElementTree.fromstring(thumbnail(recording))
        left, top, width, height = map(float, picture.get("viewBox").split())
        paths = [e for e in picture if e.tag.endswith("path")]
        colours = {person_hex(i) for i in recording.people}
        assert {p.get("stroke") for p in paths} <= colours and len(paths) >= 2
        for path in paths:
            for x, y in re.findall(r"[ML](-?\d+) (-?\d+)", path.get("d")):
                assert left <= float(x) <= left + width and top <= float(y) <= top + height
