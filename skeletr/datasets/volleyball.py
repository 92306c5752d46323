"""Volleyball (Ibrahim et al., CVPR 2016): what a team does, and what each player does.

Layout, with the joints and tracklets that public forks share (those of COMPOSER, for instance):

    FOLDER/[videos/]VIDEO/annotations.txt   VIDEO = 0..54; a line: CLIP.jpg ACTIVITY, then per
                                            player X Y W H ACTION or ACTION X Y W H, in pixels
    FOLDER/joints/VIDEO/CLIP.pickle         {frame: (P, 17, 3)}, COCO joints in pixels; the third
                                            number is a score, or the index of the joint
    FOLDER/tracks_normalized.pkl            {(VIDEO, CLIP): {frame: (P, 4)}}, y1 x1 y2 x2 as
                                            shares of the picture; may be left out

CLIP is the number of its middle frame, the one that is annotated. The i-th row of joints and of
tracks is the same player, in all frames of a clip.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from skeletr.datasets.clip import DatasetError, Split
from skeletr.datasets.restricted_pickle import load_pickle
from skeletr.datasets.sample import Note, Sample, quiet, read_text, whole
from skeletr.recording import Action, Recording
from skeletr.skeleton import C, V, box_iou, keypoint_boxes

VALIDATION = frozenset({0, 2, 8, 12, 17, 19, 24, 26, 27, 28, 30, 33, 46, 49, 51})
TEST = frozenset({4, 5, 9, 11, 14, 20, 21, 25, 29, 34, 35, 37, 43, 44, 45, 47})
# Videos of 1920x1080; all others are 1280x720.
_LARGE = frozenset({2, 37, 38, 39, 40, 41, 44, 45})
_SIDES = {"l": "left", "r": "right"}
_LEAST_IOU = 0.2  # boxes of joints are tighter than those that people draw
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True)
class _Clip:
    """One annotated frame: activity, (P, 4) boxes x1 y1 x2 y2 in pixels, and P actions."""

    number: int
    activity: str
    boxes: np.ndarray
    actions: tuple[str, ...]


def read_volleyball(folder: Path, *, fps: float = 30.0, note: Note = quiet) -> Iterator[Sample]:
    """All annotated clips that have joints; the group is the video.

    What the team does is an action of nobody in particular ("left spike"), what a player does
    one of that player ("spiking"); both from the first to the last frame of the clip.

    Args:
        fps: frames per second, which the files do not tell.

    Raises:
        DatasetError: no clips, or a file that is not as described above.
    """
    root = folder / "videos" if (folder / "videos").is_dir() else folder
    videos = sorted(
        (p.parent for p in root.glob("*/annotations.txt") if p.parent.name.isdecimal()),
        key=lambda path: int(path.name),
    )
    if not videos:
        raise DatasetError(f"{folder} holds no VIDEO/annotations.txt with a number as VIDEO")
    tracks_path = folder / "tracks_normalized.pkl"
    tracks = load_pickle(tracks_path) if tracks_path.is_file() else {}
    if not isinstance(tracks, dict):
        raise DatasetError(f"{tracks_path}: expected a dict of (video, clip) -> tracks")
    for video in videos:
        for clip in _annotations(video / "annotations.txt"):
            path = folder / "joints" / video.name / f"{clip.number}.pickle"
            if not path.is_file():
                note(f"{video.name}/{clip.number}: there are no joints, {path} is missing")
                continue
            frames = tracks.get((int(video.name), clip.number))
            boxes = frames.get(clip.number) if isinstance(frames, dict) else None
            sample = _sample(path, int(video.name), clip, boxes, fps)
            if len(sample.recording.frame):
                yield sample
            else:
                note(f"{sample.name}: nobody is seen")


def _sample(path: Path, video: int, clip: _Clip, boxes: np.ndarray | None, fps: float) -> Sample:
    size = (1920, 1080) if video in _LARGE else (1280, 720)
    frames, joints = _joints(path)
    recording = Recording.from_arrays(
        joints, (np.array(frames) - frames[0]) / fps, size, source=f"{video}/{clip.number}"
    )
    if clip.number not in frames:
        raise DatasetError(f"{path}: frames {frames[0]}..{frames[-1]}, without {clip.number}")
    if boxes is None:
        boxes = keypoint_boxes(joints[:, frames.index(clip.number)])
    else:
        boxes = _pixels(path, boxes, len(joints), size)
        boxes[~(joints[..., 2] > 0).any(axis=(1, 2))] = (
            0  # whoever is not there must not take a label
        )
    actions = [*whole(clip.activity, recording)]
    for player, person in _match(clip.boxes, boxes):
        actions.append(Action(clip.actions[player], person, recording.start, recording.end))
    split: Split = "test" if video in TEST else "val" if video in VALIDATION else "train"
    recording = replace(recording, actions=tuple(actions))
    return Sample(recording, f"{video}/{clip.number}", split, str(video))


def _joints(path: Path) -> tuple[list[int], np.ndarray]:
    """Frame numbers in order, and (P, T, 17, 3) pixels and scores; repeated players are zero."""
    content = load_pickle(path)
    if not isinstance(content, dict) or not content:
        raise DatasetError(f"{path}: expected a dict of frame -> joints")
    try:
        frames = sorted(int(frame) for frame in content)
        joints = np.stack([np.asarray(content[frame], np.float32) for frame in frames], axis=1)
    except (KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"{path}: frames do not all hold the same players: {error}") from error
    if joints.shape[2:] != (V, C):
        found = (len(joints), *joints.shape[2:])
        raise DatasetError(f"{path}: joints {found}, expected (P, {V}, {C}) per frame")
    if (joints[..., 2] == np.arange(V)).all():
        # The index of the joint: no scores are given.
        joints[..., 2] = (joints[..., :2] != 0).any(axis=-1)
    joints[..., 2] = joints[..., 2].clip(0, 1)
    joints[~np.isfinite(joints).all(axis=-1)] = 0
    for person in range(1, len(joints)):
        # Clips with fewer than 12 players are filled up by repeating some.
        if any(np.array_equal(joints[person], joints[other]) for other in range(person)):
            joints[person] = 0
    return frames, joints


def _pixels(path: Path, boxes: Any, people: int, size: tuple[int, int]) -> np.ndarray:
    """Boxes of `tracks_normalized.pkl` as x1 y1 x2 y2 in pixels."""
    boxes = np.asarray(boxes)
    if boxes.shape != (people, 4) or boxes.dtype.kind not in "fiu":
        raise DatasetError(
            f"{path} has {people} players, tracks_normalized.pkl {boxes.shape} for that frame, "
            f"expected ({people}, 4)"
        )
    return boxes[:, [1, 0, 3, 2]] * np.array([*size, *size])


def _match(drawn: np.ndarray, tracked: np.ndarray) -> list[tuple[int, int]]:
    """Pairs (player, person) of boxes that are the same, one to one, the most overlap in sum."""
    iou = box_iou(drawn, tracked)
    pairs = zip(*linear_sum_assignment(-iou), strict=True)
    return [(int(i), int(j)) for i, j in pairs if iou[i, j] >= _LEAST_IOU]


def _annotations(path: Path) -> Iterator[_Clip]:
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        place = f"{path}, line {number}"
        clip = fields[0].split(".")[0]
        if len(fields) < 2 or not clip.isdecimal() or len(fields[2:]) % 5:
            raise DatasetError(
                f"{place}: {len(fields)} fields, expected FRAME.jpg ACTIVITY and 5 per player"
            )
        players = [_player(place, fields[i : i + 5]) for i in range(2, len(fields), 5)]
        boxes = np.array([box for box, _ in players], np.float32).reshape(-1, 4)
        actions = tuple(action for _, action in players)
        yield _Clip(int(clip), _activity(place, fields[1]), boxes, actions)


def _player(place: str, fields: list[str]) -> tuple[tuple[float, ...], str]:
    words = [f for f in fields if not _NUMBER.fullmatch(f)]
    if len(words) != 1 or words[0] not in (fields[0], fields[-1]):
        raise DatasetError(f"{place}: {' '.join(fields)!r}, expected X Y W H ACTION")
    x, y, width, height = (float(f) for f in fields if f != words[0])
    return (x, y, x + width, y + height), words[0].lower()


def _activity(place: str, text: str) -> str:
    """ "l-spike" or "l_spike" -> "left spike"; the files have both."""
    side, _, what = text.replace("-", "_").partition("_")
    if side not in _SIDES or not what:
        raise DatasetError(f"{place}: activity {text!r}, expected one like l_spike or r-pass")
    return f"{_SIDES[side]} {what.replace('winpoint', 'win point')}"
