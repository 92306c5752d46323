"""Frame mAP at IoU 0.5 as the official evaluator of AVA computes it.

Source: ActivityNet's Evaluation/get_ava_performance.py. Detections on frames that the ground
truth does not list are ignored; a class with ground truth but without detections has AP 0.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from skeletr.datasets.ava_files import (
    AvaBoxes,
    AvaError,
    FrameKey,
    read_excluded,
    read_ground_truth,
    read_labels,
    read_predictions,
)
from skeletr.evaluation.metrics import envelope_area
from skeletr.evaluation.sliding import PersonSecond
from skeletr.files import atomic_path
from skeletr.skeleton import box_iou

__all__ = [
    "EVALUATED_CLASSES",
    "GROUPS",
    "AvaBoxes",
    "AvaError",
    "AvaResult",
    "FrameKey",
    "evaluate",
    "match",
    "read_excluded",
    "read_ground_truth",
    "read_labels",
    "read_predictions",
    "write_predictions",
]

MIN_IOU = 0.5
# The official evaluator keeps this many detections of a frame, over all its classes.
PER_FRAME = 50

_TOO_RARE = {2, 16, 18, 19, 21, 23, 25, 31, 32, 33, 35, 39, 40, 42, 44, 50, 53, 55, 71, 75}
EVALUATED_CLASSES: tuple[int, ...] = tuple(i for i in range(1, 81) if i not in _TOO_RARE)

GROUPS: dict[str, range] = {
    "person movement": range(1, 15),
    "object manipulation": range(15, 64),
    "person interaction": range(64, 81),
}


@dataclass(frozen=True)
class AvaResult:
    """Average precisions in [0, 1] and what they rest on.

    average_precisions: action id -> AP, of the evaluated classes that have ground truth.
    positives: action id -> boxes in the ground truth, of every evaluated class.
    frames: how many were evaluated. ignored: detections of these classes on frames that the
    ground truth does not list. cut: detections beyond the limit per frame.
    """

    average_precisions: dict[int, float]
    positives: dict[int, int]
    frames: int
    ignored: int
    cut: int

    @property
    def mean_average_precision(self) -> float:
        """Over the classes that have ground truth."""
        return float(np.mean(list(self.average_precisions.values())))

    @property
    def without_ground_truth(self) -> tuple[int, ...]:
        """Evaluated classes that are left out, ascending."""
        return tuple(sorted(set(self.positives) - set(self.average_precisions)))

    def groups(self) -> dict[str, float | None]:
        """The mean over each group of classes; None where no class of it has ground truth."""
        means: dict[str, float | None] = {}
        for name, ids in GROUPS.items():
            values = [ap for id, ap in self.average_precisions.items() if id in ids]
            means[name] = float(np.mean(values)) if values else None
        return means


def evaluate(
    ground_truth: AvaBoxes,
    predictions: AvaBoxes,
    excluded: Collection[FrameKey] = frozenset(),
    classes: Collection[int] = EVALUATED_CLASSES,
    per_frame: int | None = PER_FRAME,
) -> AvaResult:
    """Average precision of every class, detections pooled over all frames.

    Equal scores are taken in the order of the predictions.

    Args:
        excluded: frames to leave out of both. classes: action ids to evaluate.
        per_frame: detections to keep of each frame, the best ones; None for all.

    Raises:
        AvaError: there is no ground truth of any of the classes.
        ValueError: per_frame is below 1.
    """
    if per_frame is not None and per_frame < 1:
        raise ValueError(f"per_frame is {per_frame}, expected at least 1, or None for all")
    excluded, classes = frozenset(excluded), sorted({int(c) for c in classes})
    frames = tuple(key for key in ground_truth.frames if key not in excluded)
    truth = _select(ground_truth, frames, classes)
    found = _select(predictions, frames, classes)
    kept = _best_first(found, per_frame)
    # Boxes without an area are no detections; the official evaluator drops them after the limit.
    detections = _take(kept, (kept.boxes[:, 2:] > kept.boxes[:, :2]).all(axis=1))
    positives = {c: int((truth.actions == c).sum()) for c in classes}
    if not any(positives.values()):
        raise AvaError(
            f"{ground_truth.source or 'the ground truth'} holds no box of the "
            f"{len(positives)} evaluated classes; expected at least one"
        )
    return AvaResult(
        {c: _class_ap(truth, detections, c) for c, count in positives.items() if count},
        positives,
        frames=len(frames),
        ignored=_unlisted(predictions, excluded.union(ground_truth.frames), classes),
        cut=len(found) - len(kept),
    )


def match(
    boxes: np.ndarray, frame: np.ndarray, truth_boxes: np.ndarray, truth_frame: np.ndarray
) -> np.ndarray:
    """Which detections of one class are right.

    Each takes the box of the highest IoU in its frame, the first where several are equal. It is
    right if that IoU is at least 0.5 and no better detection took the box; there is no second
    best.

    Args:
        boxes: (n, 4) and frame: (n,), detections by descending score.
        truth_boxes: (m, 4) and truth_frame: (m,).

    Returns:
        (n,) bool.
    """
    right = np.zeros(len(boxes), dtype=bool)
    truth = _rows_by_frame(truth_frame)
    for number, rows in _rows_by_frame(frame).items():
        if number not in truth:
            continue
        iou = box_iou(boxes[rows], truth_boxes[truth[number]])
        close = iou.max(axis=1) >= MIN_IOU
        _, first = np.unique(iou.argmax(axis=1)[close], return_index=True)
        right[rows[close][first]] = True
    return right


def _class_ap(truth: AvaBoxes, detections: AvaBoxes, action: int) -> float:
    mine = _take(truth, truth.actions == action)
    found = _take(detections, detections.actions == action)
    right = match(found.boxes, found.frame, mine.boxes, mine.frame)
    return envelope_area(np.cumsum(right), np.arange(1, len(right) + 1), len(mine))


def _select(boxes: AvaBoxes, frames: tuple[FrameKey, ...], classes: list[int]) -> AvaBoxes:
    """The boxes of these classes on these frames; `frame` becomes an index into `frames`."""
    numbers = {key: n for n, key in enumerate(frames)}
    renumbered = np.array([numbers.get(key, -1) for key in boxes.frames], np.int64)
    moved = replace(boxes, frames=frames, frame=renumbered[boxes.frame])
    return _take(moved, (moved.frame >= 0) & np.isin(moved.actions, classes))


def _unlisted(boxes: AvaBoxes, listed: frozenset[FrameKey], classes: list[int]) -> int:
    """How many boxes of these classes lie on other frames than those listed."""
    outside = np.array([key not in listed for key in boxes.frames], bool)
    return int((outside[boxes.frame] & np.isin(boxes.actions, classes)).sum())


def _best_first(boxes: AvaBoxes, per_frame: int | None) -> AvaBoxes:
    """By descending score, the best `per_frame` of each frame."""
    ordered = _take(boxes, np.argsort(-boxes.scores, kind="stable"))
    if per_frame is None:
        return ordered
    keep = np.zeros(len(ordered), dtype=bool)
    for rows in _rows_by_frame(ordered.frame).values():
        keep[rows[:per_frame]] = True
    return _take(ordered, keep)


def _rows_by_frame(frame: np.ndarray) -> dict[int, np.ndarray]:
    """Frame -> its rows, ascending."""
    order = np.argsort(frame, kind="stable")
    numbers, starts = np.unique(frame[order], return_index=True)
    return dict(zip(numbers.tolist(), np.split(order, starts[1:]), strict=False))


def _take(boxes: AvaBoxes, rows: np.ndarray) -> AvaBoxes:
    """A selection by boolean mask or by indices; `frames` stays."""
    return replace(
        boxes,
        frame=boxes.frame[rows],
        boxes=boxes.boxes[rows],
        actions=boxes.actions[rows],
        scores=boxes.scores[rows],
    )


def write_predictions(
    path: str | os.PathLike[str],
    videos: Iterable[tuple[str, Iterable[PersonSecond]]],
    actions: Sequence[int],
    min_score: float = 0.0,
) -> None:
    """Write AVA's csv of predictions: one row per person, second and action.

    Args:
        videos: video ids, and what was found in each, see `detections.detect`.
        actions: K action ids, one for each column of the scores.
        min_score: rows below it are left out.

    Raises:
        ValueError: the scores are not K.
    """
    with atomic_path(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for video, found in videos:
            for one in found:
                if one.scores.shape != (len(actions),):
                    raise ValueError(
                        f"{video}, person {one.person}: scores {one.scores.shape}, expected "
                        f"({len(actions)},), one per action id"
                    )
                start = (video, one.second, *(f"{v:.6f}" for v in one.box))
                for action, score in zip(actions, one.scores, strict=True):
                    if score >= min_score:
                        writer.writerow((*start, action, f"{score:.8g}"))
