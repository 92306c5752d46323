"""Kinder-Gator (Aloba et al.): 58 gestures and exercises of 10 adults and 10 children, Kinect v1.

Layout: {Adults,Children}/POSE-pPID_NN-Name-TIME.csv: milliseconds, 20 joints of X, Y, Z.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skeletr.datasets.clip import Clip, make_clip
from skeletr.datasets.kinect import kinect_to_coco
from skeletr.datasets.text_table import named_files, read_table
from skeletr.datasets.vocabulary import label_of

# Two adults and two children whom training never sees.
TEST_PEOPLE = frozenset({"604", "921", "474", "723"})
_FILE_NAME = re.compile(r"POSE-p(\d+)_\d+-(.+?)-*-\d+\.csv")


def read_kinder_gator(folder: Path) -> Iterator[Clip]:
    """All clips; those of `TEST_PEOPLE` are "test".

    Raises:
        DatasetError: no clips, or a file that is not as described above.
    """
    files = named_files(folder, "*/POSE-*.csv", _FILE_NAME, "POSE-pPID_NN-Name-TIME.csv")
    for path, match in files:
        yield _read(path, match[1], match[2])


def _read(path: Path, person: str, name: str) -> Clip:
    table = read_table(path, 61, delimiter=",", skip=1)
    _, first = np.unique(table[:, 0], return_index=True)  # a few rows are written twice
    table = table[first]
    return make_clip(
        kinect_to_coco(table[:, 1:].reshape(len(table), 20, 3)),
        table[:, 0] / 1000,
        label=label_of("kinder_gator", name),
        dataset="kinder_gator",
        name=path.stem,
        group=person,
        split="test" if person in TEST_PEOPLE else "train",
        original=name,
    )
