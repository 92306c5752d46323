"""A task's samples put to a model, and how right its answers are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from skeletr.batch import collate
from skeletr.coordinates import model_input
from skeletr.datasets.sample import Sample
from skeletr.datasets.targets import IGNORE, instance_targets
from skeletr.datasets.task_targets import Kind, asked, several_targets, video_target
from skeletr.evaluation.metrics import mean_average_precision, mean_class_accuracy, top_k
from skeletr.evaluation.protocol import Window, consecutive
from skeletr.model import SkeleTR
from skeletr.recording import Recording
from skeletr.sequences import SequenceConfig, Sequences

_BATCH = 64  # sequences
_NOBODY = -1


@dataclass(frozen=True)
class Item:
    """One sample. name: of it. windows: model inputs. units: for each window the unit that each
    of its answers is about, (M',), or (1,) for a video task; -1 = none. targets: of its U units,
    (U,) int64 index of the label, or (U, K) float32 of 0 and 1."""

    name: str
    windows: list[Window]
    units: list[np.ndarray]
    targets: np.ndarray


@dataclass(frozen=True)
class Answers:
    """logits: (R, K) of single sequences or scenes. unit: (R,) int64, which unit each is about.
    targets: (U,) int64 or (U, K) float32, of the units. names: of the units, each once."""

    logits: Tensor
    unit: np.ndarray
    targets: np.ndarray
    names: tuple[str, ...]


def pose(sample: Sample, labels: tuple[str, ...], kind: Kind, config: SequenceConfig) -> Item:
    """What a sample asks, and what is right. Units without a known label are left out."""
    recording = asked(sample.recording, kind)
    found = consecutive(recording, config)
    windows = [model_input(w, float(w.times.max()), config) for w in found]
    if kind == "video":
        target = video_target(recording, labels)
        targets = np.array([target][: int(target != IGNORE)], np.int64)
        unit = 0 if len(targets) else _NOBODY
        return Item(sample.name, windows, [np.array([unit]) for _ in windows], targets)
    if kind == "instance":
        return Item(sample.name, windows, *_single(found, recording, labels, config))
    return Item(sample.name, windows, *_several(found, recording, labels))


def _single(
    found: list[Sequences], recording: Recording, labels: tuple[str, ...], config: SequenceConfig
) -> tuple[list[np.ndarray], np.ndarray]:
    """A unit per person and label; where the labels belong to nobody, per label."""
    numbers: dict[tuple[int, int], int] = {}
    everybody = all(action.person is None for action in recording.actions)
    units = []
    for window in found:
        targets = instance_targets(window, recording, labels, config)
        keys = [
            (0 if everybody else int(person), int(target))
            for person, target in zip(window.person, targets, strict=True)
        ]
        row = [_NOBODY if k[1] == IGNORE else numbers.setdefault(k, len(numbers)) for k in keys]
        units.append(np.array(row, np.int64))
    return units, np.array([target for _, target in numbers], np.int64)


def _several(
    found: list[Sequences], recording: Recording, labels: tuple[str, ...]
) -> tuple[list[np.ndarray], np.ndarray]:
    """A unit per person; its labels are those of all its labelled sequences."""
    numbers: dict[int, int] = {}
    sums: list[np.ndarray] = []
    units = []
    for window in found:
        targets, known = several_targets(window, recording, labels)
        row = np.full(len(window), _NOBODY, np.int64)
        for i in np.flatnonzero(known):
            unit = numbers.setdefault(int(window.person[i]), len(numbers))
            row[i] = unit
            if unit == len(sums):
                sums.append(targets[i])
            else:
                sums[unit] = np.maximum(sums[unit], targets[i])
        units.append(row)
    return units, np.array(sums, np.float32).reshape(len(sums), len(labels))


@torch.inference_mode()
def answer(model: SkeleTR, items: Iterable[Item], kind: Kind) -> Answers:
    """Put items to a model in evaluation mode, wherever it is; the answers are on the CPU."""
    device = next(model.parameters()).device
    classes = model.config.scene_classes if kind == "video" else model.config.instance_classes
    logits, units, targets = [torch.zeros(0, classes)], [np.zeros(0, np.int64)], []
    names: list[str] = []
    for part in _batches(items):
        windows = [w for item in part for w in item.windows]
        frames = windows[0][0].shape[1] if windows else 1
        output = model(collate(windows, frames).to(device)) if windows else None
        row = 0
        for item in part:
            for (x, _), unit in zip(item.windows, item.units, strict=True):
                video = kind == "video"
                found = output.scene[row : row + 1] if video else output.instance[row, : len(x)]
                logits.append(found.float().cpu()[torch.from_numpy(unit != _NOBODY)])
                units.append(unit[unit != _NOBODY] + len(names))
                row += 1
            targets.append(item.targets)
            names += _unit_names(item)
    judged = np.concatenate(targets) if names else np.zeros(0, np.int64)
    return Answers(torch.cat(logits), np.concatenate(units), judged, tuple(names))


def _unit_names(item: Item) -> list[str]:
    count = len(item.targets)
    return [item.name] if count == 1 else [f"{item.name}#{i}" for i in range(count)]


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Items with about `_BATCH` sequences together; streams, so that data sets may be large."""
    part: list[Item] = []
    size = 0
    for item in items:
        part.append(item)
        size += sum(len(x) for x, _ in item.windows)
        if size >= _BATCH:
            yield part
            part, size = [], 0
    if part:
        yield part


def unit_scores(answers: Answers, kind: Kind, temperature: float = 1.0) -> np.ndarray:
    """(U, K) probabilities: the mean over a unit's answers; equal ones where it has none."""
    scaled = answers.logits / temperature
    scores = (scaled.sigmoid() if kind == "multilabel" else scaled.softmax(dim=1)).numpy()
    total = np.zeros((len(answers.targets), scores.shape[1]))
    np.add.at(total, answers.unit, scores)
    count = np.bincount(answers.unit, minlength=len(total))
    return np.where(count[:, None] > 0, total / np.maximum(count, 1)[:, None], 1 / scores.shape[1])


def results(scores: np.ndarray, targets: np.ndarray) -> dict[str, float | int]:
    """units, and top1, top5, mean_class, or for several labels mean_ap; all in [0, 1].

    Args:
        scores: (U, K), see `unit_scores`. targets: of `Answers`.

    Raises:
        ValueError: there is no unit to judge.
    """
    if not len(targets):
        raise ValueError("no sample has a label that the model knows: nothing to judge")
    if targets.ndim == 2:
        return {
            "units": len(targets),
            "mean_ap": mean_average_precision(scores, targets > 0).mean,
        }
    return {
        "units": len(targets),
        "top1": top_k(scores, targets),
        "top5": top_k(scores, targets, 5),
        "mean_class": mean_class_accuracy(scores, targets),
    }
