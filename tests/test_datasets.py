from __future__ import annotations

import os
import pickle
import tarfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from skeletr.datasets import DATASETS, Clip, DatasetError, load_clips
from skeletr.datasets.actors import mirror
from skeletr.datasets.archives import DATA_VARIABLE, data_root, dataset_folder
from skeletr.datasets.camera import Camera, facing, head_to_nose, project
from skeletr.datasets.kinder_gator import TEST_PEOPLE
from skeletr.datasets.load import EXPERIMENTS_ONLY, VALIDATION_GROUPS
from skeletr.datasets.motion import take_of
from skeletr.datasets.noise import NoiseConfig, crop, estimate
from skeletr.datasets.pool import TakePool
from skeletr.datasets.restricted_pickle import load_pickle
from skeletr.datasets.scenes import SceneConfig, compose
from skeletr.datasets.targets import IGNORE, instance_targets, scene_target
from skeletr.datasets.timeline import perform, sample
from skeletr.datasets.vocabulary import NAMES, STAND, label_of, merges, vocabulary
from skeletr.recording import Action, Recording
from skeletr.sequences import SequenceConfig, build_sequences

from .skeleton_files import standing, wave, write_all, write_sbu

LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, LEFT_ANKLE, NOSE = 5, 6, 11, 15, 0


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_all(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def clips(root: Path) -> list[Clip]:
    return load_clips(root, DATASETS)


@pytest.fixture(scope="module")
def all_clips(root: Path) -> list[Clip]:
    return load_clips(root, DATASETS, unlabelled=True)


def _frontal(clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    return clip.points[0, 0], clip.seen[0, 0]


@pytest.mark.parametrize("dataset", list(DATASETS))
def test_readers_give_upright_people_with_left_on_the_pictures_right(
    all_clips: list[Clip], dataset: str
) -> None:
    found = [c for c in all_clips if c.dataset == dataset]
    assert found
    for clip in found:
        assert clip.original
        points, seen = _frontal(clip)
        assert seen[[NOSE, 5, 6, 9, 11, 12, 15]].all()
        assert points[NOSE, 1] < points[LEFT_HIP, 1] < points[LEFT_ANKLE, 1]
        if dataset != "sbu":
            assert points[LEFT_SHOULDER, 0] > points[RIGHT_SHOULDER, 0]


def test_readers_agree_on_the_same_person_in_metres(clips: list[Clip]) -> None:
    # The files were all written from one body; six of the formats keep metres.
    for dataset in ("kinder_gator", "utkinect", "kard", "msr_action3d", "florence3d", "cmu_mocap"):
        clip = next(c for c in clips if c.dataset == dataset)
        shoulder_to_hip = clip.points[0, 0, LEFT_HIP, 1] - clip.points[0, 0, LEFT_SHOULDER, 1]
        assert shoulder_to_hip == pytest.approx(0.5, abs=0.02)
        away = 3.0 if dataset == "cmu_mocap" else 2.5
        assert clip.points[0, 0, LEFT_SHOULDER, 2] == pytest.approx(away, abs=0.02)


def test_sbu_people_face_each_other(clips: list[Clip]) -> None:
    clip = next(c for c in clips if c.dataset == "sbu")
    looks = facing(clip.points[:, 0])
    one, other = clip.points[:, 0, LEFT_HIP, 0]
    assert len(clip.points) == 2
    assert np.sign(looks[0, 0]) == np.sign(other - one)
    assert np.sign(looks[1, 0]) == np.sign(one - other)


def test_splits_never_share_people(all_clips: list[Clip]) -> None:
    for dataset in VALIDATION_GROUPS:
        groups = {
            split: {c.group for c in all_clips if (c.dataset, c.split) == (dataset, split)}
            for split in ("train", "val", "test")
        }
        assert not groups["train"] & groups["test"]
        assert not groups["val"] & (groups["train"] | groups["test"])
        assert groups["test"]


@pytest.mark.parametrize(
    ("dataset", "damage", "said"),
    [
        ("sbu", "1,0.5,0.5\n", "columns"),
        ("kinder_gator", "head\n1,2,x\n", "columns"),
        ("kard", "1 2 3\n1 2 3\n", "15 per frame"),
        ("utkinect", "", "no rows"),
        ("penn_action", "no MATLAB", "MATLAB"),
        ("jhmdb", "no pickle", "pickle"),
        ("msr_action3d", "1 2 3 1\n", "20 per frame"),
        ("florence3d", "1 2\n", "columns"),
        ("cmu_mocap", "HIERARCHY\n", "BVH"),
        ("urfd", "video,frame\nfall-01,5\n", "columns video, frame"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, dataset: str, damage: str, said: str) -> None:
    write_all(tmp_path)
    folder = tmp_path / DATASETS[dataset][0]
    victim = sorted(p for p in folder.rglob("*") if p.is_file())[0]
    victim.write_text(damage)
    with pytest.raises(DatasetError, match=said) as error:
        load_clips(tmp_path, [dataset])
    assert victim.name in str(error.value)


@pytest.mark.parametrize("dataset", list(DATASETS))
def test_an_empty_folder_is_an_error(tmp_path: Path, dataset: str) -> None:
    (tmp_path / DATASETS[dataset][0]).mkdir()
    with pytest.raises(DatasetError):
        load_clips(tmp_path, [dataset])


def test_jhmdb_with_poses_of_another_shape(tmp_path: Path) -> None:
    folder = tmp_path / "jhmdb_gt_pose"
    folder.mkdir()
    content = {"pose": [np.zeros((4, 15, 3))], "label": ["walk"]}
    (folder / "GT_train_1.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(DatasetError, match=r"\(4, 15, 3\), expected \(T, 15, 2\)"):
        load_clips(tmp_path, ["jhmdb"])


def test_penn_action_without_a_field(tmp_path: Path) -> None:
    folder = tmp_path / "penn_action_labels"
    folder.mkdir()
    savemat(folder / "0001.mat", {"action": "squat", "x": np.ones((3, 13))})
    with pytest.raises(DatasetError, match="visibility"):
        load_clips(tmp_path, ["penn_action"])


class _Danger:
    def __reduce__(self) -> tuple:
        return os.system, ("exit 1",)


def test_pickles_run_no_code(tmp_path: Path) -> None:
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps({"pose": [_Danger()]}))
    with pytest.raises(DatasetError, match=r"evil\.pkl.*system"):
        load_pickle(path)


@pytest.mark.parametrize("value", [np.ndarray, object(), np.array([object()], dtype=object)])
def test_pickles_hold_plain_values_only(tmp_path: Path, value: object) -> None:
    path = tmp_path / "odd.pkl"
    path.write_bytes(pickle.dumps(value))
    with pytest.raises(DatasetError, match=r"odd\.pkl"):
        load_pickle(path)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_pickles_of_arrays_are_read(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "good.pkl"
    value = {"a": [np.arange(3.0)], "b": ("x", 1, None, np.float32(2))}
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    assert load_pickle(path)["a"][0].tolist() == [0, 1, 2]


def test_data_folder_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    with pytest.raises(DatasetError, match=DATA_VARIABLE):
        data_root()
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    assert data_root() == tmp_path
    with pytest.raises(DatasetError, match="not a folder"):
        data_root(tmp_path / "absent")


def test_archives_are_unpacked_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SKELETR_CACHE", str(tmp_path / "cache"))
    write_sbu(tmp_path / "sbu_interaction")
    archive = tmp_path / "packed" / "sbu_interaction.tar.xz"
    archive.parent.mkdir()
    with tarfile.open(archive, "w:xz") as tar:
        tar.add(tmp_path / "sbu_interaction", "sbu_interaction")
    folder = dataset_folder(archive.parent, "sbu_interaction")
    assert folder == dataset_folder(archive.parent, "sbu_interaction")
    assert load_clips(archive.parent, ["sbu"])
    with pytest.raises(DatasetError, match="neither"):
        dataset_folder(archive.parent, "kard")


def test_a_broken_archive_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SKELETR_CACHE", str(tmp_path / "cache"))
    (tmp_path / "kard.tar.xz").write_bytes(b"no archive")
    for _ in range(2):
        with pytest.raises(DatasetError, match=r"kard\.tar\.xz cannot be unpacked"):
            dataset_folder(tmp_path, "kard")


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


@pytest.mark.skipif(not os.environ.get(DATA_VARIABLE), reason=f"{DATA_VARIABLE} is not set")
@pytest.mark.parametrize(
    ("dataset", "count", "test"),
    [("sbu", 282, 55), ("kinder_gator", 1159, 58 * len(TEST_PEOPLE)), ("jhmdb", 609, 176)],
)
def test_real_data(dataset: str, count: int, test: int) -> None:
    clips = load_clips(data_root(), [dataset])
    assert len(clips) == count
    assert sum(c.split == "test" for c in clips) == test
    for clip in clips:
        middle = len(clip.times) // 2
        heads = clip.points[:, middle, NOSE, 1]
        ankles = clip.points[:, middle, [15, 16], 1].max(axis=-1)
        assert dataset == "jhmdb" or (heads < ankles).all()
