"""The files of the AVA data set (v2.2): boxes with actions, excluded frames, labels."""

from __future__ import annotations

import csv
import math
import os
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FrameKey = tuple[str, float]  # video id, timestamp in seconds

_BOX = ("x1", "y1", "x2", "y2")
_TRUTH_COLUMNS = "video_id,timestamp,x1,y1,x2,y2,action_id[,person_id]"
_PREDICTED_COLUMNS = "video_id,timestamp,x1,y1,x2,y2,action_id,score"
# A detector's boxes may overhang the picture a little; pixels instead of shares are caught.
_LOWEST, _HIGHEST = -1.0, 2.0


class AvaError(ValueError):
    """A file that is not as AVA has it: names the file, the line, what was found and expected."""


@dataclass(frozen=True)
class AvaBoxes:
    """Boxes with one action each, N in F frames; ground truth or predictions.

    frames: F frames, each once; frames without boxes are kept.
    frame: (N,) int64 index into frames. boxes: (N, 4) float64, x1 y1 x2 y2 as shares of the
    picture. actions: (N,) int64 action ids. scores: (N,) float64, all 1 in ground truth.
    source: where they came from, for people to read.
    """

    frames: tuple[FrameKey, ...]
    frame: np.ndarray
    boxes: np.ndarray
    actions: np.ndarray
    scores: np.ndarray
    source: str = ""

    def __len__(self) -> int:
        return len(self.frame)

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[tuple[str, float, Sequence[float], int, float]],
        source: str = "",
    ) -> AvaBoxes:
        """From rows of (video id, timestamp, box, action id, score); an empty box is a frame in
        which nothing is."""
        index: dict[FrameKey, int] = {}
        # Arrays, not lists: the predictions of the whole validation set are millions of rows.
        frame, boxes, actions, scores = array("q"), array("d"), array("q"), array("d")
        for video, timestamp, box, action, score in rows:
            key = index.setdefault(frame_key(video, timestamp), len(index))
            if len(box):
                frame.append(key)
                boxes.extend(box)
                actions.append(action)
                scores.append(score)
        return cls(
            tuple(index),
            np.array(frame, np.int64),
            np.array(boxes, np.float64).reshape(-1, 4),
            np.array(actions, np.int64),
            np.array(scores, np.float64),
            source,
        )


def frame_key(video: str, timestamp: float) -> FrameKey:
    """What tells frames apart; timestamps to the microsecond, as the official evaluator has it."""
    return video, round(float(timestamp), 6)


def read_ground_truth(path: str | os.PathLike[str]) -> AvaBoxes:
    """Boxes of video_id,timestamp,x1,y1,x2,y2,action_id[,person_id].

    A row of the first two columns alone is a frame in which there is nothing.

    Raises:
        AvaError: there is no such file, or a line is not like that.
    """
    return AvaBoxes.from_rows(_boxes(Path(path), scored=False), str(path))


def read_predictions(path: str | os.PathLike[str]) -> AvaBoxes:
    """Boxes of video_id,timestamp,x1,y1,x2,y2,action_id,score; raises `AvaError` as above."""
    return AvaBoxes.from_rows(_boxes(Path(path), scored=True), str(path))


def read_excluded(path: str | os.PathLike[str]) -> frozenset[FrameKey]:
    """Frames to leave out, from video_id,timestamp; raises `AvaError` as above."""
    return frozenset(
        frame_key(row[0], _number(row[1], "timestamp", place))
        for place, row in _rows(Path(path), (2,), "video_id,timestamp")
    )


def read_labels(path: str | os.PathLike[str]) -> dict[int, str]:
    """Names by action id, from a .pbtxt (items of `name` and `id` or `label_id`) or a csv.

    The csv is id,name[,type], with or without a heading.

    Raises:
        AvaError: there is no such file, it is neither, or an id is there twice.
    """
    path = Path(path)
    text = _text(path)
    pairs = list(_pbtxt_labels(path, text) if "{" in text else _csv_labels(path))
    labels: dict[int, str] = {}
    for place, id, name in pairs:
        if id in labels:
            raise AvaError(f"{place}: id {id} is there twice, {labels[id]!r} and {name!r}")
        labels[id] = name
    if not labels:
        raise AvaError(f"{path} holds no labels; expected id,name rows or items with name and id")
    return labels


def _boxes(path: Path, scored: bool) -> Iterator[tuple[str, float, Sequence[float], int, float]]:
    """Rows as `AvaBoxes.from_rows` takes them; only predictions are `scored`."""
    rows = (
        _rows(path, (2, 8), _PREDICTED_COLUMNS)
        if scored
        else _rows(path, (2, 7, 8), _TRUTH_COLUMNS)
    )
    for place, row in rows:
        timestamp = _number(row[1], "timestamp", place)
        if len(row) == 2:
            yield row[0], timestamp, (), 0, 0.0
            continue
        box = [_share(t, name, place) for t, name in zip(row[2:6], _BOX, strict=True)]
        if not scored and (box[0] > box[2] or box[1] > box[3]):
            raise AvaError(f"{place}: box {box}; expected x1 <= x2 and y1 <= y2")
        score = _number(row[7], "score", place) if scored else 1.0
        yield row[0], timestamp, box, _id(row[6], place), score


def _rows(path: Path, widths: tuple[int, ...], expected: str) -> Iterator[tuple[str, list[str]]]:
    """Rows that are not blank, each with "FILE, line N"; raises where their width is none of
    `widths`."""
    line = 0
    try:
        # Read row by row: predictions of the whole validation set are hundreds of megabytes.
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line, row in enumerate(csv.reader(file), 1):
                if not any(row):
                    continue
                if len(row) not in widths:
                    raise AvaError(f"{path}, line {line}: {len(row)} columns; expected {expected}")
                yield f"{path}, line {line}", row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AvaError(f"{path} cannot be read after line {line}: {error}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AvaError(f"{path} cannot be read: {error}") from error


def _number(text: str, what: str, place: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise AvaError(f"{place}: {what} is {text!r}; expected a number")
    return value


def _share(text: str, what: str, place: str) -> float:
    value = _number(text, what, place)
    if not _LOWEST <= value <= _HIGHEST:
        raise AvaError(f"{place}: {what} is {text}; expected a share of the picture, 0 to 1")
    return value


def _id(text: str, place: str) -> int:
    if not text.strip().isdecimal():
        raise AvaError(f"{place}: action id is {text!r}; expected a whole number")
    return int(text)


def _csv_labels(path: Path) -> Iterator[tuple[str, int, str]]:
    rows = _rows(path, (2, 3), "id,name[,type], names with commas in quotes")
    for number, (place, row) in enumerate(rows):
        if number or row[0].strip().isdecimal():
            yield place, _id(row[0], place), row[1].strip()


def _pbtxt_labels(path: Path, text: str) -> Iterator[tuple[str, int, str]]:
    for item in re.finditer(r"\{([^{}]*)\}", text):
        place = f"{path}, line {text.count(chr(10), 0, item.start()) + 1}"
        name = re.search(r'\bname:\s*"([^"]*)"', item[1])
        id = re.search(r"\b(?:label_)?id:\s*(\d+)", item[1])
        if not name or not id:
            raise AvaError(f'{place}: {item[0]!r}; expected name: "..." and id: NUMBER')
        yield place, int(id[1]), name[1]
