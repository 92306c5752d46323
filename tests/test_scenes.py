from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from skeletr.datasets import DATASETS, Clip, DatasetError, load_clips
from skeletr.datasets.actors import mirror
from skeletr.datasets.camera import Camera, head_to_nose, project
from skeletr.datasets.load import EXPERIMENTS_ONLY
from skeletr.datasets.motion import take_of
from skeletr.datasets.noise import NoiseConfig, crop, estimate
from skeletr.datasets.pool import TakePool
from skeletr.datasets.scenes import SceneConfig, compose
from skeletr.datasets.targets import IGNORE, instance_targets, scene_target
from skeletr.datasets.timeline import perform, sample
from skeletr.datasets.vocabulary import NAMES, STAND, label_of, merges, vocabulary
from skeletr.recording import Action, Recording
from skeletr.sequences import SequenceConfig, build_sequences

from .skeleton_files import standing, wave, write_all

LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, LEFT_ANKLE, NOSE = 5, 6, 11, 15, 0


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    return load_clips(write_all(tmp_path_factory.mktemp("data")), DATASETS)


def test_vocabulary_merges_the_same_action_of_several_data_sets() -> None:
    assert label_of("jhmdb", "walk") == label_of("kard", "walk") == "walk"
    assert label_of("sbu", "kick") != label_of("kinder_gator", "Kick-a-ball")
    labels = vocabulary(NAMES)
    assert len(vocabulary(set(DATASETS) - EXPERIMENTS_ONLY)) >= 70
    assert STAND in labels
    assert len(set(labels)) == len(labels)
    assert "kard: walk" in merges(NAMES)["walk"]
    with pytest.raises(DatasetError, match="no action 'dance'"):
        label_of("kard", "dance")


def _gator(points: np.ndarray, label: str = "wave") -> Clip:
    times = np.arange(len(points)) / 30
    seen = np.ones((1, len(points), 17), bool)
    return Clip(points[None].astype(np.float32), seen, times, label, "kinder_gator", "x", "1")


def test_rest_around_an_action_is_called_standing() -> None:
    still = np.repeat(standing()[None], 60, axis=0)
    clip = _gator(np.concatenate([still, wave(60), still]))
    take = take_of(clip)
    assert 1.5 < take.action.start < 2.2
    assert 3.7 < take.action.end < 4.6
    assert [r.label for r in take.rests] == [STAND, STAND]


def test_the_trackers_t_pose_is_no_action() -> None:
    pose = standing()
    spread = pose.copy()
    spread[[7, 9, 8, 10], 1] = pose[5, 1]
    spread[[7, 9], 0] += (0.3, 0.55)
    spread[[8, 10], 0] -= (0.3, 0.55)
    still = np.repeat(pose[None], 45, axis=0)
    clip = _gator(np.concatenate([np.repeat(spread[None], 30, axis=0), still, wave(60), still]))
    take = take_of(clip)
    assert take.start >= 0.99
    assert take.action.start > 2


def test_clips_cut_to_the_action_stay_whole(clips: list[Clip]) -> None:
    clip = next(c for c in clips if c.dataset == "jhmdb")
    assert take_of(clip).action.end == clip.duration


def test_sampling_interpolates_and_keeps_gaps() -> None:
    clip = _gator(wave(10))
    points, seen = sample(clip, np.array([0.0, 0.5 / 30, 99.0]))
    expected = (clip.points[0, 0] + clip.points[0, 1]) / 2
    np.testing.assert_allclose(points[0, 1], expected, atol=1e-5)
    np.testing.assert_allclose(points[0, 2], clip.points[0, -1], atol=1e-5)
    assert seen.all()


@pytest.mark.parametrize("label", ["wave", "kick"])
def test_performances_stay_inside_the_clip(label: str) -> None:
    clip = _gator(wave(40), label)
    rng = np.random.default_rng(0)
    for _ in range(30):
        performance = perform(take_of(clip), 5.0, 1.2, rng)
        assert (np.diff(performance.scene_times) > 0).all()
        assert performance.clip_times.min() >= 0
        assert performance.clip_times.max() <= clip.duration + 1e-6
        points, _ = performance.sample(np.linspace(0, 5, 50))
        assert np.isfinite(points).all()


def test_camera_turns_people_and_keeps_them_upright() -> None:
    points = head_to_nose(standing()[None, None], 0.1, 0.0)
    assert points[0, 0, NOSE, 2] < standing()[NOSE, 2]  # towards the camera they look at
    front = project(points, Camera(0, 0, 0, 4))[0, 0]
    back = project(points, Camera(180, 0, 0, 4))[0, 0]
    assert front[LEFT_SHOULDER, 0] > front[RIGHT_SHOULDER, 0]
    assert back[LEFT_SHOULDER, 0] < back[RIGHT_SHOULDER, 0]
    assert front[NOSE, 1] < front[LEFT_ANKLE, 1]


def test_noise_is_bounded_and_crop_hides_what_is_outside() -> None:
    rng = np.random.default_rng(0)
    xy = np.repeat(standing()[None, :, :2] * 200 + 300, 40, axis=0)
    seen = np.ones((40, 17), bool)
    out = estimate(xy, seen, np.arange(40) / 20, NoiseConfig(), rng)
    assert out.shape == (40, 17, 3)
    assert (out[..., 2] >= 0).all() and (out[..., 2] <= 1).all()
    quiet = estimate(xy, seen, np.arange(40) / 20, NoiseConfig(*[0.0] * 7), rng)
    np.testing.assert_allclose(quiet[..., :2], xy, atol=1e-3)
    cropped = crop(quiet, (1000, int(xy[0, LEFT_HIP, 1]) - 1))
    assert (cropped[:, LEFT_HIP] == 0).all()
    assert (cropped[:, NOSE, 2] > 0).all()
    with pytest.raises(ValueError, match="negative"):
        NoiseConfig(white=-1)


def test_scenes_are_recordings_with_labels_of_the_vocabulary(clips: list[Clip]) -> None:
    pool = TakePool(c for c in clips if c.split == "train")
    labels = vocabulary(DATASETS)
    config, sequences = SceneConfig(), SequenceConfig()
    known, people = 0, set()
    for seed in range(40):
        recording = compose(pool, config, np.random.default_rng(seed))
        again = compose(pool, config, np.random.default_rng(seed))
        np.testing.assert_array_equal(recording.keypoints, again.keypoints)
        assert np.isfinite(recording.keypoints).all()
        assert {a.label for a in recording.actions} <= set(labels)
        people.add(len({a.person for a in recording.actions}))
        found = build_sequences(recording, sequences)
        targets = instance_targets(found, recording, labels, sequences)
        known += int((targets != IGNORE).sum())
    assert known > 40
    assert {1, 2} <= people


def test_mirrored_people_exchange_left_and_right(clips: list[Clip]) -> None:
    from skeletr.datasets.actors import act

    pool = TakePool(c for c in clips if c.dataset == "kinder_gator")
    rng = np.random.default_rng(0)
    actor = act(pool.single(rng), np.arange(20) / 10, Camera(0, 0, 0, 4), rng)
    flipped = mirror(actor)
    np.testing.assert_allclose(flipped.xy[..., 5, 0], -actor.xy[..., 6, 0])
    np.testing.assert_allclose(mirror(flipped).xy, actor.xy)


def _labelled(*actions: Action) -> Recording:
    xy = np.repeat(standing()[None, None, :, :2] * 200 + 300, 81, axis=1)
    keypoints = np.concatenate([xy, np.ones((1, 81, 17, 1))], axis=-1)
    return Recording.from_arrays(keypoints, np.arange(81) / 20, (640, 480), actions)


def test_targets_follow_the_time() -> None:
    labels = (STAND, "wave")
    recording = _labelled(Action(STAND, 0, 0, 2), Action("wave", 0, 2, 4))
    config = SequenceConfig()
    found = build_sequences(recording, config)
    targets = instance_targets(found, recording, labels, config)
    by_time = dict(zip(np.round(found.times, 2), targets, strict=True))
    assert by_time[0.0] == 0
    assert by_time[3.0] == 1
    assert IGNORE in targets or set(targets) == {0, 1}
    assert scene_target(targets, labels) == 1


def test_scene_targets() -> None:
    labels = (STAND, "wave", "run")
    assert scene_target(np.array([0, 0]), labels) == 0
    assert scene_target(np.array([0, 2, IGNORE]), labels) == 2
    assert scene_target(np.array([1, 2]), labels) == IGNORE
    assert scene_target(np.array([IGNORE]), labels) == IGNORE


def test_small_data_sets_are_not_drowned_by_large_ones(clips: list[Clip]) -> None:
    wave = next(c for c in clips if c.dataset == "kard" and c.label == "wave")
    other = next(c for c in clips if c.dataset == "penn_action")
    large = [replace(wave, dataset="large", name=f"l{i}") for i in range(81)]
    pool = TakePool([wave, *large, *[replace(other, name=f"o{i}") for i in range(81)]])
    rng = np.random.default_rng(0)
    drawn = Counter(
        (t.action.label, t.clip.dataset) for t in (pool.single(rng) for _ in range(4000))
    )
    # 81 clips weigh three times as much as one; two sources of a label add up.
    expected = {
        ("wave", "kard"): 1 / 7,
        ("wave", "large"): 3 / 7,
        (other.label, "penn_action"): 3 / 7,
    }
    rests = drawn.total() - sum(drawn[key] for key in expected)
    for key, share in expected.items():
        assert drawn[key] / (drawn.total() - rests) == pytest.approx(share, abs=0.04)


def test_a_pool_needs_clips() -> None:
    with pytest.raises(DatasetError, match="no training clips"):
        TakePool([])
