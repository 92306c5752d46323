"""Accuracies of a single label per clip."""

from __future__ import annotations

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


def _check(scores: np.ndarray, targets: np.ndarray) -> None:
    if scores.ndim != 2 or not len(scores) or targets.shape != scores.shape[:1]:
        raise ValueError(
            f"scores {scores.shape} and targets {targets.shape}: expected (N, K) and (N,), N > 0"
        )
