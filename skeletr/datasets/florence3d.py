"""Florence 3D Actions (Seidenari et al., CVPRW 2013): 9 everyday actions, 10 people, Kinect.

Layout: aAA_sSS_idNNN.txt, 15 lines a frame "x y z" in mm: upper arm 0.27 m, shoulder to hip
0.42 m, thigh 0.44 m. y is up and z away from the camera.
The picture is a mirror image: people face the camera (their knees and hands are before the body),
and the arm that three of four use to wave, drink and phone is on the right, which is more likely
the right one. So x is turned around here, and the second joint of each pair is the right one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skeletr.datasets.clip import Clip, DatasetError, make_clip
from skeletr.datasets.kinect import JOINTS_15
from skeletr.datasets.text_table import named_files, read_frames
from skeletr.datasets.vocabulary import label_of
from skeletr.skeleton import to_coco17

# Not stored. At 10 hands and hips are as fast as in KARD and UTKinect when people sit down, stand
# up, bow or drink (at 30, three times as fast).
FRAME_RATE = 10.0
NAMES = {
    1: "wave",
    2: "drink",
    3: "answer phone",
    4: "clap",
    5: "tight lace",
    6: "sit down",
    7: "stand up",
    8: "read watch",
    9: "bow",
}
TEST_PEOPLE = frozenset({"s8", "s9", "s10"})
_TO_CAMERA = np.array([-1.0, -1.0, 1.0]) / 1000
_FILE_NAME = re.compile(r"a(\d\d)_(s\d+)_id\d+\.txt")


def read_florence3d(folder: Path) -> Iterator[Clip]:
    """All clips; those of `TEST_PEOPLE` are "test".

    Raises:
        DatasetError: no clips, or a file that is not as described above.
    """
    for path, match in named_files(folder, "*.txt", _FILE_NAME, "aAA_sSS_idNNN.txt"):
        if int(match[1]) not in NAMES:
            raise DatasetError(f"{path}: action {match[1]} found, expected 01 to {len(NAMES)}")
        yield _read(path, NAMES[int(match[1])], match[2])


def _read(path: Path, action: str, person: str) -> Clip:
    points = read_frames(path, 15, 3)
    seen = (points != 0).any(axis=-1).astype(np.float32)
    return make_clip(
        to_coco17(points * _TO_CAMERA, JOINTS_15, seen)[None],
        np.arange(len(points)) / FRAME_RATE,
        label=label_of("florence3d", action),
        dataset="florence3d",
        name=path.stem,
        group=person,
        split="test" if person in TEST_PEOPLE else "train",
        original=action,
    )
