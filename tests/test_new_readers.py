from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from skeletr.datasets import Clip, DatasetError, load_clips
from skeletr.datasets.archives import DATA_VARIABLE, data_root
from skeletr.datasets.bvh import positions, read_bvh
from skeletr.datasets.cmu_mocap import action_of
from skeletr.datasets.load import EXPERIMENTS_ONLY
from skeletr.datasets.sbu import FOLDS, validation_pairs
from skeletr.skeleton import BODY_JOINTS

from .skeleton_files import write_all, write_cmu_mocap, write_utkinect

LEFT_KNEE = 13

# A hip at (1, 2, 3) turned by 90 degrees about Z; then a knee, turned by 90 about Y; then a foot.
BVH = """HIERARCHY
ROOT Hip
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT Knee
  {
    OFFSET 1 0 0
    CHANNELS 3 Zrotation Yrotation Xrotation
    End Site
    {
      OFFSET 1 0 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.1
0 0 0 0 0 0 0 0 0
1 2 3 90 0 0 0 90 0
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_all(tmp_path_factory.mktemp("data"))


def test_forward_kinematics_of_a_pose_worked_out_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "a.bvh"
    path.write_text(BVH)
    motion = read_bvh(path)
    assert motion.index["Knee"] == 1
    expected = [[[0, 0, 0], [1, 0, 0], [2, 0, 0]], [[1, 2, 3], [1, 3, 3], [1, 3, 2]]]
    np.testing.assert_allclose(positions(motion), expected, atol=1e-9)
    assert len(read_bvh(path, first=1, step=4).channels) == 1


def test_rotations_are_applied_in_the_order_of_the_channels(tmp_path: Path) -> None:
    path = tmp_path / "a.bvh"
    turned = BVH.replace("1 2 3 90 0 0 0 90 0", "0 0 0 90 0 90 0 0 0")
    path.write_text(turned.replace("OFFSET 1 0 0", "OFFSET 0 1 0"))
    np.testing.assert_allclose(positions(read_bvh(path))[1, 1], [0, 0, 1], atol=1e-9)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1 2 3 90 0 0 0 90 0", "1 2 3"),
        ("Xrotation", "Wrotation"),
        ("HIERARCHY", "NONSENSE here"),
        ("\n}\nMOTION", "\nMOTION"),
        ("Frame Time: 0.1", "Frame Time: x"),
    ],
)
def test_broken_bvh_files_are_named(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "odd.bvh"
    path.write_text(BVH.replace(old, new))
    with pytest.raises(DatasetError, match=r"odd\.bvh: expected a BVH file"):
        read_bvh(path)


def test_only_frames_above_the_ground_are_climbing(root: Path) -> None:
    clips = load_clips(root, ["cmu_mocap"], unlabelled=True)
    found = {c.name: c.label for c in clips if c.group == "01_02"}
    assert found == {"01_02/0000": None, "01_02/0040": "climb", "01_02/0080": None}
    assert {c.group: c.split for c in clips if c.label} == {
        "01_01": "train",
        "01_02": "train",
        "02_04": "val",
        "07_11": "val",
        "08_01": "test",
    }


@pytest.mark.parametrize(
    ("title", "action"),
    [
        ("run/jog", "run"),
        ("walk/stride", "walk"),
        ("walk, exaggerated stride", "walk"),
        ("brisk walk", "walk"),
        ("punch/strike", "punch"),
        ("jump, balance", "jump"),
        ("playground - climb, go under, jump down", "climb"),
        ("basketball - dribble, shoot", "dribble"),
        ("dance - small jetes, pirouette", "dance"),
        ("walk on uneven terrain", "other"),
        ("navigate - walk forward, backward, sideways", "other"),
        ("wash self", "other"),
    ],
)
def test_what_takes_are_called(title: str, action: str) -> None:
    assert action_of(title) == action


def test_a_take_without_a_title_is_an_error(tmp_path: Path) -> None:
    write_cmu_mocap(tmp_path / "cmu_mocap_bvh")
    (tmp_path / "cmu_mocap_bvh" / "motion_labels.csv").write_text("motion_id,long_label\n")
    with pytest.raises(DatasetError, match=r"motion_labels\.csv has no row for 01_01"):
        load_clips(tmp_path, ["cmu_mocap"])


def test_clips_without_a_label_are_given_when_asked_for(root: Path) -> None:
    assert not load_clips(root, EXPERIMENTS_ONLY)
    clips = load_clips(root, ["urfd"], unlabelled=True)
    assert {c.label for c in clips} == {None}
    own = [c for c in clips if c.group == "fall-02"]
    assert [(c.name[-4:], len(c.times), c.original) for c in own] == [
        ("0000", 14, "not lying"),
        ("0015", 5, "not lying"),
        ("0020", 10, "falling"),
    ]
    assert not own[0].seen[..., LEFT_KNEE].any()
    assert {c.group: c.split for c in clips} == {
        "fall-02": "train",
        "fall-06": "val",
        "fall-10": "test",
    }


def test_msr_clips_without_people_are_left_out(root: Path) -> None:
    clips = load_clips(root, ["msr_action3d"], unlabelled=True)
    assert {c.original for c in clips} == {"horizontal arm wave"}


def test_very_short_clips_are_left_out(tmp_path: Path) -> None:
    write_utkinect(tmp_path / "utkinect")
    path = tmp_path / "utkinect" / "waveHands_s01_e01.txt"
    for frames, count in ((6, 3), (5, 2)):
        path.write_text("".join(path.read_text().splitlines(keepends=True)[: 20 * frames]))
        assert len(load_clips(tmp_path, ["utkinect"])) == count


def test_validation_pairs_are_training_pairs_of_every_fold() -> None:
    assert validation_pairs(1) == {"s01s07", "s03s06"}
    for fold, test in enumerate(FOLDS, start=1):
        assert len(validation_pairs(fold)) == 2
        assert not validation_pairs(fold) & test


def test_official_splits_are_passed_on(root: Path) -> None:
    clips = load_clips(root, ["sbu"], splits={"sbu": 3})
    assert {c.group for c in clips if c.split == "test"} == {"s01s03", "s01s07"}
    with pytest.raises(DatasetError, match=r"GT_train_2\.pkl"):
        load_clips(root, ["jhmdb"], splits={"jhmdb": 2})
    for wrong in ({"sbu": 6}, {"jhmdb": 0}, {"kard": 1}):
        with pytest.raises(DatasetError, match="has no split"):
            load_clips(root, ["sbu"], splits=wrong)


def _bone(clips: list[Clip], one: int, other: int) -> np.ndarray:
    """Metres between two joints, the median of each clip that shows both."""
    out = []
    for clip in clips:
        good = clip.seen[..., [one, other]].all(axis=-1)
        if good.any():
            bone = clip.points[..., one, :] - clip.points[..., other, :]
            out.append(np.median(np.linalg.norm(bone[good], axis=-1)))
    return np.array(out)


@pytest.mark.skipif(not os.environ.get(DATA_VARIABLE), reason=f"{DATA_VARIABLE} is not set")
@pytest.mark.parametrize(
    ("dataset", "count", "torso"),
    [
        ("msr_action3d", 561, (0.28, 0.42)),
        ("florence3d", 215, (0.33, 0.52)),
        ("cmu_mocap", 187, (0.37, 0.45)),
    ],
)
def test_real_people_are_upright_and_of_human_size(
    dataset: str, count: int, torso: tuple[float, float]
) -> None:
    clips = load_clips(data_root(), [dataset], unlabelled=True)
    assert len(clips) == count
    between = {(5, 11): torso, (5, 7): (0.20, 0.34), (13, 15): (0.33, 0.52)}
    for joints, (low, high) in between.items():
        low_found, high_found = np.percentile(_bone(clips, *joints), [10, 90])
        assert low < low_found and high_found < high
    for clip in clips:
        middle = len(clip.times) // 2
        if clip.seen[0, middle, BODY_JOINTS].all():
            assert clip.points[0, middle, 0, 1] < clip.points[0, middle, [15, 16], 1].max()


@pytest.mark.skipif(not os.environ.get(DATA_VARIABLE), reason=f"{DATA_VARIABLE} is not set")
def test_real_falls_end_lower_than_they_start() -> None:
    clips = load_clips(data_root(), ["urfd"], unlabelled=True)
    assert len(clips) == 88
    falls = [c for c in clips if c.original == "falling"]
    drop = [c.points[0, -1, 0, 1] - c.points[0, 0, 0, 1] for c in falls]
    assert np.median(drop) > 50
