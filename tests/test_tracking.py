"""Ids over time on made-up people whose truth is known."""

import numpy as np
import pytest

from skeletr.pose.smoothing import KeypointSmoother, SmoothingConfig
from skeletr.recording import Person
from skeletr.skeleton import COCO_FLIP, V
from skeletr.tracking import SMOOTHINGS, Tracker, TrackerConfig

HEAD = [[0, -90], [-3, -93], [3, -93], [-7, -90], [7, -90]]
ARMS = [[-18, -70], [18, -70], [-24, -40], [24, -40], [-26, -12], [26, -12]]
LEGS = [[-11, 0], [11, 0], [-12, 40], [12, 40], [-13, 80], [13, 80]]
STICK = np.array([*HEAD, *ARMS, *LEGS], dtype=np.float32)


def person(x, y=200.0, scale=1.0, scores=None):
    keypoints = np.ones((V, 3), dtype=np.float32)
    keypoints[:, :2] = STICK * scale + [x, y]
    if scores is not None:
        keypoints[:, 2] = scores
    return Person.from_keypoints(keypoints)


def follow(tracker, positions, fps, start=0.0):
    """Ids per frame for one list of x per frame."""
    return [
        [p.id for p in tracker.update([person(x) for x in xs], start + i / fps)]
        for i, xs in enumerate(positions)
    ]


def at(people):
    """x of the nose by id."""
    return {p.id: float(p.keypoints[0, 0]) for p in people}


@pytest.mark.parametrize("fps", [5, 10, 17, 30, 60])
def test_people_who_pass_each_other_keep_their_ids(fps):
    tracker, seconds = Tracker(), 3.0
    times = np.arange(0, seconds, 1 / fps)
    for time in times:
        left, right = 100 + 100 * time, 400 - 100 * time
        people = [person(right, y=215.0), person(left)]
        seen = tracker.update(people, time)
    assert at(seen) == pytest.approx({1: right, 2: left}, abs=25)


def test_order_of_the_people_does_not_matter():
    tracker, random = Tracker(), np.random.default_rng(0)
    for i in range(30):
        people = [person(x + i) for x in (100, 300, 500)]
        if i == 0:
            tracker.update(people, 0.0)
            continue
        seen = tracker.update([people[k] for k in random.permutation(3)], i / 15)
    assert at(seen) == pytest.approx({1: 129, 2: 329, 3: 529}, abs=10)


def test_result_carries_the_keypoints_of_its_person():
    tracker = Tracker(TrackerConfig(smoothing=None))
    for i in range(10):
        people = [person(500), person(100, scale=0.8)]
        seen = tracker.update(people, i / 20)
    for p in seen:
        truth = next(q for q in people if q.keypoints[0, 0] == p.keypoints[0, 0])
        np.testing.assert_array_equal(p.keypoints, truth.keypoints)
        np.testing.assert_array_equal(p.box, truth.box)


def test_who_was_hidden_gets_the_same_id():
    ids = follow(Tracker(), [[100, 300]] * 10 + [[100]] * 20 + [[100, 310]] * 5, fps=10)
    assert ids[9] == [1, 2] and ids[15] == [1] and ids[-1] == [1, 2]


def test_who_comes_back_too_late_or_elsewhere_is_new():
    late = follow(Tracker(), [[300]] * 10 + [[]] * 40 + [[300]] * 10, fps=10)
    assert late[-1] == [2]
    elsewhere = follow(Tracker(), [[100]] * 10 + [[]] * 5 + [[900]] * 10, fps=10)
    assert elsewhere[-1] == [2]


@pytest.mark.parametrize("fps", [5, 12, 30])
def test_a_flicker_gets_no_id(fps):
    ids = follow(Tracker(), [[100]] * 10 + [[100, 400]] * 2 + [[100]] * 10, fps)
    assert all(i in ([], [1]) for i in ids)


@pytest.mark.parametrize(("fps", "frames"), [(5, 3), (30, 5), (60, 8)])
def test_a_newcomer_is_reported_soon(fps, frames):
    ids = follow(Tracker(), [[100]] * frames, fps)
    assert ids[-1] == [1]


def test_irregular_times():
    tracker, random = Tracker(), np.random.default_rng(3)
    time, seen = 0.0, []
    for _ in range(40):
        time += random.uniform(1 / 60, 1 / 5)
        seen = tracker.update([person(100 + 60 * time), person(700 - 60 * time)], time)
        assert {p.id for p in seen} <= {1, 2}
    assert len(seen) == 2 and at(seen)[1] < at(seen)[2]


def test_reset_and_second_tracker_start_at_one():
    tracker = Tracker()
    follow(tracker, [[100, 300]] * 10, fps=10)
    tracker.reset()
    assert follow(tracker, [[500]] * 10, fps=10)[-1] == [1]
    assert follow(Tracker(), [[500]] * 10, fps=10)[-1] == [1]


def test_time_must_increase():
    tracker = Tracker()
    tracker.update([], 1.0)
    with pytest.raises(ValueError, match="increase"):
        tracker.update([], 1.0)


def test_nobody_and_people_without_joints():
    tracker = Tracker()
    assert tracker.update([], 0.0) == ()
    assert tracker.update([person(100, scores=0.0)], 0.1) == ()


def test_half_a_body_stays_the_same_person():
    """Legs that come into view change the box, not the person."""
    tracker = Tracker()
    half = np.where(np.arange(V) < 11, 1.0, 0.0)
    for i in range(20):
        seen = tracker.update([person(300, scores=half if i < 10 else None)], i / 15)
    assert [p.id for p in seen] == [1]


def test_left_and_right_may_change_from_frame_to_frame():
    """As they do of a head and shoulders from behind, where hardly anything else is seen."""
    tracker = Tracker()
    shoulders = np.isin(np.arange(V), [0, 5, 6]).astype(np.float32)
    for i in range(20):
        seen = person(200.0, scores=shoulders)
        if i % 2:
            seen = Person.from_keypoints(seen.keypoints[list(COCO_FLIP)])
        found = tracker.update([seen], i / 15)
    assert [p.id for p in found] == [1]


def test_smoothing_calms_a_standing_joint_and_follows_a_fast_one():
    random = np.random.default_rng(0)
    noisy = [
        person(300).keypoints + np.float32([1, 1, 0]) * random.normal(0, 2, (V, 3))
        for _ in range(60)
    ]
    smoother = KeypointSmoother(SmoothingConfig())
    calm = [smoother.update(k.astype(np.float32), i / 30, 180.0) for i, k in enumerate(noisy)]
    assert np.std(calm[20:], axis=0)[:, :2].mean() < 0.75 * np.std(noisy[20:], axis=0)[:, :2].mean()

    smoother, lag = KeypointSmoother(SmoothingConfig()), 0.0
    for i in range(30):
        keypoints = person(300).keypoints
        keypoints[9, 0] += 30.0 * i  # a fist at five body sizes per second
        lag = keypoints[9, 0] - smoother.update(keypoints, i / 30, 180.0)[9, 0]
    assert 0 <= lag < 10


def shaken(smoothing):
    """How much a standing joint still moves, in pixels, and how far a fast one is behind."""
    random = np.random.default_rng(0)
    config = TrackerConfig(smoothing=SMOOTHINGS[smoothing])
    tracker, calm = Tracker(config), []
    for i in range(60):
        noise = random.normal(0, 2, (V, 2)).astype(np.float32)
        joints = person(300).keypoints
        joints[:, :2] += noise
        calm += [p.keypoints for p in tracker.update([Person.from_keypoints(joints)], i / 30)]
    tracker, behind = Tracker(config), 0.0
    for i in range(30):
        joints = person(300).keypoints
        joints[9, 0] += 20.0 * i  # a fist at three body sizes per second
        for seen in tracker.update([Person.from_keypoints(joints)], i / 30):
            behind = joints[9, 0] - seen.keypoints[9, 0]
    return np.std(calm[20:], axis=0)[:, :2].mean(), behind


def test_stronger_smoothing_is_calmer_and_still_follows_within_a_frame():
    (off, none), (light, little), (strong, more) = map(shaken, SMOOTHINGS)
    assert strong < 0.75 * light < 0.6 * off
    assert none == 0 and 0 < little < more < 20  # a fist goes 20 pixels in a frame


def test_light_smoothing_is_the_usual_one():
    assert TrackerConfig().smoothing == SMOOTHINGS["light"] == SmoothingConfig()


def test_other_smoothing_begins_at_once_and_everybody_keeps_their_id():
    tracker = Tracker()
    before = follow(tracker, [[100, 300]] * 10, fps=10)[-1]
    tracker.smooth(SMOOTHINGS["off"])
    seen = tracker.update([person(104), person(297)], 1.0)
    assert [p.id for p in seen] == before == [1, 2]
    assert at(seen) == {1: 104.0, 2: 297.0}
    tracker.smooth(SMOOTHINGS["strong"])
    for i in range(1, 4):
        seen = tracker.update([person(104 + 4 * i), person(297)], 1.0 + i / 10)
    assert [p.id for p in seen] == before and 104 < at(seen)[1] < 116
    newcomers = follow(tracker, [[108, 297, 500]] * 5, fps=10, start=1.4)
    assert newcomers[-1] == [1, 2, 3]


def test_smoothing_keeps_scores_and_starts_anew_after_a_gap():
    smoother = KeypointSmoother(SmoothingConfig())
    smoother.update(person(100).keypoints, 0.0, 180.0)
    hidden = person(100, scores=0.0).keypoints
    np.testing.assert_array_equal(smoother.update(hidden, 0.1, 180.0), hidden)
    back = person(400).keypoints
    np.testing.assert_array_equal(smoother.update(back, 1.0, 180.0), back)


@pytest.mark.parametrize(
    "wrong",
    [{"confirm_hits": 0}, {"memory_seconds": -1}, {"max_distance": 0}, {"max_search": 0.1}],
)
def test_config_is_checked(wrong):
    with pytest.raises(ValueError):
        TrackerConfig(**wrong)


@pytest.mark.parametrize("wrong", [{"min_cutoff": 0}, {"beta": -1}, {"max_gap": 0}])
def test_smoothing_config_is_checked(wrong):
    with pytest.raises(ValueError):
        SmoothingConfig(**wrong)
