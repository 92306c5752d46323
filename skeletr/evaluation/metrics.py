"""Accuracies of one label per clip, and average precisions of several labels per clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def top_k(scores: np.ndarray, targets: np.ndarray, k: int = 1) -> float:
    """Share of clips whose true label is among the `k` best.

    Args:
        scores: (N, K). targets: (N,) index of the true label.

    Raises:
        ValueError: no clips, or shapes that do not fit.
    """
    _check(scores, targets)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float((best == targets[:, None]).any(axis=1).mean())


def mean_class_accuracy(scores: np.ndarray, targets: np.ndarray) -> float:
    """Top-1 per label, averaged over the labels that occur: rare labels count as much."""
    _check(scores, targets)
    right = scores.argmax(axis=1) == targets
    return float(np.mean([right[targets == label].mean() for label in np.unique(targets)]))


def restrict(scores: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Scores (N, K) with -1 for the labels that are not `allowed`, (K,) bool."""
    return np.where(allowed[None], scores, -1.0)


def confusion(scores: np.ndarray, targets: np.ndarray, classes: int) -> np.ndarray:
    """How often each label was taken for which.

    Args:
        scores: (N, classes). targets: (N,) index of the true label.

    Returns:
        (classes, classes) int64 counts; row = true label, column = the label of the best score,
        the first one where several are equal.

    Raises:
        ValueError: no clips, or shapes or targets that do not fit.
    """
    _check(scores, targets)
    if scores.shape[1] != classes:
        raise ValueError(f"scores {scores.shape}: expected (N, {classes}), one column per class")
    if targets.min() < 0 or targets.max() >= classes:
        raise ValueError(
            f"targets from {targets.min()} to {targets.max()}: expected 0..{classes - 1}"
        )
    flat = targets.astype(np.int64) * classes + scores.argmax(axis=1)
    return np.bincount(flat, minlength=classes**2).reshape(classes, classes)


@dataclass(frozen=True)
class MeanAveragePrecision:
    """Average precisions in [0, 1].

    mean: over the labels that have positives. per_label: (K,), NaN where a label has none.
    left_out: indices of the labels without positives, ascending.
    """

    mean: float
    per_label: np.ndarray
    left_out: tuple[int, ...]


def average_precision(scores: np.ndarray, targets: np.ndarray) -> float:
    """Area under the monotone precision envelope over recall, of one label.

    Equal scores are one threshold, so the order of the rows makes no difference.

    Args:
        scores: (N,). targets: (N,) bool, whether the label is true.

    Raises:
        ValueError: shapes that do not fit, a score that is not finite, or no positive.
    """
    _check_binary(scores, targets, 1)
    if not targets.any():
        raise ValueError(f"none of {len(targets)} targets is positive: expected at least one")
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # of each equal score
    return envelope_area(np.cumsum(targets[order])[last], last + 1, int(targets.sum()))


def mean_average_precision(scores: np.ndarray, targets: np.ndarray) -> MeanAveragePrecision:
    """`average_precision` of every label and their mean; labels without positives are left out.

    Args:
        scores: (N, K). targets: (N, K) bool.

    Raises:
        ValueError: shapes that do not fit, a score that is not finite, or no positive at all.
    """
    _check_binary(scores, targets, 2)
    there = targets.any(axis=0)
    if not there.any():
        raise ValueError(f"targets {targets.shape} hold no positive: expected at least one")
    per_label = np.full(targets.shape[1], np.nan)
    for label in np.flatnonzero(there):
        per_label[label] = average_precision(scores[:, label], targets[:, label])
    left_out = tuple(int(label) for label in np.flatnonzero(~there))
    return MeanAveragePrecision(float(per_label[there].mean()), per_label, left_out)


def envelope_area(hits: np.ndarray, seen: np.ndarray, positives: int) -> float:
    """Area under the precision-recall curve, with precision made monotone (Pascal VOC, 2010 on).

    Args:
        hits: (n,) true positives among the best `seen`, both ascending; n may be 0.
        positives: all there are to be found, more than 0.
    """
    precision = np.maximum.accumulate((hits / seen)[::-1])[::-1]
    return float((np.diff(hits, prepend=0) * precision).sum() / positives)


def _check(scores: np.ndarray, targets: np.ndarray) -> None:
    if scores.ndim != 2 or not len(scores) or targets.shape != scores.shape[:1]:
        raise ValueError(
            f"scores {scores.shape} and targets {targets.shape}: expected (N, K) and (N,), N > 0"
        )


def _check_binary(scores: np.ndarray, targets: np.ndarray, dimensions: int) -> None:
    if scores.ndim != dimensions or targets.shape != scores.shape or targets.dtype != bool:
        shape = "(N,)" if dimensions == 1 else "(N, K)"
        raise ValueError(
            f"scores {scores.shape} and targets {targets.shape} of {targets.dtype}: "
            f"expected {shape} both, and bool targets"
        )
    if not np.isfinite(scores).all():
        raise ValueError("a score is not finite: it cannot be ranked")
