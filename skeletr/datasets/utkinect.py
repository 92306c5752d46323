"""UTKinect-Action3D (Xia et al., CVPRW 2012), segmented: 10 actions of 10 people, Kinect v1.

Layout: ACTION_sSS_eEE.txt, 20 lines a frame "x y z" in metres.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skeletr.datasets.clip import Clip, make_clip
from skeletr.datasets.kinect import kinect_to_coco
from skeletr.datasets.text_table import named_files, read_frames
from skeletr.datasets.vocabulary import label_of

FRAME_RATE = 15.0
SHORTEST = 6  # frames
TEST_PEOPLE = frozenset({"03", "07"})
_FILE_NAME = re.compile(r"(\w+)_s(\d\d)_e\d\d\.txt")


def read_utkinect(folder: Path) -> Iterator[Clip]:
    """The clips of at least `SHORTEST` frames; those of `TEST_PEOPLE` are "test".

    Raises:
        DatasetError: no clips, or a file that is not as described above.
    """
    for path, match in named_files(folder, "*_s??_e??.txt", _FILE_NAME, "ACTION_sSS_eEE.txt"):
        points = read_frames(path, 20, 3)
        if len(points) >= SHORTEST:
            yield _clip(path, match[1], match[2], points)


def _clip(path: Path, action: str, person: str, points: np.ndarray) -> Clip:
    return make_clip(
        kinect_to_coco(points),
        np.arange(len(points)) / FRAME_RATE,
        label=label_of("utkinect", action),
        dataset="utkinect",
        name=path.stem,
        group=person,
        split="test" if person in TEST_PEOPLE else "train",
        original=action,
    )
