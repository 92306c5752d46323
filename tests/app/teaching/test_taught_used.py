"""What was taught is used by the camera and for videos at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.engine import Engine
from app.live import LiveStream
from app.sessions import Session
from app.teacher import Teacher
from skeletr.teach import TaughtActions
from tests.app.fakes import FakePose
from tests.app.teaching.lessons import OPTIONS, one


def test_live_goes_on_when_something_is_taught_or_set(engine: Engine, teacher: Teacher) -> None:
    FakePose.open = 0
    stream = LiveStream(engine, OPTIONS)
    image = np.full((120, 160, 3), 90, np.uint8)

    def play(begin: float, count: int) -> list:
        return [stream.step(image, False, now=begin + i / 10) for i in range(count)]

    before = play(0.0, 50)[-1]
    known = len(next(iter(before.actions.people.values())).scores)
    head = teacher.learn(
        actions := TaughtActions().add("juggle", one()), [teacher.look(actions.examples[0])]
    ).head
    stream.adapt(OPTIONS, head)
    after = play(5.0, 1)[0]
    person = after.actions.people[next(iter(before.actions.people))]  # the same number
    assert person.label and len(person.scores) == known + 1  # and a label without waiting
    assert after.actions.time == pytest.approx(5.0) and not after.note
    stream.adapt(replace(OPTIONS, threshold=1.0, max_people=2), head)
    sure = play(5.1, 1)[0]
    assert list(sure.actions.people) == list(before.actions.people) and FakePose.open == 1
    stream.close()


def test_a_visitors_labels_reach_camera_and_video(session: Session, teacher: Teacher) -> None:
    session.teaching.offer(teacher, "juggle", one())

    def labels() -> int:
        image = np.full((120, 160, 3), 90, np.uint8)
        with session.lock:
            for _ in range(60):
                labels.now += 0.1
                view = session.live(OPTIONS).step(image, False, now=labels.now)
        return len(next(iter(view.actions.people.values())).scores)

    labels.now = 0.0
    assert labels() == 3
    job = session.begin(one(), "mine", OPTIONS, files=False)
    assert job.wait(60) and job.outcome.result.log.labels[-1] == "juggle"
    assert job.outcome.taught is session.teaching.taught
    session.teaching.use = False
    assert labels() == 2
    job = session.begin(one(), "mine", OPTIONS, files=False)
    assert job.wait(60) and "juggle" not in job.outcome.result.log.labels
    session.close()
