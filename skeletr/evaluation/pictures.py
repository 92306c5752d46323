"""What an evaluation says of single labels, as two pictures: what is taken for what, and bars."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from skeletr.evaluation.figures import class_bars, confusion_picture, write_png
from skeletr.evaluation.metrics import confusion, mean_average_precision

# Told of everything that was judged: its name, scores, targets and labels, as `draw` takes them.
Judged = Callable[[str, np.ndarray, np.ndarray, Sequence[str]], object]


def draw(
    folder: Path, name: str, scores: np.ndarray, targets: np.ndarray, labels: Sequence[str]
) -> list[Path]:
    """Write FOLDER/NAME-confusion.png and FOLDER/NAME-labels.png.

    Labels that are neither the truth nor the answer of any unit are left out.

    Args:
        name: of the data set or task; what is no letter or number becomes "-" in the file's name.
        scores: (N, K). targets: (N,) index of the true label, or (N, K) of 0 and 1, of which there
            is no confusion matrix and the bars show average precision.
        labels: K.

    Returns:
        What was written.

    Raises:
        OSError: the folder cannot be written.
    """
    start = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or "evaluation"
    if targets.ndim == 2:
        found = mean_average_precision(scores, targets > 0)
        bars = class_bars(found.per_label, labels, (targets > 0).sum(axis=0), f"{name}: precision")
        return [_write(folder / f"{start}-labels.png", bars)]
    matrix = confusion(scores, targets, len(labels))
    shown = np.flatnonzero(matrix.sum(axis=0) + matrix.sum(axis=1))
    matrix, names = matrix[np.ix_(shown, shown)], [labels[i] for i in shown]
    counts = matrix.sum(axis=1)
    right = np.where(counts > 0, np.diag(matrix) / np.maximum(counts, 1), np.nan)
    return [
        _write(folder / f"{start}-confusion.png", confusion_picture(matrix, names, name)),
        _write(folder / f"{start}-labels.png", class_bars(right, names, counts, name)),
    ]


def _write(path: Path, picture: np.ndarray) -> Path:
    write_png(path, picture)
    return path
