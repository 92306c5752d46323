"""Hands that meet, and backs that bend: what is made of people who merely stand."""

from __future__ import annotations

import numpy as np
import pytest

from skeletr.datasets import Clip
from skeletr.datasets.meetings import HITS, MEETINGS, point
from skeletr.datasets.pool import TakePool
from skeletr.datasets.reaching import LEFT, RIGHT, lean, reach
from skeletr.datasets.two_people import Two, cast, hips, tall
from skeletr.datasets.vocabulary import INTERACTIONS, STAND

from .skeleton_files import standing

TIMES = np.arange(0, 4, 1 / 20)
_WRISTS = (9, 10)


def _pool() -> TakePool:
    points = np.repeat(standing()[None, None], 60, axis=1).astype(np.float32)
    small = 0.7 * points  # another sensor's metres
    seen = np.ones(points.shape[:3], dtype=bool)
    times = np.arange(60) / 30
    return TakePool(
        [Clip(p, seen, times, STAND, "test", f"{i}", "a") for i, p in enumerate((points, small))]
    )


POOL = _pool()


def _played(plot: str, seed: int) -> Two:
    rng = np.random.default_rng(seed)
    return {**MEETINGS, **HITS, "point": point}[plot](cast(POOL, STAND, TIMES, rng), TIMES, rng)


def _during(two: Two, label: str) -> np.ndarray:
    """(T,) the middle half of what is done."""
    span = next(s for s in two.doer.spans if s.label == label)
    quarter = (span.end - span.start) / 4
    return np.abs(TIMES - (span.start + span.end) / 2) <= quarter


def _nearest(two: Two, joints: tuple[int, ...], others: tuple[int, ...]) -> np.ndarray:
    """(T,) torsos between the nearest of some joints of both."""
    a, b = two.doer.points[0][:, joints], two.other.points[0][:, others]
    return np.linalg.norm(a[:, :, None] - b[:, None], axis=-1).min(axis=(1, 2)) / two.torso


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("label", ["shake hands", "hand over an object"])
def test_hands_meet_between_two_people_who_stand_apart(label: str, seed: int) -> None:
    two = _played(label, seed)
    now = _during(two, label)
    if not now.any():  # what is done is mostly outside of the scene
        return
    gap = _nearest(two, _WRISTS, _WRISTS)[now].min()
    reach_of_both = np.abs(hips(two.doer)[:, 0] - hips(two.other)[:, 0])[now].min() / two.torso
    assert gap < 0.9  # what is handed over has a size
    assert reach_of_both > 1.5


@pytest.mark.parametrize("seed", range(12))
def test_who_hugs_is_near_and_has_the_arms_around_the_other(seed: int) -> None:
    two = _played("hug", seed)
    now = _during(two, "hug")
    if not now.any():
        return
    assert np.abs(hips(two.doer)[:, 0] - hips(two.other)[:, 0])[now].min() / two.torso < 1.2
    assert _nearest(two, _WRISTS, (5, 6, 11, 12))[now].min() < 0.8


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("label", sorted(HITS))
def test_a_blow_gets_to_the_other_one_who_gives_way(label: str, seed: int) -> None:
    two = _played(label, seed)
    gap = _nearest(two, _WRISTS, (0, 5, 6, 11, 12))
    span = next(s for s in two.doer.spans if s.label == label)
    now = (span.start <= TIMES) & (span.end >= TIMES)
    assert gap[now].min() < 1.3  # fists and lengths of arms differ
    assert gap[now].min() < gap[0] or now[0]
    assert hips(two.other)[-1, 0] >= hips(two.other)[0, 0] - 1e-3


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("label", [*MEETINGS, *HITS, "point"])
def test_arms_keep_their_length_and_legs_their_place(label: str, seed: int) -> None:
    two = _played(label, seed)
    for body in (two.doer, two.other):
        points = body.points[0]
        assert np.isfinite(points).all()
        for first, second in ((5, 7), (7, 9), (6, 8), (8, 10)):
            length = np.linalg.norm(points[:, first] - points[:, second], axis=-1)
            assert np.ptp(length) < 0.12 * np.median(length)  # less only while an arm sets off
        assert 1.1 < tall(body) < 1.8  # however small the data set says people are
    labels = {s.label for s in two.doer.spans}
    assert labels <= {label, STAND}
    if label in INTERACTIONS:
        assert two.doer.spans == two.other.spans
    else:
        assert {s.label for s in two.other.spans} == {STAND}


def test_who_points_has_the_arm_straight() -> None:
    two = _played("point", 3)
    now = _during(two, "point")
    points = two.doer.points[0][now]
    far = [np.linalg.norm(points[:, s] - points[:, w], axis=-1).max() for s, w in ((5, 9), (6, 10))]
    arm = [
        np.median(np.linalg.norm(points[:, s] - points[:, e], axis=-1))
        + np.median(np.linalg.norm(points[:, e] - points[:, w], axis=-1))
        for s, e, w in ((5, 7, 9), (6, 8, 10))
    ]
    assert max(f / a for f, a in zip(far, arm, strict=True)) > 0.97


def test_without_weight_a_hand_stays_where_it_was() -> None:
    points = np.repeat(standing()[None], 5, axis=0)
    for side in (LEFT, RIGHT):
        same = reach(points, side, np.array([3.0, 0, 0]), np.zeros(5))
        np.testing.assert_array_equal(same, points)


def test_who_leans_forward_goes_where_they_look_and_keeps_their_size() -> None:
    points = np.repeat(standing()[None], 3, axis=0)
    bent = lean(points, np.array([0.0, 0.4, -0.4]))
    np.testing.assert_allclose(bent[0], points[0], atol=1e-6)
    ahead = bent[:, 0, 2] - points[:, 0, 2]  # they look at the camera, towards smaller z
    assert ahead[1] < -0.05
    assert ahead[2] > 0.05
    np.testing.assert_array_equal(bent[:, 11:], points[:, 11:])
    hip = points[:, [11, 12]].mean(axis=1)
    before = np.linalg.norm(points[:, 5] - hip, axis=-1)
    np.testing.assert_allclose(np.linalg.norm(bent[:, 5] - hip, axis=-1), before, rtol=1e-5)
