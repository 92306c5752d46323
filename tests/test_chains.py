"""Two people who come, do something and go: clips of one pair, one after the other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from skeletr.datasets import Clip
from skeletr.datasets.chains import chain
from skeletr.datasets.pool import TakePool
from skeletr.datasets.scenes import SceneConfig, compose
from skeletr.datasets.staging import stage
from skeletr.datasets.targets import IGNORE, scene_target
from skeletr.datasets.vocabulary import COME, GO, STAND

from .skeleton_files import standing
from .test_staging import SIDE, TIMES, _clip, _hips

DRAWS = 60


def _two(label: str, group: str, where: float) -> Clip:
    """Two people for a second, a metre and a half apart, around x = `where`."""
    points = np.repeat(standing()[None, None], 30, axis=1).repeat(2, axis=0)
    points[0, ..., 0] += where - 0.75
    points[1, ..., 0] += where + 0.75
    seen = np.ones(points.shape[:3], bool)
    name = f"{group}/{label}"
    points = points.astype(np.float32)
    return Clip(points, seen, np.arange(30) / 30, label, "test", name, group)


@pytest.fixture(scope="module")
def pool() -> TakePool:
    labels = (COME, "hug", GO)
    places = {"a": (0.0, 0.4, -0.3), "b": (5.0, 5.2, 5.1)}
    return TakePool(
        [
            _two(label, group, where)
            for group, found in places.items()
            for label, where in zip(labels, found, strict=True)
        ]
    )


def _chains(pool: TakePool, label: str, duration: float = 6.0) -> list:
    take = next(t for t in pool.takes[label] if t.clip.group == "a")
    return [chain(pool, take, duration, 1.0, np.random.default_rng(i)) for i in range(DRAWS)]


def test_people_come_before_and_go_after(pool: TakePool) -> None:
    orders = {tuple(s.label for s in c.spans) for c in _chains(pool, "hug")}
    assert {(COME, "hug", GO), (COME, "hug"), ("hug", GO)} <= orders
    assert all(len(order) > 1 and "hug" in order for order in orders)


def test_who_comes_has_come_for_something(pool: TakePool) -> None:
    orders = {tuple(s.label for s in c.spans) for c in _chains(pool, COME)}
    assert orders == {(COME, "hug"), (COME, GO)}


def test_it_is_one_movement_of_the_same_two_people(pool: TakePool) -> None:
    for performance in _chains(pool, "hug"):
        clip = performance.clip
        assert clip.group == "a"
        assert (np.diff(clip.times) > 0).all()
        middle = clip.points[:, :, [11, 12], 0].mean(axis=(0, 2))
        assert np.ptp(middle) < 1e-3  # nobody jumps from one place to the next
        ends = [(s.start, s.end) for s in performance.spans]
        assert all(a[1] < b[0] for a, b in pairwise(ends))


@pytest.mark.parametrize("duration", [1.5, 3.0])
def test_a_short_scene_shows_some_of_what_it_is_about(pool: TakePool, duration: float) -> None:
    for performance in _chains(pool, "hug", duration):
        hug = next(s for s in performance.spans if s.label == "hug")
        assert min(hug.end, duration) - max(hug.start, 0) > 0.55
        points, seen = performance.sample(np.linspace(0, duration, 30))
        assert points.shape[:2] == seen.shape[:2] == (2, 30)


def test_scenes_hold_chains_as_often_as_is_wanted(pool: TakePool) -> None:
    def several(share: float) -> float:
        config = SceneConfig(pair=1.0, staged=0.0, bystander=0.0, chain=share, duration=(4.0, 5.0))
        scenes = [compose(pool, config, np.random.default_rng(i)) for i in range(DRAWS)]
        return float(np.mean([len({a.label for a in s.actions}) > 1 for s in scenes]))

    assert several(0.0) == 0
    assert several(1.0) > 0.65  # a scene may begin after those who came


def test_what_they_came_for_is_what_a_scene_shows() -> None:
    labels = (STAND, COME, "hug", "walk", GO)
    assert scene_target(np.array([1, 2, IGNORE]), labels) == 2
    assert scene_target(np.array([1, 2, 4, 0]), labels) == 2
    assert scene_target(np.array([1, 1, 0]), labels) == 1
    assert scene_target(np.array([1, 4]), labels) == IGNORE
    assert scene_target(np.array([1, 3]), labels) == IGNORE  # somebody else walks past


def test_a_staged_kick_may_begin_with_coming() -> None:
    pool = TakePool([_clip(label, turn) for label in (STAND, "kick", "walk") for turn in (0, 70)])
    actors = [stage(pool, TIMES, SIDE, np.random.default_rng(i)) for i in range(120)]
    kicks = [a for a in actors if "kick someone" in {s.label for s in a.spans[0]}]
    came = [a for a in kicks if a.spans[0][0].label == COME]
    assert 0 < len(came) < len(kicks)
    for actor in came:
        come, *rest = actor.spans[0]
        assert come.start == 0 and all(s.start >= come.end - 1e-6 for s in rest)
        away = np.abs(np.diff(_hips(actor)[..., 0], axis=0))[0]
        before = come.end - 0.2 > TIMES
        assert away[0] > away[~before].max()  # nearer at the end than at the beginning
        assert actor.xy.shape == (2, len(TIMES), 17, 2)
