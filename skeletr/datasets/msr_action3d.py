"""MSR Action3D (Li et al., CVPRW 2010): 20 gestures and sports moves of 10 people, depth camera.

Layout: aAA_sSS_eEE_skeleton.txt, 20 lines a frame "u v depth confidence".

The picture is 320x240. Of all focal lengths, 288 pixels (a Kinect's at that size) and no offset
of the depth keep the bones most constant over people and directions (3 % spread). The depth is in
units of 4 mm: upper arm 0.27 m, forearm 0.29 m, head to ankle 1.55 m. This tracker puts the hips
high and wide: shoulder to hip only 0.35 m, thigh 0.54 m; they are left as they are.
The picture is a mirror image: people face the camera (feet lie 0.15 m before the ankles), and the
arm they were told to use, the right one, is on the right. So x is turned around here, and the
second joint of each pair is the right one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skeletr.datasets.clip import Clip, DatasetError, make_clip
from skeletr.datasets.text_table import named_files, read_frames
from skeletr.datasets.vocabulary import label_of
from skeletr.skeleton import BODY_JOINTS, to_coco17

FRAME_RATE = 15.0
NAMES = {
    1: "high arm wave",
    2: "horizontal arm wave",
    3: "hammer",
    4: "hand catch",
    5: "forward punch",
    6: "high throw",
    7: "draw X",
    8: "draw tick",
    9: "draw circle",
    10: "hand clap",
    11: "two hand wave",
    12: "side boxing",
    13: "bend",
    14: "forward kick",
    15: "side kick",
    16: "jogging",
    17: "tennis swing",
    18: "tennis serve",
    19: "golf swing",
    20: "pick up and throw",
}
JOINTS = {
    "nose": 19,
    "left_shoulder": 0,
    "left_elbow": 7,
    "left_wrist": 9,
    "right_shoulder": 1,
    "right_elbow": 8,
    "right_wrist": 10,
    "left_hip": 4,
    "left_knee": 13,
    "left_ankle": 15,
    "right_hip": 5,
    "right_knee": 14,
    "right_ankle": 16,
}
# The standard cross-subject protocol: odd people train, even ones test.
TEST_PEOPLE = frozenset({"02", "04", "06", "08", "10"})
FOCAL = 288.0  # pixels
CENTRE = (160.0, 120.0)
DEPTH_UNIT = 0.004  # metres
_OUTSIDE = 1e4  # a few rows hold 2 ** 31 - 1 pixels
_FEWEST = 0.5  # share of the joints of all frames that must be there
_FILE_NAME = re.compile(r"a(\d\d)_s(\d\d)_e\d\d_skeleton\.txt")


def read_msr_action3d(folder: Path) -> Iterator[Clip]:
    """The clips in which at least half of the joints are there; `TEST_PEOPLE` are "test".

    A joint without depth was not seen. The confidence is not used: bones between joints of
    confidence 0 are as constant as the others.

    Raises:
        DatasetError: no clips, or a file that is not as described above.
    """
    files = named_files(folder, "*_skeleton.txt", _FILE_NAME, "aAA_sSS_eEE_skeleton.txt")
    for path, match in files:
        if int(match[1]) not in NAMES:
            raise DatasetError(f"{path}: action {match[1]} found, expected 01 to {len(NAMES)}")
        coco = _to_coco(read_frames(path, 20, 4))
        if (coco[:, BODY_JOINTS, -1] > 0).mean() >= _FEWEST:
            yield _clip(path, coco, NAMES[int(match[1])], match[2])


def _to_coco(points: np.ndarray) -> np.ndarray:
    """(T, 20, 4) as in the file -> (T, 17, 4): metres in the camera's axes, and a score."""
    there = (points[..., 2] > 0) & (np.abs(points[..., :2]) < _OUTSIDE).all(axis=-1)
    depth = points[..., 2:3] * DEPTH_UNIT
    sides = (points[..., :2] - CENTRE) * (-1, 1) / FOCAL * depth
    metres = np.where(there[..., None], np.concatenate([sides, depth], axis=-1), 0.0)
    return to_coco17(metres, JOINTS, there.astype(np.float32))


def _clip(path: Path, coco: np.ndarray, action: str, person: str) -> Clip:
    return make_clip(
        coco[None],
        np.arange(len(coco)) / FRAME_RATE,
        label=label_of("msr_action3d", action),
        dataset="msr_action3d",
        name=path.stem,
        group=person,
        split="test" if person in TEST_PEOPLE else "train",
        original=action,
    )
