"""JHMDB joint positions (Jhuang et al., ICCV 2013) as prepared for DD-Net: real video, 2D.

Layout: GT_{train,test}_{1,2,3}.pkl, dict of pose [(T, 15, 2)] and label [str].
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skeletr.datasets.clip import Clip, DatasetError, make_clip
from skeletr.datasets.restricted_pickle import load_pickle
from skeletr.datasets.vocabulary import label_of
from skeletr.skeleton import to_coco17

FRAME_RATE = 25.0
JOINTS = {
    "nose": 2,
    "right_shoulder": 3,
    "left_shoulder": 4,
    "right_hip": 5,
    "left_hip": 6,
    "right_elbow": 7,
    "left_elbow": 8,
    "right_knee": 9,
    "left_knee": 10,
    "right_wrist": 11,
    "left_wrist": 12,
    "right_ankle": 13,
    "left_ankle": 14,
}


def read_jhmdb(folder: Path, split: int = 1) -> Iterator[Clip]:
    """Training and test clips of official split 1, 2 or 3.

    Raises:
        DatasetError: a file is missing, or not as described above.
    """
    for part in ("train", "test"):
        path = folder / f"GT_{part}_{split}.pkl"
        content = load_pickle(path)
        if not isinstance(content, dict) or not {"pose", "label"} <= set(content):
            raise DatasetError(f"{path}: expected a dict of pose and label")
        if len(content["pose"]) != len(content["label"]):
            raise DatasetError(
                f"{path}: {len(content['pose'])} poses but {len(content['label'])} labels"
            )
        for index, (pose, label) in enumerate(zip(content["pose"], content["label"], strict=True)):
            yield _clip(path, part, index, pose, label)


def _clip(path: Path, part: str, index: int, pose: object, label: object) -> Clip:
    points = np.asarray(pose)
    if points.ndim != 3 or points.shape[1:] != (15, 2) or points.dtype.kind not in "fiu":
        raise DatasetError(f"{path}: pose {index} has shape {points.shape}, expected (T, 15, 2)")
    name = f"{part}/{index:04d}"
    return make_clip(
        to_coco17(points, JOINTS)[None],
        np.arange(len(points)) / FRAME_RATE,
        label=label_of("jhmdb", str(label)),
        dataset="jhmdb",
        name=name,
        group=name,  # the people are not named, so every clip stands for itself
        split=part,
        original=str(label),
    )
