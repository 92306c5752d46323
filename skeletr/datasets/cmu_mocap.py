"""CMU motion capture, subjects 01 to 09 without 04: walk, run, jump, dance, dribble, climb.

Layout: SS/SS_TT.bvh (subject, take) at 120 frames a second and motion_labels.csv.

Y is up, and somebody who looks along Z has the left hand at X: the camera looks against Z. A unit
is 1 / 0.45 inches, 56.4 mm: hip to ankle 0.83 m, shoulder to hip 0.41 m, upper arm 0.28 m. There
was no camera; the middle of the hips is put 3 m before one, on average over a clip. The first
frame of a file is the T pose and is left out.

Splits: subject 08 (walk) is "test", 07_11 and 07_12 are "val". Of climb (01), jump (01, 02), punch
(02), dance (05), dribble (06) and run (02, 09) there is next to nobody else: every fifth take of
the subject is "test" and the one before it "val", so these tests are of people seen in training.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from skeletr.datasets.bvh import Motion, positions, read_bvh
from skeletr.datasets.clip import Clip, DatasetError, Split, make_clip
from skeletr.datasets.text_table import named_files
from skeletr.datasets.vocabulary import label_of
from skeletr.skeleton import to_coco17

STEP = 4  # of 120 frames a second, 30 are kept
METRES = 0.0254 / 0.45  # per unit
DISTANCE = 3.0  # metres
JOINTS = {
    "nose": "Head",
    "left_shoulder": "LeftArm",
    "left_elbow": "LeftForeArm",
    "left_wrist": "LeftHand",
    "right_shoulder": "RightArm",
    "right_elbow": "RightForeArm",
    "right_wrist": "RightHand",
    "left_hip": "LeftUpLeg",
    "left_knee": "LeftLeg",
    "left_ankle": "LeftFoot",
    "right_hip": "RightUpLeg",
    "right_knee": "RightLeg",
    "right_ankle": "RightFoot",
}
_TOES = ("LeftToeBase", "RightToeBase")
TEST_SUBJECT = "08"
_VALIDATION = frozenset({"07_11", "07_12"})
# The first that is found in the text of a take says what is done.
_ACTIONS = (
    ("climb", r"\bclimb"),
    ("dribble", r"\bbasketball\b.*\bdribble"),
    ("dance", r"^dance\b"),
    ("punch", r"\b(punch|strike)\b"),
    ("jump", r"\bjumps?\b"),
    ("run", r"^(run|jog)\b"),
    ("walk", r"^(slow |brisk )?(walk|stride)(, exaggerated stride|/stride)?$"),
)
_AXES = np.array([1.0, -1.0, -1.0])
# Standing hips are 1.06 leg lengths (hip to ankle) above the toes; off the ground from 1.2 x that.
_HIGH = 1.2 * 1.06
_SHORTEST = 30  # frames of a stretch
_LONGEST = 300  # frames of a clip
_FILE_NAME = re.compile(r"(\d\d)_(\d\d)\.bvh")


def read_cmu_mocap(folder: Path) -> Iterator[Clip]:
    """All takes, in clips of at most 10 s.

    Of a take with climbing only stretches of at least 1 s with the hips high above the ground are
    "climb"; the others have no label.

    Raises:
        DatasetError: no takes, a take that motion_labels.csv lacks, or a broken file.
    """
    files = list(named_files(folder, "*/*.bvh", _FILE_NAME, "SS_TT.bvh"))
    table = folder / "motion_labels.csv"
    titles = _titles(table)
    for path, match in files:
        if path.stem not in titles:
            raise DatasetError(f"{table} has no row for {path.stem}; expected one for each take")
        yield from _take(path, titles[path.stem], _split(match[1], int(match[2])))


def action_of(title: str) -> str:
    """What is done in a take, as `vocabulary.NAMES` calls it; "other" where it is not clear."""
    return next((action for action, words in _ACTIONS if re.search(words, title)), "other")


def _split(subject: str, take: int) -> Split:
    if subject == TEST_SUBJECT:
        return "test"
    if subject == "07":
        return "val" if f"{subject}_{take:02d}" in _VALIDATION else "train"
    return "test" if take % 5 == 0 else "val" if take % 5 == 4 else "train"


def _titles(path: Path) -> dict[str, str]:
    """Take -> what the table says about it."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {r["motion_id"]: r["long_label"].strip() for r in csv.DictReader(file)}
    except (OSError, KeyError, AttributeError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(
            f"{path}: expected a table with motion_id and long_label: "
            f"{type(error).__name__}: {error}"
        ) from error


def _take(path: Path, title: str, split: Split) -> Iterator[Clip]:
    motion = read_bvh(path, first=1, step=STEP)
    absent = sorted({*JOINTS.values(), *_TOES} - set(motion.index))
    if absent:
        raise DatasetError(f"{path}: the skeleton has no {absent}")
    points = positions(motion) * METRES
    action = action_of(title)
    label = label_of("cmu_mocap", action)
    labelled = _high(motion, points) if action == "climb" else np.ones(len(points), dtype=bool)
    for start, stop in _stretches(labelled):
        yield make_clip(
            _to_coco(motion, points[start:stop])[None],
            np.arange(stop - start) * motion.frame_time,
            label=label if labelled[start] else None,
            dataset="cmu_mocap",
            name=f"{path.stem}/{start:04d}",
            group=path.stem,
            split=split,
            original=title,
        )


def _high(motion: Motion, points: np.ndarray) -> np.ndarray:
    """(T,) whether the hips are clearly higher above the ground than when standing.

    The ground is the lowest that a toe gets in a take.
    """
    index = motion.index
    hip, knee, ankle = (points[0, index[f"Left{part}"]] for part in ("UpLeg", "Leg", "Foot"))
    leg = np.linalg.norm(hip - knee) + np.linalg.norm(knee - ankle)
    ground = points[:, [index[toe] for toe in _TOES], 1].min()
    hips = points[:, [index["LeftUpLeg"], index["RightUpLeg"]], 1].mean(axis=1)
    return hips - ground > _HIGH * leg


def _stretches(labelled: np.ndarray) -> Iterator[tuple[int, int]]:
    """From and to which frame, (T,) bool -> pieces in which it does not change.

    Stretches of less than 1 s are left out (but for a whole take); none is longer than 10 s.
    """
    edges = [0, *(np.flatnonzero(np.diff(labelled)) + 1), len(labelled)]
    for start, stop in pairwise(edges):
        if stop - start < min(_SHORTEST, len(labelled)):
            continue
        pieces = -(-(stop - start) // _LONGEST)
        cuts = np.linspace(start, stop, pieces + 1).round().astype(int)
        yield from zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)


def _to_coco(motion: Motion, points: np.ndarray) -> np.ndarray:
    """(T, J, 3) in metres, axes of the file -> (T, 17, 4) before a camera, with a score."""
    index = motion.index
    turned = points * _AXES
    hips = turned[:, [index["LeftUpLeg"], index["RightUpLeg"]]].mean(axis=(0, 1))
    names = {coco: index[name] for coco, name in JOINTS.items()}
    return to_coco17(turned - hips + (0.0, 0.0, DISTANCE), names)
