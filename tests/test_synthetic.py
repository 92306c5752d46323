"""The made-up people: limbs of constant length, smooth, the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from skeletr.skeleton import COCO_INDEX
from skeletr.synthetic import babble, examples
from skeletr.synthetic.body import (
    FOREARM,
    IMAGE_SIZE,
    SHIN,
    THIGH,
    UPPER_ARM,
    joints,
    two_links,
)
from skeletr.synthetic.motion import hanging, seated, standing, through, walking

LIMBS = (
    ("shoulder", "elbow", UPPER_ARM),
    ("elbow", "wrist", FOREARM),
    ("hip", "knee", THIGH),
    ("knee", "ankle", SHIN),
)
TIMES = np.arange(150) / 25


def walker() -> np.ndarray:
    way = through(TIMES, [(0.5, 0.0), (4.5, 3.0)])
    stance, hands = walking(TIMES, (-1.5, 0.0), 80.0, way, 3)
    return joints(stance, stance.around(hands))


def sitter() -> np.ndarray:
    stance, hands = seated(TIMES, (0, 0), 30.0, through(TIMES, [(1, 0.0), (2.5, 1.0)]), 3)
    return joints(stance, stance.around(hands))


def stander() -> np.ndarray:
    stance = standing(TIMES, (0, 0), 0.0, 3)
    return joints(stance, stance.around(hanging(TIMES, 5)))


@pytest.mark.parametrize("make", [walker, sitter, stander])
def test_limbs_keep_their_length_and_nothing_jumps(make):
    points = make()
    for first, second, length in LIMBS:
        for side in ("left", "right"):
            a, b = (points[:, COCO_INDEX[f"{side}_{n}"]] for n in (first, second))
            # A joint that is out of reach is reached for with a straight limb.
            assert np.allclose(np.linalg.norm(a - b, axis=1), length, atol=1e-6)
    speed = np.linalg.norm(np.diff(points, axis=0), axis=-1) * 25
    assert speed.max() < 6  # metres per second
    assert points[..., 1].min() > 0  # above the floor


def test_feet_on_the_floor_stay_there():
    points = walker()
    ankles = points[:, [COCO_INDEX["left_ankle"], COCO_INDEX["right_ankle"]]]
    speed = np.linalg.norm(np.diff(ankles, axis=0), axis=-1) * 25
    middle = speed[50:75]  # in full stride one foot stands while the other swings
    assert (middle.min(axis=1) < 0.4).mean() > 0.8
    assert middle.max() > 1.5


def test_who_walks_gets_there_and_faces_the_way():
    points = walker()
    hips = points[:, [11, 12]].mean(axis=1)
    assert np.linalg.norm(hips[-1] - hips[0]) == pytest.approx(3.0, abs=0.1)
    assert (points[:, 0, 0] > points[:, [3, 4], 0].mean(axis=1)).all()  # the nose leads


def test_who_faces_the_camera_has_the_left_hand_on_the_right():
    points = stander()
    left, right = COCO_INDEX["left_wrist"], COCO_INDEX["right_wrist"]
    assert (points[:, left, 0] > points[:, right, 0]).all()
    assert (points[:, 0, 2] < points[:, 3, 2]).all()  # the nose is nearer than the ears


def test_two_links_reach_what_can_be_reached():
    rng = np.random.default_rng(0)
    target = rng.uniform((-0.3, -0.5, -0.2), (0.3, 0.1, 0.4), (50, 3))
    pole = np.tile([0.0, 0.0, -1.0], (50, 1))
    middle, end = two_links(np.zeros((50, 3)), target, 0.3, 0.25, pole)
    near = np.linalg.norm(target, axis=1) < 0.54
    far_enough = np.linalg.norm(target, axis=1) > 0.08
    assert np.allclose(end[near & far_enough], target[near & far_enough], atol=1e-6)
    assert np.allclose(np.linalg.norm(middle, axis=1), 0.3)


def test_the_examples_are_ready_and_always_the_same():
    found, again = examples(), examples()
    assert len(found) >= 4
    for name, recording in found.items():
        assert 2 <= len(recording.people) <= 4 and recording.people[0] == 1
        assert 5 <= recording.end <= 8
        assert recording.image_size == IMAGE_SIZE
        assert np.array_equal(recording.keypoints, again[name].keypoints)
        assert {a.person for a in recording.actions} == set(recording.people)
        inside = recording.keypoints[recording.keypoints[..., 2] > 0][:, :2]
        assert ((inside > -80) & (inside < np.array(IMAGE_SIZE) + 80)).mean() > 0.99


def test_hands_meet_in_the_handshake():
    recording = examples()["A handshake"]
    frame = int(np.searchsorted(recording.frame_times, 3.0))
    one, two = recording.keypoints[recording.rows(frame)]
    wrist = COCO_INDEX["right_wrist"]
    assert np.linalg.norm(one[wrist, :2] - two[wrist, :2]) < 25  # pixels


def test_motion_at_random_is_random_and_repeatable():
    found = babble(6, seed=4)
    assert {len(r.people) for r in found} <= {1, 2}
    assert all(np.isfinite(r.keypoints).all() for r in found)
    assert np.array_equal(found[3].keypoints, babble(6, seed=4)[3].keypoints)
    assert not np.array_equal(found[3].keypoints, babble(6, seed=5)[3].keypoints)
