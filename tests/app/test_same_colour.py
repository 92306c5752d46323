"""The same person has the same colour everywhere: live, timeline, maps, page and export."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from app import figures, scene_data, thumbnails, views
from app.engine import Engine
from app.live import LiveStream
from app.settings import AppSettings, UserOptions
from app.timeline_view import timeline
from skeletr.overlay import person_hex
from skeletr.pipeline import Result
from skeletr.recognizer import Recognizer
from skeletr.recording import Person
from skeletr.replay import recognize_recording, replay_video
from skeletr.video import VideoReader
from tests.app.fakes import FakePose, untrained
from tests.synthetic import scene

PEOPLE = (0, 1, 2)
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_NEAR = 40  # of a channel: an encoder for video is not exact
_PIXELS = 15  # that a skeleton has at least in its colour


@pytest.fixture(scope="module")
def result() -> Result:
    recording = scene([120, 320, 520], np.arange(45) / 15)
    return recognize_recording(recording, Recognizer(untrained(AppSettings())), name="three")


class Near(FakePose):
    """The same person, four times as large."""

    def estimate(self, image: np.ndarray, time: float) -> tuple[Person, ...]:
        (person,) = super().estimate(image, time)
        return (Person.from_keypoints(person.keypoints * np.array([4, 4, 1], np.float32)),)


def in_colour(image: np.ndarray, person: int, near: int) -> int:
    """How many pixels of an (H, W, 3) picture have the colour of a person."""
    colour = np.array(bytearray.fromhex(person_hex(person)[1:]), int)
    return int((np.abs(image.astype(int) - colour).max(axis=-1) <= near).sum())


def test_the_page_shows_everybody_in_one_colour(result: Result) -> None:
    attention = result.log.attention[-1][1]
    between = figures.people_heatmap(attention).layout
    sequences = figures.sequence_heatmap(attention).layout
    told = json.loads(scene_data.scene(result.recording, result.log))["people"]
    table = views.people(result)
    for person in PEOPLE:
        colour = person_hex(person)
        places = [
            views.number(person),
            re.search(rf'<span[^>]*class="sk-chip"[^>]*>{person}</span>', table).group(),
            next(t for t in timeline(result.log).layout.yaxis.ticktext if f"Person {person}" in t),
            next(t for t in between.xaxis.ticktext if f"Person {person}" in t),
            next(t for t in between.yaxis.ticktext if f"Person {person}" in t),
            *(t for t in sequences.yaxis.ticktext if f", {person})" in t),
            json.dumps(told[str(person)]["color"]),
        ]
        assert all(_COLOUR.search(place).group() == colour for place in places)
        assert colour in thumbnails.thumbnail(result.recording)


def test_the_exported_video_shows_them_in_the_same_ones(result: Result, tmp_path: Path) -> None:
    path = tmp_path / "replay.mp4"
    replay_video(result, path)
    *_, last = VideoReader(path)
    for person in PEOPLE:
        assert in_colour(last.image, person, _NEAR) > _PIXELS
    assert in_colour(last.image, 5, 8) == 0  # nobody's


def test_the_live_picture_shows_them_in_the_same_ones() -> None:
    engine = Engine(AppSettings(), untrained, lambda options: Near())
    engine.wait(60)
    stream = LiveStream(engine, UserOptions("fake"))
    image = np.full((480, 640, 3), 90, np.uint8)
    view = [stream.step(image, False, now=i / 10) for i in range(9)][-1]  # seen often enough
    (person,) = view.actions.people
    assert in_colour(view.image, person, 2) > _PIXELS
    chip = _COLOUR.search(views.live_people(view)).group()
    assert chip == person_hex(person)
    stream.close()
