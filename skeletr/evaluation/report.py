"""Held-out accuracy per data set, with clean joints and with simulated pose noise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

from skeletr.datasets.clip import Clip, DatasetError
from skeletr.datasets.noise import NoiseConfig
from skeletr.datasets.vocabulary import labels_of
from skeletr.evaluation.metrics import mean_class_accuracy, restrict, top_k
from skeletr.evaluation.protocol import Window, clip_recording, clip_windows, window_scores
from skeletr.model import SkeleTR
from skeletr.sequences import SequenceConfig


@dataclass(frozen=True)
class Result:
    """Accuracies in [0, 1] on one part of one data set.

    noise: whether pose noise was simulated. labels: how many the data set has. top1, top5,
    mean_class: among the labels of the data set. open_top1, open_top5, open_mean_class: among
    all labels of the model.
    """

    dataset: str
    noise: bool
    clips: int
    labels: int
    top1: float
    top5: float
    mean_class: float
    open_top1: float
    open_top5: float
    open_mean_class: float

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Part:
    """The clips of one data set, ready for the model. targets: (N,) index of the label."""

    dataset: str
    noise: bool
    windows: list[list[Window]]
    targets: np.ndarray


def prepare(
    clips: Iterable[Clip],
    labels: tuple[str, ...],
    config: SequenceConfig,
    noise: NoiseConfig | None = None,
) -> list[Part]:
    """One part per data set among the clips, in the order in which they come.

    Raises:
        DatasetError: a clip's label is none of the model's.
    """
    clips = list(clips)
    absent = sorted({c.label for c in clips} - set(labels))
    if absent:
        raise DatasetError(f"the model does not know {absent}; it has {len(labels)} labels")
    parts = []
    for dataset in dict.fromkeys(c.dataset for c in clips):
        own = [c for c in clips if c.dataset == dataset]
        windows = [clip_windows(clip_recording(c, noise), config) for c in own]
        targets = np.array([labels.index(c.label) for c in own])
        parts.append(Part(dataset, noise is not None, windows, targets))
    return parts


def score(
    model: SkeleTR,
    part: Part,
    labels: tuple[str, ...],
    config: SequenceConfig,
    temperature: float = 1.0,
) -> Result:
    """Accuracies of a model in evaluation mode on one part."""
    scores = window_scores(model, part.windows, config, temperature)
    return result_of(part.dataset, part.noise, scores, part.targets, labels)


def result_of(
    dataset: str, noise: bool, scores: np.ndarray, targets: np.ndarray, labels: tuple[str, ...]
) -> Result:
    """Accuracies of scores (N, K) against targets (N,)."""
    own = np.isin(labels, labels_of(dataset))
    limited = restrict(scores, own)
    return Result(
        dataset,
        noise,
        len(targets),
        int(own.sum()),
        top_k(limited, targets),
        top_k(limited, targets, 5),
        mean_class_accuracy(limited, targets),
        top_k(scores, targets),
        top_k(scores, targets, 5),
        mean_class_accuracy(scores, targets),
    )


def table(results: Iterable[Result]) -> str:
    """Results as a table for people, in percent."""
    lines = [
        f"{'':13s} {'':6s} {'':>6s} {'own labels':>24s} {'all labels':>24s}",
        f"{'data set':13s} {'joints':6s} {'clips':>6s}"
        + 2 * f" {'top-1':>7s} {'top-5':>7s} {'class':>8s}",
    ]
    for r in results:
        values = (r.top1, r.top5, r.mean_class, r.open_top1, r.open_top5, r.open_mean_class)
        cells = [f"{100 * v:{w}.1f}" for v, w in zip(values, (7, 7, 8) * 2, strict=True)]
        joints = "noisy" if r.noise else "clean"
        lines.append(f"{r.dataset:13s} {joints:6s} {r.clips:6d} " + " ".join(cells))
    return "\n".join(lines)
