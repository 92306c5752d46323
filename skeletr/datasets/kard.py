"""KARD (Gaglio et al., 2015): 18 everyday actions, 10 people, Kinect pixels and depth.

Layout: aAA_sSS_eEE_screen.txt, 15 lines a frame "u v depth_mm" on a 640x480 picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skeletr.datasets.clip import Clip, DatasetError, make_clip
from skeletr.datasets.text_table import named_files, read_frames
from skeletr.datasets.vocabulary import label_of
from skeletr.skeleton import to_coco17

FRAME_RATE = 30.0
NAMES = {
    1: "horizontal arm wave",
    2: "high arm wave",
    3: "two-hand wave",
    4: "catch cap",
    5: "high throw",
    6: "draw X",
    7: "draw tick",
    8: "toss paper",
    9: "forward kick",
    10: "side kick",
    11: "take umbrella",
    12: "bend",
    13: "hand clap",
    14: "walk",
    15: "phone call",
    16: "drink",
    17: "sit down",
    18: "stand up",
}
JOINTS = {
    "nose": 0,
    "right_shoulder": 2,
    "right_elbow": 3,
    "right_wrist": 4,
    "left_shoulder": 5,
    "left_elbow": 6,
    "left_wrist": 7,
    "right_hip": 9,
    "right_knee": 10,
    "right_ankle": 11,
    "left_hip": 12,
    "left_knee": 13,
    "left_ankle": 14,
}
TEST_PEOPLE = frozenset({"03", "07"})
_FOCAL = 575.8  # pixels, Kinect v1 at 640x480
_CENTRE = (320.0, 240.0)
_FILE_NAME = re.compile(r"a(\d\d)_s(\d\d)_e\d\d_screen\.txt")


def read_kard(folder: Path) -> Iterator[Clip]:
    """All clips; those of `TEST_PEOPLE` are "test".

    Raises:
        DatasetError: no clips, or a file that is not as described above.
    """
    files = named_files(folder, "*_screen.txt", _FILE_NAME, "aAA_sSS_eEE_screen.txt")
    for path, match in files:
        if int(match[1]) not in NAMES:
            raise DatasetError(f"{path}: action {match[1]} found, expected 01 to {len(NAMES)}")
        yield _read(path, NAMES[int(match[1])], match[2])


def _read(path: Path, action: str, person: str) -> Clip:
    points = read_frames(path, 15, 3)
    depth = points[..., 2:] / 1000
    metres = np.concatenate([(points[..., :2] - _CENTRE) / _FOCAL * depth, depth], axis=-1)
    coco = to_coco17(metres, JOINTS, (points[..., 2] > 0).astype(np.float32))
    return make_clip(
        coco[None],
        np.arange(len(points)) / FRAME_RATE,
        label=label_of("kard", action),
        dataset="kard",
        name=path.stem,
        group=person,
        split="test" if person in TEST_PEOPLE else "train",
        original=action,
    )
