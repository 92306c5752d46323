"""SBU Kinect Interaction (Yun et al., CVPRW 2012): two people, 8 interactions, 21 pairs.

Layout: sXXsYY/CC/NNN/skeleton_pos.txt; a row is the frame id and 2 x 15 joints of x, y, z.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skeletr.datasets.clip import Clip, DatasetError, make_clip
from skeletr.datasets.kinect import JOINTS_15
from skeletr.datasets.text_table import read_table, require
from skeletr.datasets.vocabulary import label_of
from skeletr.skeleton import to_coco17

FRAME_RATE = 15.0
NAMES = {
    "01": "approach",
    "02": "depart",
    "03": "kick",
    "04": "push",
    "05": "shake hands",
    "06": "hug",
    "07": "exchange object",
    "08": "punch",
}
# The standard five folds: the pairs of each test set.
FOLDS: tuple[frozenset[str], ...] = (
    frozenset({"s01s02", "s03s04", "s05s02", "s06s04"}),
    frozenset({"s02s03", "s02s07", "s03s05", "s05s03"}),
    frozenset({"s01s03", "s01s07", "s07s01", "s07s03"}),
    frozenset({"s02s01", "s02s06", "s03s02", "s03s06"}),
    frozenset({"s04s02", "s04s03", "s04s06", "s06s02", "s06s03"}),
)
# Pairs of fold 1's training part that only validate.
_VALIDATION = frozenset({"s01s07", "s03s06"})
# Undoes the published normalisation, in metres: X = 1280 - 2560 x mm, Y = 960 - 1920 y mm,
# Z = 1280 z mm. The camera's X runs to its left, so the picture's x is -X, and y is -Y.
_SCALE = np.array([2.56, 1.92, 1.28])
_ORIGIN = np.array([-1.28, -0.96, 0.0])


def read_sbu(folder: Path, fold: int = 1) -> Iterator[Clip]:
    """All clips; the pairs of test set `fold` (1..5) are "test".

    Raises:
        DatasetError: no clips, or a file that is not as described above.
    """
    test = FOLDS[fold - 1]
    files = require(list(folder.glob("s??s??/??/???/skeleton_pos.txt")), folder, "skeleton_pos.txt")
    for path in files:
        pair, code, number = path.parts[-4:-1]
        if code not in NAMES:
            raise DatasetError(f"{path}: class {code} found, expected one of {sorted(NAMES)}")
        yield _read(path, pair, code, number, pair in test)


def validation_pairs(fold: int = 1) -> frozenset[str]:
    """Two pairs of the training part of `fold` (1..5) that only validate.

    After fold 1 they are the first pairs of the next two test sets.
    """
    if fold == 1:
        return _VALIDATION
    return frozenset(min(FOLDS[(fold + step) % len(FOLDS)]) for step in (0, 1))


def _read(path: Path, pair: str, code: str, number: str, test: bool) -> Clip:
    table = read_table(path, 90, delimiter=",", first=1)
    points = table.reshape(len(table), 2, 15, 3).swapaxes(0, 1)
    missing = (points == 0).all(axis=-1)
    coco = to_coco17(points * _SCALE + _ORIGIN, JOINTS_15, (~missing).astype(np.float32))
    return make_clip(
        coco,
        np.arange(len(table)) / FRAME_RATE,
        label=label_of("sbu", NAMES[code]),
        dataset="sbu",
        name=f"{pair}/{code}/{number}",
        group=pair,
        split="test" if test else "train",
        original=NAMES[code],
    )
