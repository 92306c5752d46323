"""Another pose model, and another limit of people, while the camera runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.engine import Engine
from app.live import LiveStream
from app.settings import AppSettings, UserOptions
from skeletr.pose import PoseError
from tests.app.fakes import FakePose, untrained

FIRST = UserOptions("first")
IMAGE = np.full((120, 160, 3), 90, np.uint8)


def test_people_keep_number_and_label_and_the_old_model_is_closed() -> None:
    asked: list[UserOptions] = []

    def make(options: UserOptions) -> FakePose:
        asked.append(options)
        if options.pose == "none":
            raise PoseError("there is no such pose model")
        return FakePose()

    FakePose.open = 0
    engine = Engine(AppSettings(), untrained, make)
    engine.wait(60)
    stream = LiveStream(engine, FIRST)
    before = [stream.step(IMAGE, False, now=i / 10) for i in range(50)][-1].actions.people
    assert all(prediction.label for prediction in before.values())
    for options in (replace(FIRST, pose="second"), replace(FIRST, pose="second", max_people=2)):
        stream.adapt(options, None)
        assert asked[-1] == options and FakePose.open == 1
    with pytest.raises(PoseError):
        stream.adapt(replace(FIRST, pose="none"), None)
    assert stream.options.pose == "second" and FakePose.open == 1
    after = stream.step(IMAGE, False, now=5.0).actions.people
    assert list(after) == list(before) and all(prediction.label for prediction in after.values())
    stream.close()
    assert FakePose.open == 0
