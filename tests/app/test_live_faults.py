"""A camera that misbehaves: the session goes on and says what is shown."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from app import views
from app.engine import Engine
from app.live import LiveStream, LiveView
from app.settings import AppSettings, UserOptions
from app.stream_clock import StreamClock
from skeletr.video import VideoLimits
from tests.app.fakes import FakePose, untrained


@pytest.fixture(scope="module")
def engine() -> Engine:
    limits = VideoLimits(processing_side=320)
    made = Engine(AppSettings(limits=limits), untrained, lambda options: FakePose())
    made.wait(60)
    return made


@pytest.fixture
def stream(engine: Engine) -> LiveStream:
    return LiveStream(engine, UserOptions("fake"))


def image(width: int = 160, height: int = 120) -> np.ndarray:
    return np.full((height, width, 3), 90, np.uint8)


def play(stream: LiveStream, clock: Iterable[float]) -> list[LiveView]:
    return [stream.step(image(), False, now=now) for now in clock]


def times(found: list[LiveView]) -> np.ndarray:
    return np.array([v.actions.time for v in found])


def labelled(view: LiveView) -> bool:
    return any(p.label for p in view.actions.people.values())


@pytest.mark.parametrize("rate", [1, 2, 5, 15, 30, 60])
def test_any_pace_is_followed_and_shown(stream: LiveStream, rate: int) -> None:
    found = play(stream, 100 + np.arange(5 * rate + 1) / rate)
    assert (np.diff(times(found)) > 0).all()
    assert found[-1].fps == pytest.approx(rate, rel=0.05)
    assert f"<b>{rate}</b> frames/s" in views.badge(found[-1])
    assert ("Too slow" in views.badge(found[-1])) == (rate < 4)
    assert "sk-" in views.live_people(found[-1])
    if rate >= 5:
        assert labelled(found[-1])


def test_jitter_and_bursts_change_nothing(stream: LiveStream) -> None:
    rng = np.random.default_rng(0)
    clock = np.cumsum(rng.exponential(1 / 15, 90))
    clock[30:40] = clock[30]  # ten frames at the same moment
    clock[50:55] -= 0.3  # and some out of order
    found = play(stream, clock)
    assert (np.diff(times(found)) > 0).all()
    assert labelled(found[-1]) and not any(v.note for v in found)
    assert times(found)[-1] == pytest.approx(clock[-1] - clock[0], abs=0.05)


def test_a_gap_of_five_seconds_begins_anew_and_says_so(stream: LiveStream) -> None:
    before = play(stream, np.arange(40) / 10)
    after = play(stream, 3.9 + 5.5 + np.arange(60) / 10)
    assert labelled(before[-1]) and not labelled(after[0]) and labelled(after[-1])
    assert after[0].actions.time == 0.0
    assert after[0].note == "No picture came for 6 s; people are followed anew."
    assert after[0].note in views.live_people(after[0])
    assert not after[-1].note  # after a while it is said no more


def test_a_short_gap_goes_on(stream: LiveStream) -> None:
    play(stream, np.arange(40) / 10)
    after = play(stream, 3.9 + 3 + np.arange(5) / 10)
    assert after[0].actions.time == pytest.approx(6.9) and not after[0].note


def test_a_clock_that_is_set_back_goes_on_at_its_pace(stream: LiveStream) -> None:
    before = play(stream, 1000 + np.arange(40) / 10)
    after = play(stream, 400 + np.arange(40) / 10)
    passed = times(before + after)
    assert (np.diff(passed) > 0).all()
    assert passed[-1] == pytest.approx(7.8, abs=0.15)  # not squeezed into nothing
    assert labelled(after[0]) and labelled(after[-1])


def test_another_resolution_begins_anew_and_says_so(stream: LiveStream) -> None:
    play(stream, np.arange(40) / 10)
    found = [stream.step(image(240, 320), False, now=4 + i / 10) for i in range(60)]
    assert found[0].image.shape == (320, 240, 3)
    assert found[0].note == "The picture is now 240x320 pixels; people are followed anew."
    assert not labelled(found[0]) and labelled(found[-1])
    assert list(found[-1].actions.people) == [1]


def test_a_resolution_that_changes_all_the_time_stops_nothing(stream: LiveStream) -> None:
    sizes = [(1, 1), (2, 500), (333, 7), (64, 64), (160, 120)] * 4
    for index, size in enumerate(sizes):
        view = stream.step(image(*size), bool(index % 2), arcs=True, now=index / 10)
        assert view.image.shape[2] == 3 and view.note.startswith("The picture") == (index > 0)


def test_large_pictures_are_scaled_down(stream: LiveStream) -> None:
    assert stream.step(image(1920, 1080), False, now=0.0).image.shape == (180, 320, 3)


def test_stages_are_timed(stream: LiveStream) -> None:
    view = play(stream, [0.0])[0]
    assert set(view.stages) == {"pose", "track", "recognise", "draw"}
    assert sum(view.stages.values()) <= view.latency


def test_after_a_fault_the_stream_goes_on(stream: LiveStream, monkeypatch) -> None:
    play(stream, np.arange(20) / 10)
    with monkeypatch.context() as patch:
        patch.setattr(FakePose, "estimate", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            play(stream, [2.0])
    assert labelled(play(stream, 2.1 + np.arange(30) / 10)[-1])


def test_clock_of_a_stream() -> None:
    clock = StreamClock()
    shown = [50.0, 50.1, 50.1, 50.05, 50.2, 20.0, 20.1, 20.2]
    found = [clock.next(t) for t in shown]
    assert found == pytest.approx([0, 0.1, 0.101, 0.102, 0.2, 0.24, 0.34, 0.44])
    assert clock.pause(20.3) == 0.0 and clock.pause(30.2) == pytest.approx(10.0)
    assert clock.pause(-100.0) == 0.0
    clock.reset()
    assert clock.pause(1e9) == 0.0 and clock.next(7.0) == 0.0


def test_the_fault_of_one_camera_does_not_name_files(tmp_path: Path) -> None:
    settings = AppSettings(checkpoint=tmp_path / "none")
    broken = Engine(settings, None, lambda options: FakePose())
    broken.start()
    broken._done.wait(60)
    assert str(tmp_path) not in views.header(broken)
