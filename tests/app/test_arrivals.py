"""Pictures that were skipped: the count is right however they come and are looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.arrivals import Arrivals
from app.engine import Engine
from app.sessions import Sessions
from app.settings import AppSettings
from app.vault import Vault
from tests.app.fakes import untrained


@pytest.mark.parametrize("seed", range(20))
def test_what_came_is_looked_at_or_skipped(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counted: list[int] = []
    arrivals, came, looked, skipped = Arrivals(counted.append), 1, 0, 0
    skipped += arrivals.taken("page", "a")  # the first comes with the question for the camera
    looked += 1
    for _ in range(200):
        for _ in range(rng.integers(1, 5)):
            arrivals.came("a")
            came += 1
        skipped += arrivals.taken("page", rng.choice(["a", None]))
        looked += 1
        assert skipped == came - looked == sum(counted)
    assert min(counted) > 0


def test_a_picture_that_was_on_its_way_is_not_skipped_in_the_end() -> None:
    arrivals = Arrivals()
    arrivals.taken("page", "a")
    arrivals.came("a")
    arrivals.came("a")  # the queue had handed over the first one already
    found = [arrivals.taken("page", None), arrivals.taken("page", None)]
    assert found == [1, -1] and sum(found) == 0


def test_a_counter_that_was_too_high_catches_up() -> None:
    counted: list[int] = []
    arrivals = Arrivals(counted.append)
    arrivals.taken("page", "a")
    for _ in range(3):
        arrivals.came("a")
    arrivals.taken("page", None)
    arrivals.taken("page", None)  # one of them was on its way
    assert counted == [2]
    for _ in range(4):
        arrivals.came("a")
    arrivals.taken("page", None)
    assert counted == [2, 2]  # of three that were skipped


def test_what_was_skipped_is_in_the_metrics(tmp_path: Path) -> None:
    sessions = Sessions(Engine(AppSettings(), untrained), Vault(tmp_path, 60))
    for page in ("one", "other"):
        sessions.arrivals.taken(page, f"camera of {page}")  # the first picture of each
        for _ in range(3):
            sessions.arrivals.came(f"camera of {page}")
        sessions.arrivals.taken(page, None)
    text = sessions.metrics.text(sessions.gauges())
    assert "\nskeletr_frames_dropped_total 4\n" in text


def test_cameras_do_not_mix_and_strangers_take_no_memory(monkeypatch) -> None:
    monkeypatch.setattr("app.arrivals._MOST", 3)
    arrivals = Arrivals()
    for number in range(100):
        arrivals.came(f"made up {number}")
    for camera in "abcd":
        assert arrivals.taken(f"page of {camera}", camera) == 0
    for _ in range(3):
        arrivals.came("d")
        arrivals.came("a")  # forgotten: longest ago
    assert arrivals.taken("page of d", None) == 2
    assert arrivals.taken("page of a", "a") == 0
    assert len(arrivals._waiting) == len(arrivals._camera_of) == 3


def test_a_camera_that_is_started_again_is_counted_anew() -> None:
    arrivals = Arrivals()
    arrivals.taken("page", "first")
    for _ in range(5):
        arrivals.came("first")
    assert arrivals.taken("page", "second") == 0
    arrivals.came("first")  # late
    arrivals.came("second")
    arrivals.came("second")
    assert arrivals.taken("page", None) == 1
    assert list(arrivals._waiting) == ["second"]
