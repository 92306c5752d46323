"""benchmarks.conditions: what a webcam does to a recording, by what is then seen."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.conditions import (
    CONDITIONS,
    beside_one_who_stands,
    few_pictures,
    knees_up,
    mirrored,
    small,
    waist_up,
)
from skeletr.recording import Recording

from .synthetic import scene

HIPS, KNEES, ANKLES = [11, 12], [13, 14], [15, 16]


@pytest.fixture
def walker() -> Recording:
    return scene([300.0], np.arange(60) / 30)


def seen(recording: Recording, joints: list[int]) -> float:
    return float((recording.keypoints[:, joints, 2] > 0).mean())


def test_a_near_camera_loses_what_is_below(walker: Recording) -> None:
    assert seen(waist_up(walker), HIPS) > 0.9
    assert seen(waist_up(walker), KNEES) == seen(waist_up(walker), ANKLES) == 0
    assert seen(knees_up(walker), HIPS) > 0.9 and seen(knees_up(walker), ANKLES) == 0
    tall = [np.ptp(r.keypoints[0, [0, *HIPS], 1]) for r in (walker, waist_up(walker))]
    assert tall[1] > 1.5 * tall[0]


def test_boxes_hold_the_joints_that_are_seen(walker: Recording) -> None:
    for condition in CONDITIONS.values():
        made = condition.change(walker) if condition.change else walker
        for joints, box in zip(made.keypoints, made.boxes, strict=True):
            there = joints[joints[:, 2] > 0, :2]
            assert (there >= box[:2] - 1e-3).all() and (there <= box[2:] + 1e-3).all()


def test_small_is_a_fifth_of_the_size_in_the_corner(walker: Recording) -> None:
    made = small(walker)
    there = walker.keypoints[0, :, 2] > 0
    before, after = (r.keypoints[0, there, :2] for r in (walker, made))
    np.testing.assert_allclose(np.ptp(after, axis=0), 0.2 * np.ptp(before, axis=0), rtol=1e-3)
    width, height = walker.image_size
    assert after[:, 0].min() >= 0.8 * width - 1 and after[:, 1].max() <= 0.2 * height + 1


def test_eight_pictures_a_second_are_eight_a_second(walker: Recording) -> None:
    made = few_pictures(walker)
    gaps = np.diff(made.frame_times)
    assert gaps.mean() == pytest.approx(1 / 8, abs=0.01)
    kept = np.isin(walker.frame_times, made.frame_times)
    np.testing.assert_array_equal(made.keypoints, walker.keypoints[kept[walker.frame]])


def test_a_mirror_turns_sides_round_and_twice_is_once(walker: Recording) -> None:
    once, twice = mirrored(walker), mirrored(mirrored(walker))
    width = walker.image_size[0]
    left, right = walker.keypoints[:, 5], once.keypoints[:, 6]
    np.testing.assert_allclose(right[:, 0], width - left[:, 0], atol=1e-2)
    np.testing.assert_allclose(twice.keypoints, walker.keypoints, atol=1e-2)


def test_who_stands_beside_does_nothing_and_changes_nobody(walker: Recording) -> None:
    made = beside_one_who_stands(walker)
    own, other = (made.keypoints[made.person == p] for p in made.people)
    np.testing.assert_array_equal(own, walker.keypoints)
    assert len(other) == len(walker.frame_times)
    assert other[..., :2].std(axis=0).max() < 0.02 * np.ptp(walker.keypoints[0, :, 1])
    assert (np.diff(made.frame) >= 0).all()
