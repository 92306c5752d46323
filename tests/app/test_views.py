"""What the page says of people, and of their absence."""

from __future__ import annotations

import numpy as np
import pytest

from app import teach_view, views
from skeletr.actions import ActionLog, Prediction, Status, Track
from skeletr.pipeline import Result
from skeletr.recording import Frame, Recording
from skeletr.replay import recording_info
from tests.synthetic import scene

TIMES = np.arange(101) / 10


def result(there: np.ndarray) -> Result:
    """Ten seconds with person 0, in view at some of `TIMES` only."""
    whole = scene([150], TIMES)
    frames = [
        Frame(f.time, f.people if seen else ())
        for f, seen in zip(whole.frames(), there, strict=True)
    ]
    recording = Recording.from_frames(frames, whole.image_size)
    moments = TIMES[there][[0, -1]]
    said = Prediction(Status.OK, np.array([0.9, 0.1], np.float32), "walk", 0.9)
    track = Track(moments, (said, said), *moments.tolist())
    log = ActionLog(("walk", "run"), 0.5, {0: track}, Track(moments, (said, said), 0.0, 10.0))
    return Result(recording_info(recording, "clip"), recording, log, {})


@pytest.mark.parametrize(
    ("there", "told"),
    [
        (TIMES >= 0, "0:00 to 0:10<"),
        ((TIMES >= 2) & (TIMES <= 6), "0:02 to 0:06<"),
        ((TIMES <= 2) | (TIMES >= 9), "0:00 to 0:10, 3 s of it<"),
        ((TIMES * 10).round() % 3 == 0, "0:00 to 0:10<"),  # a miss now and then is no absence
        (TIMES == 4, "0:04 to 0:04<"),
    ],
    ids=["all the time", "once", "twice", "with misses", "one frame"],
)
def test_time_in_view_leaves_out_when_somebody_was_away(there: np.ndarray, told: str) -> None:
    assert told in views.people(result(there))


def test_where_nobody_is_found_it_is_said_what_to_do() -> None:
    nobody = ActionLog(("walk",), 0.5, {}, Track(np.zeros(0), (), 0.0, 1.0))
    empty = Recording.from_frames([Frame(0.0, ())], (64, 48))
    told = views.verdict(Result(recording_info(empty, "clip"), empty, nobody, {}))
    assert "Nobody was found in this video. Try one in which" in told
    assert "record it, or drop clips" in teach_view.NOTHING
