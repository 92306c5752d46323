"""The attention is drawn anew only when it changed, and not too often: a page takes long for it."""

from __future__ import annotations

import numpy as np
import pytest

from app.engine import Engine
from app.live import LiveStream
from app.settings import AppSettings, UserOptions
from tests.app.fakes import FakePose, untrained


@pytest.fixture
def stream() -> LiveStream:
    engine = Engine(AppSettings(), untrained, lambda options: FakePose())
    engine.wait(60)
    return LiveStream(engine, UserOptions("fake"))


def test_attention_is_drawn_when_it_changed_and_seldom(stream: LiveStream) -> None:
    picture = np.full((120, 160, 3), 90, np.uint8)
    clock = np.arange(200) / 15
    views = [stream.step(picture, False, now=now) for now in clock]
    drawn = clock[np.diff([v.maps for v in views], prepend=0) > 0]
    changed = clock[[v.actions.fresh and v.actions.attention is not None for v in views]]
    assert set(drawn) < set(changed)
    assert drawn[0] == changed[0], "the first one at once"
    assert (np.diff(drawn) > 1.5).all() and (np.diff(drawn) < 3).all()


def test_a_new_stream_is_drawn_at_once(stream: LiveStream) -> None:
    picture = np.full((120, 160, 3), 90, np.uint8)
    before = [stream.step(picture, False, now=now) for now in np.arange(60) / 15]
    stream.reset()
    after = [stream.step(picture, False, now=now) for now in 4 + np.arange(60) / 15]
    first = [
        np.flatnonzero(np.diff([v.maps for v in views], prepend=start))[0]
        for views, start in ((before, 0), (after, before[-1].maps))
    ]
    assert first[0] == first[1]
