"""NTU RGB+D 60 and 120 (Shahroudy et al., CVPR 2016; Liu et al., TPAMI 2019), .skeleton files.

Layout (github.com/shahroudy/NTURGB-D): SsssCcccPpppRrrrAaaa.skeleton of setup, camera, performer,
replication and action, in any folder. The text holds the number of frames; per frame the number
of bodies; per body 10 numbers that begin with its id, the number of joints (25), and per joint 12
numbers: x y z in metres, depth x y, colour x y in pixels of 1920x1080, 4 of orientation, and the
tracking state (0 no, 1 inferred, 2 tracked).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from skeletr.datasets.clip import DatasetError, Split
from skeletr.datasets.kinect import JOINTS  # the first 20 joints of both sensors are the same
from skeletr.datasets.sample import Note, Sample, quiet, read_text, whole
from skeletr.datasets.vocabulary import COME, GO
from skeletr.recording import Recording
from skeletr.skeleton import keypoint_boxes, to_coco17

FRAME_RATE = 30.0
IMAGE_SIZE = (1920, 1080)
# What two people do together: the classes of NTU-Inter.
MUTUAL: dict[int, str] = {
    50: "punch someone",
    51: "kick someone",
    52: "push someone",
    53: "pat someone on the back",
    54: "point at someone",
    55: "hug",
    56: "hand over an object",
    57: "touch someone's pocket",
    58: "shake hands",
    59: COME,
    60: GO,
    106: "hit someone with an object",
    107: "wield a knife at someone",
    108: "knock someone over",
    109: "grab someone's things",
    110: "shoot at someone",
    111: "step on someone's foot",
    112: "high five",
    113: "raise a toast",
    114: "carry something together",
    115: "take a photo of someone",
    116: "follow someone",
    117: "whisper in someone's ear",
    118: "exchange objects",
    119: "support someone who walks",
    120: "play rock, paper, scissors",
}
# Performers of the training part of cross-subject; those up to 40 are also that of NTU60.
TRAIN_PEOPLE = frozenset(
    {1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38, 45, 46, 47, 49, 50}
    | {52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80, 81, 82, 83, 84, 85, 86, 89, 91, 92, 93, 94}
    | {95, 97, 98, 100, 103}
)
Protocol = Literal["xsub", "xview", "xset"]

_NAME = re.compile(r"S(\d{3})C(\d{3})P(\d{3})R\d{3}A(\d{3})")
_JOINTS, _PER_JOINT, _HEAD = 25, 12, 10
_SCORES = np.array([0.0, 0.5, 1.0], np.float32)  # by tracking state
_SHORTEST = 11  # frames; the sensor takes chairs for people, rarely for longer
_STILL = 1e-6  # square metres, summed over the joints; even who stands still moves more
_WIDEST, _OFTEN = 0.8, 0.7  # width by height above which, in that share of frames, it is no body


@dataclass(frozen=True)
class _Body:
    """frames: (K,) int. joints: (K, 25, 12) as in the file."""

    frames: np.ndarray
    joints: np.ndarray

    @property
    def motion(self) -> float:
        """Variance over time, summed over joints and axes, in square metres."""
        return float(self.joints[..., :3].var(axis=0).sum())

    @property
    def plausible(self) -> bool:
        """Long enough, never quite still, and mostly higher than wide."""
        width, height = np.ptp(self.joints[..., :2], axis=1).T
        wide = (width > _WIDEST * height).mean() >= _OFTEN
        return len(self.frames) >= _SHORTEST and self.motion > _STILL and not wide


def read_ntu(
    folder: Path,
    protocol: Protocol = "xsub",
    *,
    mutual_only: bool = False,
    classes: int = 120,
    ignore: Path | None = None,
    note: Note = quiet,
) -> Iterator[Sample]:
    """All clips; labels are those of `MUTUAL`, else "A001" and so on; the group is the performer.

    Pictures of the sensor are mirror images; they are turned, so that the person's left hand is on
    the right, as everywhere in this package. One body is kept of a single action and two of a
    mutual one, those that move most.

    Args:
        protocol: "xsub" (performers), "xview" (camera 1 tests) or "xset" (odd setups test).
        mutual_only: NTU-Inter. classes: 60 for NTU60, 120 for NTU120.
        ignore: text file of names to leave out, such as the published lists of broken clips.

    Raises:
        DatasetError: no clips, or a file that is not as described above.
    """
    ignored = set() if ignore is None else set(read_text(ignore).split())
    files = sorted(folder.rglob("*.skeleton"), key=lambda path: path.name)
    if not files:
        raise DatasetError(f"{folder} holds no .skeleton files")
    for path in files:
        match = _NAME.fullmatch(path.stem)
        if match is None:
            raise DatasetError(f"{path}: expected a name like S001C001P001R001A001.skeleton")
        setup, camera, person, action = (int(text) for text in match.groups())
        wanted = action <= classes and (action in MUTUAL or not mutual_only)
        if not wanted or path.stem in ignored:
            continue
        recording = _read(path, people=2 if action in MUTUAL else 1)
        if not len(recording.frame):
            note(f"{path.name}: nobody is seen")
            continue
        label = MUTUAL.get(action, f"A{action:03d}")
        recording = replace(recording, actions=whole(label, recording))
        split = _split(protocol, setup, camera, person)
        yield Sample(recording, path.stem, split, f"P{person:03d}")


def _split(protocol: Protocol, setup: int, camera: int, person: int) -> Split:
    trains = {"xsub": person in TRAIN_PEOPLE, "xview": camera != 1, "xset": setup % 2 == 0}
    return "train" if trains[protocol] else "test"


def _read(path: Path, people: int) -> Recording:
    count, bodies = _parse(path)
    kept = _choose(bodies, count, people)
    joints = np.concatenate([b.joints for b in kept] or [np.zeros((0, _JOINTS, _PER_JOINT))])
    frame = np.concatenate([b.frames for b in kept] or [np.zeros(0)]).astype(np.int32)
    person = np.repeat(np.arange(len(kept), dtype=np.int32), [len(b.frames) for b in kept])
    points = joints[..., 5:7] * (-1, 1) + (IMAGE_SIZE[0], 0)
    keypoints = to_coco17(points, JOINTS, _SCORES[joints[..., 11].astype(int).clip(0, 2)])
    seen = (keypoints[..., 2] > 0).any(axis=-1)
    order = np.lexsort((person, frame))
    order = order[seen[order]]
    return Recording(
        image_size=IMAGE_SIZE,
        frame_times=np.arange(count) / FRAME_RATE,
        frame=frame[order],
        person=person[order],
        keypoints=keypoints[order],
        boxes=keypoint_boxes(keypoints[order]),
        source=path.name,
    )


def _choose(bodies: list[_Body], count: int, people: int) -> list[_Body]:
    """Those that move most, at most `people` at a time; the sensor may rename who was lost."""
    real = [body for body in bodies if body.plausible] or bodies
    taken = np.zeros(count, int)
    kept = []
    for body in sorted(real, key=lambda body: -body.motion):
        free = taken[body.frames] < people
        if free.mean() >= 0.5:
            kept.append(_Body(body.frames[free], body.joints[free]))
            taken[body.frames[free]] += 1
    return kept


def _parse(path: Path) -> tuple[int, list[_Body]]:
    """The number of frames, and all bodies in the order of their first frames."""
    tokens = read_text(path).split()
    starts: dict[str, list[tuple[int, int]]] = {}  # id -> (frame, where its joints begin)
    try:
        values = np.array(tokens, dtype=np.float64)
        count, at = int(values[0]), 1
        for frame in range(count):
            bodies, at = int(values[at]), at + 1
            for _ in range(bodies):
                begin = at + _HEAD + 1
                if values[begin - 1] != _JOINTS:
                    raise ValueError(f"frame {frame}: {values[begin - 1]:g} joints, expected 25")
                # The id is text: as a number it would lose its last digits.
                starts.setdefault(tokens[at], []).append((frame, begin))
                at = begin + _JOINTS * _PER_JOINT
        if at != len(tokens):
            raise ValueError(f"{len(tokens)} numbers, expected {at} of {count} frames")
    except (ValueError, IndexError, OverflowError) as error:
        raise DatasetError(f"{path} is not a .skeleton file of NTU RGB+D: {error}") from error
    return count, [_body(values, places) for places in starts.values()]


def _body(values: np.ndarray, places: list[tuple[int, int]]) -> _Body:
    frames, begins = np.array(places).T
    inside = begins[:, None] + np.arange(_JOINTS * _PER_JOINT)
    return _Body(frames, values[inside].reshape(-1, _JOINTS, _PER_JOINT))
