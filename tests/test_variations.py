from __future__ import annotations

import numpy as np
import pytest

from skeletr.datasets import Clip
from skeletr.datasets.actors import HEIGHT_IN_TORSOS, Actor
from skeletr.datasets.motion import Span
from skeletr.datasets.pool import TakePool
from skeletr.datasets.scenes import SceneConfig, compose
from skeletr.datasets.variations import come_or_go, hold_still, is_upright, roam
from skeletr.datasets.vocabulary import STAND

from .skeleton_files import standing

TIMES = np.arange(0, 3, 1 / 20)
PICTURE = (640, 480)


def _body() -> np.ndarray:
    """Somebody who stands, (17, 2) in heights, hips at 0."""
    points = standing()[:, :2]
    hips = points[[11, 12]].mean(axis=0)
    torso = np.linalg.norm(points[[5, 6]].mean(axis=0) - hips)
    return ((points - hips) / (HEIGHT_IN_TORSOS * torso)).astype(np.float32)


def _actor(label: str, wave: float = 0.0) -> Actor:
    xy = np.repeat(_body()[None, None], len(TIMES), axis=1)
    xy[0, :, 10, 0] += wave * np.sin(8 * TIMES)
    return Actor(xy, np.ones(xy.shape[:3], bool), ((Span(label, 0.0, 3.0),),))


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_upright_is_who_stands_with_the_hands_down() -> None:
    body, seen = _body(), np.ones(17, bool)
    assert is_upright(body, seen)
    lying = body[:, ::-1]
    assert not is_upright(lying, seen)
    hands_up = body.copy()
    hands_up[[9, 10], 1] = body[0, 1] - 0.2
    assert not is_upright(hands_up, seen)
    legs_unseen = seen.copy()
    legs_unseen[15] = False
    assert not is_upright(body, legs_unseen)


@pytest.mark.parametrize("seed", range(5))
def test_who_stops_in_mid_movement_stands_and_hardly_moves(seed: int) -> None:
    still = hold_still(_actor("wave", wave=0.3), TIMES, _rng(seed))
    assert [s.label for s in still.spans[0]] == [STAND]
    assert still.spans[0][0].end == pytest.approx(TIMES[-1])
    assert np.ptp(still.xy[0, :, :, :], axis=0).max() < 0.25  # the wave itself spans 0.6
    speed = np.abs(np.diff(still.xy[0], axis=0)).max()
    assert 0 < speed < 0.03


def test_a_pose_that_is_held_stays_what_it_is() -> None:
    assert hold_still(_actor("make the letter T"), TIMES, _rng()) is None
    assert hold_still(_actor("phone call"), TIMES, _rng()) is None


def test_a_barbell_held_overhead_is_still_lifted_and_no_other_movement_is() -> None:
    for label, said in (("lift a barbell", ["lift a barbell"]), ("wave", None)):
        actor = _actor(label)
        actor.xy[0][:, [7, 8, 9, 10], 1] -= 1.0  # both arms up
        still = hold_still(actor, TIMES, _rng())
        assert (still and [s.label for s in still.spans[0]]) == said
    resting = hold_still(_actor("lift a barbell"), TIMES, _rng())
    assert [s.label for s in resting.spans[0]] == [STAND]


def test_roaming_carries_the_whole_body_and_only_of_those_who_walk() -> None:
    standing_still = _actor("wave")
    assert roam(standing_still, TIMES, _rng()) is standing_still
    ways = [roam(_actor("walk"), TIMES, _rng(seed)) for seed in range(20)]
    hips = np.array([w.xy[0][:, [11, 12]].mean(axis=1) for w in ways])  # (20, T, 2)
    path = hips[:, -1] - hips[:, 0]
    assert np.abs(path).max() > 1
    assert (path[:, 0] > 0).any() and (path[:, 0] < 0).any()
    for walker, way in zip(ways, path, strict=True):
        tall = np.ptp(walker.xy[0, :, :, 1], axis=-1)  # (T,)
        assert (tall[-1] - tall[0]) * way[1] >= -1e-5  # who comes down the picture comes nearer


def test_coming_in_begins_at_the_border_and_going_out_ends_there() -> None:
    borders = 0
    for seed in range(40):
        actor = roam(_actor("walk"), TIMES, _rng(seed))
        pixels = actor.xy * 200 + (320, 240)
        moved = come_or_go(pixels, PICTURE, _rng(seed))
        assert np.ptp(moved - pixels, axis=1).max() < 1e-3  # shifted as a whole
        inside = ((moved[0] >= 0) & (moved[0] <= PICTURE)).all(axis=-1).mean(axis=-1)  # (T,)
        if (moved != pixels).any():
            borders += 1
            assert min(inside[0], inside[-1]) < 1  # cut off by the border at one end
    assert borders > 20


def test_who_does_not_move_through_the_picture_stays_in_it() -> None:
    pixels = _actor("wave").xy * 200 + (320, 240)
    assert (come_or_go(pixels, PICTURE, _rng()) == pixels).all()


def test_scenes_hold_people_who_stopped() -> None:
    points = np.repeat(standing()[None], 60, axis=0)
    points[:, 9, 0] += 0.2 * np.sin(np.arange(60) / 3)
    seen = np.ones((1, 60, 17), bool)
    clip = Clip(points[None].astype(np.float32), seen, np.arange(60) / 30, "clap", "test", "a", "a")
    pool = TakePool([clip])

    def share(still: float) -> float:
        config = SceneConfig(still=still, crowd=(1.0,), change=0.0)
        scenes = [compose(pool, config, _rng(seed)) for seed in range(30)]
        return np.mean([all(a.label == STAND for a in s.actions) for s in scenes])

    assert share(0.0) == 0
    assert share(1.0) > 0.5
