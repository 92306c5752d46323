"""Small files in the format of every data set, all written from one standing body."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
from scipy.io import savemat

from skeletr.datasets import (
    jhmdb,
    kard,
    kinder_gator,
    kinect,
    msr_action3d,
    penn_action,
    urfd,
    utkinect,
)
from skeletr.skeleton import COCO_INDEX

from .bvh_files import bvh_text

# Metres; x to the right of the camera, y down, z away; facing the camera at 2.5 m.
_BODY = {
    0: (0.0, -0.75),
    5: (0.2, -0.5),
    7: (0.25, -0.22),
    9: (0.27, 0.04),
    11: (0.12, 0.0),
    13: (0.12, 0.42),
    15: (0.12, 0.84),
}


def standing() -> np.ndarray:
    """(17, 3): somebody who stands and looks at the camera."""
    out = np.full((17, 3), (0.0, -0.75, 2.5))
    for joint, (x, y) in _BODY.items():
        out[joint] = (x, y, 2.5)
        if joint:
            out[joint + 1] = (-x, y, 2.5)
    return out


def wave(frames: int) -> np.ndarray:
    """(T, 17, 3): waving with the left hand, twice a second at 30 frames per second."""
    out = np.repeat(standing()[None], frames, axis=0)
    swing = 0.25 * np.sin(2 * np.pi * 2 * np.arange(frames) / 30)
    out[:, 7, :2] = (0.45, -0.5)
    out[:, 9, 0] = 0.45 + swing
    out[:, 9, 1] = -0.75
    return out


def squat(frames: int) -> np.ndarray:
    """(T, 17, 3): going down and up once a second at 30 frames per second."""
    out = np.repeat(standing()[None], frames, axis=0)
    depth = 0.2 * (1 - np.cos(2 * np.pi * np.arange(frames) / 30))
    out[:, :13, 1] += depth[:, None]
    return out


def write_all(root: Path) -> Path:
    """Every data set, a few clips each."""
    for name, write in (
        ("sbu_interaction", write_sbu),
        ("kinder_gator", write_kinder_gator),
        ("jhmdb_gt_pose", write_jhmdb),
        ("penn_action_labels", write_penn_action),
        ("kard", write_kard),
        ("utkinect", write_utkinect),
        ("msr_action3d", write_msr_action3d),
        ("florence3d", write_florence3d),
        ("cmu_mocap_bvh", write_cmu_mocap),
        ("urfd_pose", write_urfd),
    ):
        write(root / name)
    return root


def write_sbu(folder: Path) -> None:
    """Two people who face each other, in three pairs: training, validation, test."""
    for pair in ("s01s03", "s01s07", "s01s02"):
        for code in ("04", "05"):
            people = []
            for side in (-1, 1):
                shift = np.array([0.5 * side, 0, 0])
                body = _turn(squat(20) if code == "04" else wave(20), -90 * side)
                people.append(_layout(body + shift, kinect.JOINTS_15, 15))
            raw = (np.stack(people, axis=1) - (-1.28, -0.96, 0.0)) / (2.56, 1.92, 1.28)
            rows = [[i, *frame.ravel()] for i, frame in enumerate(raw)]
            path = folder / pair / code / "001" / "skeleton_pos.txt"
            path.parent.mkdir(parents=True)
            np.savetxt(path, rows, delimiter=",", fmt="%.5f")


def write_kinder_gator(folder: Path) -> None:
    """One test, one validation and two training people, with rest around the action."""
    still = np.repeat(standing()[None], 30, axis=0)
    (folder / "Adults").mkdir(parents=True)
    for person in ("604", "976", "565", "577"):
        for name, motion in (("Wave-your-hand", wave), ("Jump", squat)):
            points = np.concatenate([still, motion(60), still]) * (-1, -1, 1)
            joints = _layout(points, kinect.JOINTS, 20)
            rows = [[1000 * i / 30, *frame.ravel()] for i, frame in enumerate(joints)]
            path = folder / "Adults" / f"POSE-p{person}_01-{name}-1.csv"
            np.savetxt(path, rows, delimiter=",", fmt="%.5f", header="Timestamp,...")
    assert "604" in kinder_gator.TEST_PEOPLE


def write_jhmdb(folder: Path) -> None:
    """Both parts of split 1."""
    folder.mkdir(parents=True)
    for part, count in (("train", 24), ("test", 2)):
        poses = [_layout(wave(25)[..., :2], jhmdb.JOINTS, 15) for _ in range(count)]
        content = {"pose": poses, "label": ["wave"] * count}
        (folder / f"GT_{part}_1.pkl").write_bytes(pickle.dumps(content))


def write_penn_action(folder: Path) -> None:
    """Clips of both parts."""
    folder.mkdir(parents=True)
    for number in range(1, 17):
        joints = _layout(squat(30)[..., :2] * 100 + 200, penn_action.JOINTS, 13)
        content = {
            "action": "squat",
            "x": joints[..., 0],
            "y": joints[..., 1],
            "visibility": np.ones(joints.shape[:2]),
            "train": 1 if number < 15 else -1,
        }
        savemat(folder / f"{number:04d}.mat", content)


def write_kard(folder: Path) -> None:
    """Hand waves of a training, a validation and a test person."""
    folder.mkdir(parents=True)
    for person in ("01", "05", "03"):
        points = wave(60)
        pixels = points[..., :2] / points[..., 2:] * 575.8 + (320, 240)
        rows = _layout(np.concatenate([pixels, points[..., 2:] * 1000], -1), kard.JOINTS, 15)
        np.savetxt(folder / f"a01_s{person}_e01_screen.txt", rows.reshape(-1, 3), fmt="%.3f")


def write_utkinect(folder: Path) -> None:
    """Hand waves of a training, a validation and a test person."""
    folder.mkdir(parents=True)
    for person in ("01", "05", "03"):
        rows = _layout(wave(40) * (-1, -1, 1), kinect.JOINTS, 20)
        np.savetxt(folder / f"waveHands_s{person}_e01.txt", rows.reshape(-1, 3), fmt="%.5f")
    assert "03" in utkinect.TEST_PEOPLE


def write_msr_action3d(folder: Path) -> None:
    """Arm waves of a training, a validation and a test person, and one nobody is seen in."""
    folder.mkdir(parents=True)
    points = wave(40) * (-1, 1, 1)
    pixels = points[..., :2] / points[..., 2:] * msr_action3d.FOCAL + msr_action3d.CENTRE
    depth = points[..., 2:] / msr_action3d.DEPTH_UNIT
    table = _layout(np.concatenate([pixels, depth, depth > 0], -1), msr_action3d.JOINTS, 20)
    for person in ("01", "09", "02"):
        path = folder / f"a02_s{person}_e01_skeleton.txt"
        np.savetxt(path, table.reshape(-1, 4), fmt="%.4e")
    np.savetxt(folder / "a20_s02_e01_skeleton.txt", 0 * table.reshape(-1, 4), fmt="%.4e")


def write_florence3d(folder: Path) -> None:
    """Waves of a training, a validation and a test person."""
    folder.mkdir(parents=True)
    table = _layout(wave(20) * (-1000, -1000, 1000), kinect.JOINTS_15, 15)
    for number, person in enumerate(("s1", "s7", "s10")):
        np.savetxt(folder / f"a01_{person}_id{number}.txt", table.reshape(-1, 3), fmt="%.6e")


def write_urfd(folder: Path) -> None:
    """A training, a validation and a test video; frame 14 is missing, 20 is there twice."""
    folder.mkdir(parents=True)
    header = [f"{joint}_{c}" for joint in urfd.COLUMNS for c in "xys"]
    lines = [",".join(["video", "frame", *header, "label"])]
    joints = _layout(wave(30)[..., :2] * 100 + (320, 200), urfd.JOINTS, 13) / urfd.SIZE
    joints = np.concatenate([joints, np.full((30, 13, 1), 0.9)], axis=-1)
    joints[:, urfd.JOINTS["left_knee"], 2] = 0.04
    for video in ("fall-02", "fall-06", "fall-10"):
        for frame in [*range(14), *range(15, 21), *range(20, 30)]:
            numbers = [f"{number:.5f}" for number in joints[frame].ravel()]
            lines.append(",".join([video, str(frame), *numbers, str(int(frame > 19))]))
    (folder / "pose.csv").write_text("\n".join(lines) + "\n")


def write_cmu_mocap(folder: Path) -> None:
    """Takes of every split; in 01_02 somebody is 0.6 m above the ground in the middle."""
    takes = {
        "01_01": "playground - forward jumps, turn around",
        "01_02": "playground - climb, hang",
        "02_04": "jump, balance",
        "03_01": "walk on uneven terrain",
        "07_11": "walk",
        "08_01": "slow walk/stride",
    }
    for take, title in takes.items():
        height = np.zeros(1 + 4 * 120)
        if "climb" in title:
            height[1 + 4 * 40 : 1 + 4 * 80] = 0.6
        path = folder / take[:2] / f"{take}.bvh"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(bvh_text(standing(), height))
    rows = [f'{take},some,"{title}"' for take, title in takes.items()]
    (folder / "motion_labels.csv").write_text(
        "\n".join(["motion_id,short_label,long_label", ",,", *rows])
    )


def _layout(coco: np.ndarray, names: dict[str, int], joints: int) -> np.ndarray:
    """COCO joints (T, 17, D) put where another layout has them: (T, J, D)."""
    out = np.repeat(coco[:, :1], joints, axis=1).copy()
    for name, index in names.items():
        out[:, index] = coco[:, COCO_INDEX[name]]
    return out


def _turn(points: np.ndarray, degrees: float) -> np.ndarray:
    """About the vertical through (0, 2.5 m); 90 = from looking at the camera to looking right."""
    angle = np.deg2rad(degrees)
    x, z = points[..., 0], points[..., 2] - 2.5
    out = points.copy()
    out[..., 0] = x * np.cos(angle) - z * np.sin(angle)
    out[..., 2] = x * np.sin(angle) + z * np.cos(angle) + 2.5
    return out
