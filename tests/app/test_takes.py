"""Takes of an action from the camera: the countdown, the length, and streams that begin anew."""

from __future__ import annotations

import numpy as np
import pytest

from app.takes import COUNTDOWN, LONGEST_TAKE, Moment, Takes
from tests.synthetic import scene


def see(takes: Takes, times: np.ndarray, size: tuple[int, int] = (640, 480)) -> list:
    frames = list(scene([150], np.arange(50) / 25).frames())
    return [takes.see(frames[0].people, float(t), size) for t in times]


def test_a_take_counts_down_and_records_for_its_length() -> None:
    takes = Takes()
    assert see(takes, np.array([0.0])) == [None]
    takes.start("juggle", 2.0)
    found = see(takes, 1 + np.arange(60) / 10)
    counted = [m.left for m in found if isinstance(m, Moment) and m.left > 0]
    assert counted[0] == COUNTDOWN and counted == sorted(counted, reverse=True)
    done = [f for f in found if isinstance(f, tuple)]
    assert len(done) == 1 and found[-1] is None and not takes.running
    name, recording = done[0]
    assert name == "juggle"
    assert recording.end - recording.start == pytest.approx(2.0, abs=0.11)


def test_a_take_without_length_ends_when_it_is_stopped_or_too_long() -> None:
    takes = Takes()
    takes.start("juggle", 0)
    see(takes, np.arange(80) / 10)
    takes.stop()
    _, recording = see(takes, np.array([8.0]))[0]
    assert recording.end - recording.start == pytest.approx(8.0 - COUNTDOWN, abs=0.11)
    takes.start("juggle", 0)
    takes.stop()
    assert see(takes, np.array([9.0, 9.1])) == [None, None]  # stopped while it counted
    takes.start("juggle", 0)
    ends = [i for i, f in enumerate(see(takes, 10 + np.arange(400) / 10)) if isinstance(f, tuple)]
    assert ends == [pytest.approx((COUNTDOWN + LONGEST_TAKE) * 10, abs=1)]


def test_a_stream_that_begins_anew_begins_the_take_anew() -> None:
    takes = Takes()
    takes.start("juggle", 2.0)
    see(takes, 50 + np.arange(45) / 10)
    found = see(takes, np.arange(45) / 10)
    assert found[0].left == COUNTDOWN and not any(isinstance(f, tuple) for f in found)
    assert see(takes, np.array([4.6]), (320, 240))[0].left == COUNTDOWN
