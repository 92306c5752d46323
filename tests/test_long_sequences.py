"""The classic input: long sequences linked by confidence rank."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from skeletr.checkpoint import Checkpoint
from skeletr.evaluation.protocol import clip_windows
from skeletr.long_sequences import long_sequences
from skeletr.recognizer import Recognizer
from skeletr.recording import Frame, Person, Recording
from skeletr.sequences import SequenceConfig, build_sequences
from skeletr.skeleton import V

from .tiny_models import tiny

CONFIG = SequenceConfig(frames=8, max_sequences=2, linking="rank", joints=tuple(range(V)))


def person(place: float, score: float) -> Person:
    keypoints = np.full((V, 3), score, np.float32)
    keypoints[:, :2] = place + np.arange(V)[:, None]
    return Person.from_keypoints(keypoints, id=int(place))


def recording(frames: list[list[tuple[float, float]]]) -> Recording:
    """Frames of (place, score) per person, at 10 frames per second."""
    return Recording.from_frames(
        [Frame(t / 10, tuple(person(*p) for p in people)) for t, people in enumerate(frames)],
        (640, 480),
    )


def test_the_surest_people_of_each_frame_are_linked_whoever_they_are():
    # Person 100 is surer in even frames; 300 is never among the two surest.
    frames = [[(100, 0.9 - 0.4 * (t % 2)), (200, 0.7), (300, 0.2)] for t in range(8)]
    found = long_sequences(recording(frames), count=2, frames=8)
    places = found.keypoints[..., 0, 0]
    assert places[0].tolist() == [100, 200] * 4
    assert places[1].tolist() == [200, 100] * 4
    assert found.person.tolist() == [0, 1]
    assert found.observed.tolist() == [1, 1]
    assert found.times.tolist() == pytest.approx([0.35, 0.35])
    assert found.boxes[0].tolist() == [100, 100, 100 + V - 1, 100 + V - 1]


def test_frames_are_taken_at_equal_distances_or_repeated():
    long = recording([[(float(t), 0.9)] for t in range(20)])
    found = long_sequences(long, frames=4)
    assert found.keypoints[0, :, 0, 0].tolist() == [2, 7, 12, 17]
    short = recording([[(float(t), 0.9)] for t in range(3)])
    found = long_sequences(short, frames=8)
    assert found.keypoints[0, :, 0, 0].tolist() == [0, 1, 2, 0, 1, 2, 0, 1]


def test_gaps_stay_and_ranks_of_nobody_give_no_sequence():
    frames = [[(100.0, 0.9)], [], [(100.0, 0.9), (200.0, 0.5)], []]
    found = long_sequences(recording(frames), count=3, frames=4)
    assert len(found) == 2
    assert found.observed.tolist() == [0.5, 0.25]
    assert not found.keypoints[1, [0, 1, 3]].any()
    assert found.boxes[1, 0] == 200
    for nobody in (recording([]), recording([[], []])):
        empty = long_sequences(nobody, frames=4)
        assert empty.keypoints.shape == (0, 4, V, 3)


def test_a_configuration_with_ranks_gives_one_window_of_long_sequences():
    people = recording([[(100.0, 0.9), (200.0, 0.8), (300.0, 0.7)]] * 50)
    found = build_sequences(people, CONFIG)
    assert found.keypoints.shape == (2, 8, V, 3)
    ((x, embedding),) = clip_windows(people, CONFIG)
    assert x.shape == (2, 8, V, 3) and embedding.shape == (2, 5)
    hidden = replace(CONFIG, joints=(0,), min_score=0.5)
    assert not build_sequences(people, hidden).keypoints[:, :, 1:].any()


def test_a_stream_has_no_long_sequences():
    torch.manual_seed(0)
    model = tiny(interaction="none", aggregation="1x1")
    model.config = replace(model.config, instance_classes=0, scene_classes=0)
    with pytest.raises(ValueError, match="whole recordings"):
        Recognizer(Checkpoint(model, ("a", "b"), CONFIG))
    with pytest.raises(ValueError, match="linking"):
        SequenceConfig(linking="id")
