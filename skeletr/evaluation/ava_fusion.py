"""Late fusion of AVA predictions: boxes of several models, say RGB and skeletons, as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from skeletr.datasets.ava_files import AvaBoxes, FrameKey
from skeletr.evaluation.fusion import ScoreError
from skeletr.skeleton import box_iou

_SAME = 0.5  # IoU from which two boxes are of the same person

_People = dict[tuple[float, ...], dict[int, float]]  # box -> action -> score


def fuse_boxes(parts: Sequence[tuple[AvaBoxes, float]]) -> AvaBoxes:
    """The weighted mean of the scores of each person and action.

    People of two files are the same where their boxes are in the same frame, overlap by half, and
    overlap the most in sum. Who is in some of the files only keeps their mean; an action that a
    file does not name for somebody whom it has counts 0 there.

    Args:
        parts: predictions with their weights; a person's box is that of the first file with it.

    Raises:
        ScoreError: nothing to fuse, or a weight not above 0.
    """
    if not parts:
        raise ScoreError("no predictions to fuse; expected at least one file")
    for boxes, weight in parts:
        if not (np.isfinite(weight) and weight > 0):
            raise ScoreError(f"{boxes.source}: weight is {weight}, expected above 0")
    files = [(_by_frame(boxes), weight) for boxes, weight in parts]
    frames = dict.fromkeys(key for boxes, _ in parts for key in boxes.frames)
    rows = (
        (*key, box, action, score)
        for key in frames
        for box, scores in _fused([(f.get(key, {}), w) for f, w in files]).items()
        for action, score in scores.items()
    )
    return AvaBoxes.from_rows(rows, " + ".join(boxes.source for boxes, _ in parts))


def _by_frame(boxes: AvaBoxes) -> Mapping[FrameKey, _People]:
    found: dict[FrameKey, _People] = {}
    columns = (boxes.frame, boxes.boxes, boxes.actions, boxes.scores)
    for frame, box, action, score in zip(*(c.tolist() for c in columns), strict=True):
        people = found.setdefault(boxes.frames[frame], {})
        people.setdefault(tuple(box), {})[action] = score
    return found


def _fused(files: Sequence[tuple[_People, float]]) -> _People:
    """The people of one frame."""
    total: _People = {}
    weights: dict[tuple[float, ...], float] = {}
    for people, weight in files:
        partner = _partners(list(people), list(total))
        for box, scores in people.items():
            known = partner.get(box, box)
            weights[known] = weights.get(known, 0.0) + weight
            sums = total.setdefault(known, {})
            for action, score in scores.items():
                sums[action] = sums.get(action, 0.0) + weight * score
    return {
        box: {action: score / weights[box] for action, score in scores.items()}
        for box, scores in total.items()
    }


def _partners(
    boxes: list[tuple[float, ...]], known: list[tuple[float, ...]]
) -> dict[tuple[float, ...], tuple[float, ...]]:
    if not boxes or not known:
        return {}
    iou = box_iou(np.array(boxes), np.array(known))
    pairs = zip(*linear_sum_assignment(-iou), strict=True)
    return {boxes[i]: known[j] for i, j in pairs if iou[i, j] >= _SAME}
