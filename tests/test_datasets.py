from __future__ import annotations

import os
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from skeletr.datasets import DATASETS, Clip, DatasetError, load_clips
from skeletr.datasets.archives import DATA_VARIABLE, data_root, dataset_folder
from skeletr.datasets.camera import facing
from skeletr.datasets.kinder_gator import TEST_PEOPLE
from skeletr.datasets.load import VALIDATION_GROUPS

from .skeleton_files import write_all, write_sbu

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
