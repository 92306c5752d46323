"""What the growth benchmarks measure is what they say: lengths, paces, people, memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.settings import AppSettings
from benchmarks.crowd import crowd, crowd_video, there_and_back
from benchmarks.growth_people import recognition
from benchmarks.looping import looped, slower
from benchmarks.pose_crowd import side_by_side
from benchmarks.replayed import Replayed
from skeletr.recording import Person, Recording
from skeletr.skeleton import COCO_INDEX
from skeletr.video import VideoReader
from tests.app.fakes import untrained
from tests.conftest import pattern
from tests.synthetic import scene

ROOT = Path(__file__).parent.parent


@pytest.fixture
def clip(make_video: Callable[..., Path]) -> Path:
    """Three seconds at 10 frames a second."""
    return make_video("clip.mp4", (pattern(i) for i in range(30)), fps=10)


def shown(video: Path) -> tuple[np.ndarray, np.ndarray]:
    """Times of the frames, and their pictures."""
    frames = list(VideoReader(video))
    return np.array([f.time for f in frames]), np.stack([f.image for f in frames])


def test_a_looped_video_goes_on_evenly_and_repeats_the_pictures(clip: Path, tmp_path: Path):
    times, images = shown(looped(clip, 8.0, tmp_path / "long.mkv"))
    assert len(times) == 80
    assert np.diff(times) == pytest.approx(0.1, abs=0.002)
    once = shown(clip)[1]
    assert all(np.array_equal(image, once[i % 30]) for i, image in enumerate(images))


def test_a_slower_video_has_the_same_length(clip: Path, tmp_path: Path):
    times, _ = shown(slower(clip, 5, tmp_path / "slow.mp4"))
    assert times == pytest.approx(np.arange(15) / 5, abs=0.002)


def test_nobody_jumps_where_the_clip_turns():
    for shift in (0, 3, 17):
        order = there_and_back(10, 100, shift)
        assert set(order) == set(range(10))
        assert (np.abs(np.diff(order)) == 1).all()
    assert there_and_back(1, 5, 2).tolist() == [0] * 5


@pytest.fixture(scope="module")
def one() -> Recording:
    return scene([300], np.arange(60) / 20)


def test_a_crowd_is_one_person_at_other_places_and_moments(one: Recording):
    many = crowd(one, 10, rate=15, seconds=4)
    assert many.people == list(range(10))
    assert len(many.frame_times) == 60 and len(many.frame) == 600
    assert (many.keypoints[..., :2] >= 0).all()
    assert (many.keypoints[..., :2].max(axis=(0, 1)) <= many.image_size).all()
    first, aside = (many.keypoints[many.person == person] for person in (0, 3))
    assert aside[..., 0, 0].min() > first[..., 0, 0].max()  # beside the first
    wrist = COCO_INDEX["left_wrist"]
    assert np.ptp(first[:, wrist, 1] - aside[:, wrist, 1]) > 1  # and not in step


def test_copies_stand_side_by_side_at_other_moments_every_other_one_mirrored():
    frames = [np.array([[[i] * 3, [100 + i] * 3]], np.uint8) for i in range(40)]
    picture = side_by_side(frames, 2, 2, 2)
    assert picture.shape == (2, 4, 3)
    assert picture[..., 0].tolist() == [[2, 102, 119, 19], [136, 36, 13, 113]]


def test_a_crowd_video_shows_more_people_in_a_picture_of_one_size(clip: Path, tmp_path: Path):
    width, height = VideoReader(clip).size
    body = np.ones((17, 3), np.float32)
    body[:, 0] = np.linspace(0.3, 0.7, 17) * width
    body[:, 1] = np.linspace(0.1, 0.9, 17) * height
    person = Recording.from_arrays(np.stack([body] * 30)[None], np.arange(30) / 10, (width, height))
    for people in (1, 16):
        path = crowd_video(clip, person, people, 1.0, (320, 180), tmp_path / f"{people}.mp4")
        _, images = shown(path)
        assert images.shape == (10, 180, 320, 3)
        cells = images[5].reshape(2, 90, 8, 40, 3)
        assert (cells.std(axis=(1, 3)).max(axis=-1) > 10).sum() == people  # the others are plain


def test_what_recognition_takes_is_told_for_each_number_of_people(one: Recording):
    rows = recognition(untrained(AppSettings()), one, [1, 2, 16], [10], rounds=1)
    assert [row["people"] for row in rows] == [1, 2, 16]
    assert rows[0]["window"] * 2 == rows[1]["window"] < rows[2]["window"]
    assert rows[2]["window"] == rows[2]["window_at_most"]
    assert all(row["key_frame"] > row["frame"] > 0 for row in rows)


def test_replayed_people_begin_again_where_that_is_wanted():
    found = [(Person(np.full((17, 3), i, np.float32), np.zeros(4, np.float32)),) for i in range(3)]
    image = np.zeros((4, 4, 3), np.uint8)
    for rewinds, expected in ((True, 0), (False, 2)):
        frontend = Replayed(found, rewinds)
        frontend.estimate(image, 0.0)
        frontend.estimate(image, 0.1)
        frontend.reset()
        assert frontend.estimate(image, 0.0)[0].keypoints[0, 0] == expected


# In a process of its own: one that has run tests has free memory, which would be taken first.
_HUNGRY = """
import json, subprocess, sys, time
import numpy as np
from benchmarks.watch import Watch
with Watch(every=0.01) as watch:
    held = np.ones(60 << 17)  # 60 MB
    below = "import time; held = bytearray(120 << 20); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", below])
    deadline = time.monotonic() + 60
    while max(at.below for at in list(watch.looks)) < 120 and time.monotonic() < deadline:
        time.sleep(0.01)
    child.kill()
    child.wait()
looks = watch.looks
print(json.dumps([looks[0].own, max(at.own for at in looks), max(at.below for at in looks)]))
"""


def test_memory_of_a_process_and_of_those_below_it_is_seen_apart():
    done = subprocess.run(
        [sys.executable, "-c", _HUNGRY], capture_output=True, text=True, check=True, cwd=ROOT
    )
    before, most, below = json.loads(done.stdout)
    assert most > before + 50
    assert below >= 120
