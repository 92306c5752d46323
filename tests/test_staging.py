from __future__ import annotations

import numpy as np
import pytest

from skeletr.datasets import Clip
from skeletr.datasets.actors import Actor
from skeletr.datasets.camera import Camera
from skeletr.datasets.noise import NoiseConfig, entangle
from skeletr.datasets.pool import TakePool
from skeletr.datasets.staging import can_stage, stage
from skeletr.datasets.vocabulary import COME, GO, INTERACTIONS, PASSING, STAND

from .skeleton_files import standing

SIDE = Camera(0.0, 0.0, 0.0, 5.0)
TIMES = np.arange(0, 3, 1 / 20)


def _clip(label: str, turn: float = 0.0) -> Clip:
    """Somebody who stands; "kick": the right foot goes forward for a second, a metre far."""
    points = np.repeat(standing()[None], 60, axis=0)
    if label == "kick":
        swing = np.sin(np.pi * np.clip(np.arange(60) / 30 - 0.5, 0, 1))
        points[:, 16, 2] -= swing  # towards the camera, where they look
        points[:, 16, 1] -= 0.5 * swing
    if label == "walk":
        points[:, 15, 2] -= 0.3 * np.sin(np.arange(60) / 3)
    angle = np.deg2rad(turn)
    rotation = np.array(
        [[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]]
    )
    seen = np.ones((1, 60, 17), dtype=bool)
    seen[..., 1:5] = False
    return Clip(
        ((points - (0, 0, 2.5)) @ rotation + (0, 0, 2.5))[None].astype(np.float32),
        seen,
        np.arange(60) / 30,
        label,
        "test",
        f"{label}{turn}",
        "a",
    )


def _scenes(*labels: str, count: int = 60) -> list:
    pool = TakePool([_clip(label, turn) for label in labels for turn in (0, 70, 200)])
    return [stage(pool, TIMES, SIDE, np.random.default_rng(i)) for i in range(count)]


def _hips(actor: Actor) -> np.ndarray:
    return actor.xy[:, :, [11, 12]].mean(axis=2)  # (2, T, 2)


def test_a_kick_that_reaches_somebody_is_a_kick_at_somebody() -> None:
    kicks = [s for s in _scenes(STAND, "kick") if "kick someone" in _labels(s, 0)]
    assert kicks
    for actor in kicks:
        assert [s.label for s in actor.spans[0]] == [s.label for s in actor.spans[1]]
        hips = _hips(actor)
        foot = actor.xy[0, :, 16, 0]
        gap = np.abs(hips[1, :, 0] - foot).min()
        assert gap < 0.35  # heights: the foot gets to the other one
        ankles = np.median(actor.xy[:, :, 15, 1], axis=1)
        assert abs(ankles[0] - ankles[1]) < 0.12  # both stand on the same floor


def test_they_look_at_each_other_whichever_way_they_were_recorded() -> None:
    pair = [a for a in _scenes(STAND, count=40) if len(a.xy) == 2]
    assert len(pair) > 20
    for actor in pair:
        hips = _hips(actor)
        nose = actor.xy[:, :, 0, 0] - hips[..., 0]
        towards = np.sign(hips[1, :, 0] - hips[0, :, 0])
        assert (np.median(nose[0] * towards)) > -0.05
        assert (np.median(nose[1] * -towards)) > -0.05


def test_gestures_keep_their_label_and_the_other_one_stands() -> None:
    waved = [a for a in _scenes(STAND, "wave") if "wave" in _labels(a, 0)]
    assert waved
    for actor in waved:
        assert _labels(actor, 0) == {"wave"}
        assert _labels(actor, 1) == {STAND}


def test_who_points_alone_or_at_somebody_is_the_only_one_who_does() -> None:
    pointing = [a for a in _scenes(STAND, count=120) if "point" in _labels(a, 0)]
    assert {len(actor.xy) for actor in pointing} == {1, 2}
    for actor in pointing:
        assert _labels(actor, 0) <= {"point", STAND}
        assert all(_labels(actor, person) == {STAND} for person in range(1, len(actor.xy)))


def _labels(actor: Actor, person: int) -> set[str]:
    return {span.label for span in actor.spans[person]}


def test_who_came_for_something_came_nearer_before_it_and_went_after_it() -> None:
    came = left = 0
    for actor in _scenes(STAND, "walk", count=200):
        spans = {s.label: s for s in actor.spans[0]}
        acts = [s for label, s in spans.items() if label in INTERACTIONS - PASSING]
        apart = np.abs(np.subtract(*_hips(actor)[..., 0])) if len(actor.xy) == 2 else None
        if not acts or apart is None:
            continue
        if COME in spans:
            came += 1
            assert apart[0] > apart[int(spans[COME].end * 20)]
            assert acts[0].start >= spans[COME].end - 1e-6
        if GO in spans:
            left += 1
            assert apart[-1] > apart[int(spans[GO].start * 20)]
            assert acts[0].end <= spans[GO].start + 1e-6
    assert came > 10
    assert left > 5


def test_coming_gets_nearer_and_going_gets_farther() -> None:
    seen = set()
    for actor in _scenes(STAND, "walk"):
        label = actor.spans[0][0].label
        if _labels(actor, 0) - PASSING:
            continue
        hips = _hips(actor)[..., 0]
        distance = np.abs(hips[0] - hips[1])
        seen.add(label)
        if label == "approach someone":
            assert distance[-1] < distance[0]
        else:
            assert distance[-1] > distance[0]
    assert seen == {"approach someone", "walk away from someone"}


def test_a_pool_without_anybody_who_stands_cannot_stage() -> None:
    assert not can_stage(TakePool([_clip("kick")]))
    assert can_stage(TakePool([_clip("kick"), _clip(STAND)]))


def _pair(gap: float) -> np.ndarray:
    """(2, 40, 17, 3) two people `gap` pixels apart."""
    one = np.concatenate([standing()[:, :2] * 100 + 300, np.ones((17, 1))], axis=1)
    people = np.repeat(np.stack([one, one])[:, None], 40, axis=1).astype(np.float32)
    people[1, ..., 0] += gap
    return people


def test_only_people_who_overlap_are_confused() -> None:
    config = NoiseConfig(tangle=2.0)
    far, near = _pair(300), _pair(20)
    assert np.array_equal(entangle(far, config, np.random.default_rng(0)), far)
    changed = entangle(near, config, np.random.default_rng(0))
    assert not np.array_equal(changed, near)
    # What is changed is the other person's joint, or nobody's.
    for person in (0, 1):
        other = near[1 - person]
        different = (changed[person] != near[person]).any(axis=-1)
        from_other = (changed[person, ..., :2] == other[..., :2]).all(axis=-1)
        gone = (changed[person] == 0).all(axis=-1)
        assert (from_other | gone)[different].all()


@pytest.mark.parametrize("config", [NoiseConfig.none(), NoiseConfig(tangle=0.0)])
def test_without_tangle_nothing_is_confused(config: NoiseConfig) -> None:
    near = _pair(20)
    assert np.array_equal(entangle(near, config, np.random.default_rng(0)), near)
