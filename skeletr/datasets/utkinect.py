"""UTKinect-Action3D (Xia et al., CVPRW 2012), segmented: 10 actions of 10 people, Kinect v1.

Layout: ACTION_sSS_eEE.txt, 20 lines a frame "x y z" in metres.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skeletr.datasets.clip import Clip, DatasetError, make_clip
from skeletr.datasets.kinect import kinect_to_coco
from skeletr.datasets.text_table import read_table, require
from skeletr.datasets.vocabulary import label_of

FRAME_RATE = 15.0
TEST_PEOPLE = frozenset({"03", "07"})
_FILE_NAME = re.compile(r"(\w+)_s(\d\d)_e\d\d\.txt")


def read_utkinect(folder: Path) -> Iterator[Clip]:
    """The clips of at least 8 frames whose action has a label; `TEST_PEOPLE` are "test".

    Raises:
        DatasetError: no clips, or a file that is not as described above.
    """
    for path in require(list(folder.glob("*_s??_e??.txt")), folder, "ACTION_sSS_eEE.txt files"):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None:
            raise DatasetError(f"{path}: expected a name like ACTION_sSS_eEE.txt")
        label = label_of("utkinect", match[1])
        table = read_table(path, 3)
        if len(table) % 20:
            raise DatasetError(f"{path}: {len(table)} rows, expected 20 per frame")
        if label is not None and len(table) >= 8 * 20:
            yield _clip(path, label, match[2], table.reshape(-1, 20, 3))


def _clip(path: Path, label: str, person: str, points: np.ndarray) -> Clip:
    return make_clip(
        kinect_to_coco(points),
        np.arange(len(points)) / FRAME_RATE,
        label=label,
        dataset="utkinect",
        name=path.stem,
        group=person,
        split="test" if person in TEST_PEOPLE else "train",
    )
