"""Everyday actions acted by bodies that were recorded standing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from skeletr.datasets import Clip
from skeletr.datasets.acting import ACTED, acted
from skeletr.datasets.actors import Body, embody
from skeletr.datasets.camera import Camera
from skeletr.datasets.motion import take_of
from skeletr.datasets.pool import TakePool
from skeletr.datasets.scenes import SceneConfig, compose
from skeletr.datasets.two_people import shoot_one, turned
from skeletr.datasets.vocabulary import SIT, STAND, vocabulary

from .skeleton_files import standing

TIMES = np.arange(0, 4, 1 / 20)
_LIMBS = ((5, 7), (7, 9), (6, 8), (8, 10), (11, 13), (13, 15), (12, 14), (14, 16))


def _clip(label: str) -> Clip:
    points = np.repeat(standing()[None, None], 60, axis=1).astype(np.float32)
    return Clip(
        points, np.ones(points.shape[:3], bool), np.arange(60) / 30, label, "test", label, "a"
    )


def _stands() -> Body:
    """Somebody who stands and looks at the camera."""
    return turned(embody(take_of(_clip(STAND)), TIMES, np.random.default_rng(0)), -90.0)


def _played(label: str, seed: int) -> Body:
    return acted(label, _stands(), TIMES, np.random.default_rng(seed))


def _when(body: Body, label: str) -> np.ndarray:
    """(T,) the middle half of the action."""
    span = next(s for s in body.spans if s.label == label)
    return np.abs(TIMES - (span.start + span.end) / 2) <= (span.end - span.start) / 4


@pytest.mark.parametrize("label", sorted(ACTED))
def test_limbs_keep_their_length_and_the_labels_cover_the_scene(label: str) -> None:
    recorded = _stands().points[0]
    for seed in range(10):
        body = _played(label, seed)
        assert np.isfinite(body.points).all()
        for first, second in _LIMBS:
            length = np.linalg.norm(body.points[0, :, first] - body.points[0, :, second], axis=-1)
            before = np.linalg.norm(recorded[:, first] - recorded[:, second], axis=-1)
            assert np.median(np.abs(length / before - 1)) < 0.05
            assert np.abs(length / before - 1).max() < 0.35  # while a limb sets off
        assert {s.label for s in body.spans} <= {label, STAND, SIT}
        assert body.spans[0].start <= 0.05
        assert body.spans[-1].end >= TIMES[-1] - 0.05
        for first, second in zip(body.spans, body.spans[1:], strict=False):
            assert first.end == second.start


def test_only_labels_of_the_vocabulary_are_acted() -> None:
    names = vocabulary(["kard", "kinder_gator", "utkinect", "florence3d", "penn_action"])
    assert not ACTED - set(names)


@pytest.mark.parametrize("seed", range(8))
def test_the_feet_of_who_squats_stay_and_the_hips_go_down(seed: int) -> None:
    body = _played("squat", seed)
    stands = _stands().points[0]
    np.testing.assert_allclose(body.points[0, :, 15:], stands[:, 15:], atol=1e-5)
    hips = body.points[0, :, [11, 12], 1].mean(axis=0) - stands[:, [11, 12], 1].mean(axis=1)
    assert hips.max() > 0.1  # metres; y points down
    assert hips.min() > -1e-5


@pytest.mark.parametrize("seed", range(8))
def test_who_sits_down_is_lower_in_the_end_and_who_stands_up_higher(seed: int) -> None:
    for label, first, last in (("sit down", STAND, SIT), ("stand up", SIT, STAND)):
        body = _played(label, seed)
        hips = body.points[0, :, [11, 12], 1].mean(axis=0)
        change = hips[-1] - hips[0]
        assert change > 0.02 if label == "sit down" else change < -0.02
        labels = [s.label for s in body.spans]
        assert labels in ([first, label, last], [label, last], [first, label])


@pytest.mark.parametrize("seed", range(8))
def test_hands_go_where_the_action_has_them(seed: int) -> None:
    for label, reached in (("raise a hand", 0.0), ("drink", 0.45), ("phone call", 0.45)):
        body = _played(label, seed)
        now = _when(body, label)
        if not now.any():
            continue
        points = body.points[0, now]
        if label == "raise a hand":
            assert (points[:, 0, 1] - points[:, [9, 10], 1].min(axis=1)).max() > reached
        else:
            gap = np.linalg.norm(points[:, [9, 10]] - points[:, :1], axis=-1)
            assert gap.min() / (body.height / 3.2) < reached


@pytest.mark.parametrize("seed", range(8))
def test_clapping_hands_come_together_again_and_again(seed: int) -> None:
    body = _played("clap", seed)
    gap = np.linalg.norm(body.points[0, :, 9] - body.points[0, :, 10], axis=-1)[_when(body, "clap")]
    if len(gap) > 10:
        assert gap.min() < 0.15
        assert gap.max() > gap.min() + 0.03


def test_the_picture_of_who_is_acted_is_that_of_a_camera_in_front() -> None:
    actor = shoot_one(_played("wave", 1), TIMES, Camera(0, 0, 0, 4), np.random.default_rng(0))
    assert actor.xy.shape == (1, len(TIMES), 17, 2)
    assert (actor.xy[0, :, 5, 0] > actor.xy[0, :, 6, 0]).mean() > 0.9  # their left on our right


def test_a_scene_is_acted_only_where_somebody_stands_and_the_action_can_be() -> None:
    config = SceneConfig(
        pair=0.0, crowd=(1.0,), acted=1.0, change=0.0, still=0.0, noisy=0.0, half_body=0.0
    )
    # In these clips nobody moves: who moves is acted.
    both = [_clip("wave"), _clip("kick"), _clip(STAND)]
    assert np.median(_movement(both, "wave", config)) > 0.2
    assert np.median(_movement(both, "kick", config)) < 0.1
    assert np.median(_movement([_clip("wave")], "wave", config)) < 0.1
    assert np.median(_movement(both, "wave", replace(config, acted=0.0))) < 0.1


def _movement(clips: list[Clip], label: str, config: SceneConfig) -> list[float]:
    """How far a wrist gets in scenes that show `label`, as a share of the size of the body."""
    pool = TakePool(clips)
    found = []
    for seed in range(60):
        scene = compose(pool, config, np.random.default_rng(seed))
        if label in {action.label for action in scene.actions}:
            joints = scene.keypoints[..., :2]
            wrists = joints[:, [9, 10]] - joints[:, [11, 12]].mean(axis=1, keepdims=True)
            found.append(float(np.ptp(wrists, axis=0).max() / np.ptp(joints, axis=1).max()))
    return found
