"""Poses of 30 videos of the UR Fall data set (Kwolek and Kepski, 2014): people who fall.

Layout: *.csv with video, frame, x, y and score of 13 joints, label (0 not lying, 1 falling,
2 lying). x and y are shares of a 640x480 picture: only then are shoulders as wide, compared with
the torso, as on people. Two videos list frames a second time with a label that comes too early;
the first row of a frame counts. CC BY-NC-SA: for tests and experiments only.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from skeletr.datasets.clip import Clip, DatasetError, Split, make_clip
from skeletr.datasets.text_table import require
from skeletr.datasets.vocabulary import label_of
from skeletr.skeleton import BODY_JOINTS, COCO_JOINTS, to_coco17

FRAME_RATE = 30.0
NAMES = {0: "not lying", 1: "falling", 2: "lying"}
_PAIRS = ("Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle")
COLUMNS = ("Nose", *(f"{side}{joint}" for joint in _PAIRS for side in "LR"))
SIZE = (640.0, 480.0)  # pixels
SHORTEST = 5  # frames
_SEEN = 0.05  # lowest score of a joint that counts
# The 13 joints come in COCO's order.
JOINTS = {COCO_JOINTS[joint]: index for index, joint in enumerate(BODY_JOINTS)}

# One row: frame, label, (13, 3) of x, y, score.
Row = tuple[int, int, np.ndarray]


def read_urfd(folder: Path) -> Iterator[Clip]:
    """Stretches of at least `SHORTEST` frames that follow each other and have one label.

    Videos whose number is a multiple of 5 are "test", those one after such a number "val".

    Raises:
        DatasetError: no csv file, or one that is not as described above.
    """
    for path in require(list(folder.glob("*.csv")), folder, "*.csv file"):
        for video, rows in _videos(path).items():
            frames = sorted(rows.values(), key=lambda row: row[0])
            # Frames that follow each other with one label share number minus place, and label.
            places = [(row[0] - place, row[1]) for place, row in enumerate(frames)]
            for (_, label), run in groupby(zip(places, frames, strict=True), key=lambda x: x[0]):
                part = [row for _, row in run]
                if len(part) >= SHORTEST:
                    yield _clip(video, NAMES[label], part)


def _videos(path: Path) -> dict[str, dict[int, Row]]:
    """Video -> frame -> its first row."""
    videos: dict[str, dict[int, Row]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        try:
            for row in reader:
                parsed = _parse(row)
                videos.setdefault(row["video"], {}).setdefault(parsed[0], parsed)
            if not videos:
                raise ValueError("it holds no rows")
        except (ValueError, KeyError, TypeError, IndexError, csv.Error) as error:
            raise DatasetError(
                f"{path}, line {reader.line_num}: expected columns video, frame, x, y and score of "
                f"13 joints, label 0 to 2: {type(error).__name__}: {error}"
            ) from error
    return videos


def _parse(row: dict[str, str]) -> Row:
    joints = np.array([[float(row[f"{j}_{c}"]) for c in "xys"] for j in COLUMNS])
    _split(row["video"])
    label = int(row["label"])
    if label not in NAMES:
        raise ValueError(f"label {label} found")
    return int(row["frame"]), label, joints


def _split(video: str) -> Split:
    number = int(video.rpartition("-")[2])
    return "test" if number % 5 == 0 else "val" if number % 5 == 1 else "train"


def _clip(video: str, action: str, rows: list[Row]) -> Clip:
    joints = np.stack([row[2] for row in rows])
    coco = to_coco17(joints[..., :2] * SIZE, JOINTS, (joints[..., 2] > _SEEN).astype(np.float32))
    return make_clip(
        coco[None],
        np.array([row[0] for row in rows]) / FRAME_RATE,
        label=label_of("urfd", action),
        dataset="urfd",
        name=f"{video}/{rows[0][0]:04d}",
        group=video,
        split=_split(video),
        original=action,
    )
