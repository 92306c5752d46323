"""The tasks of a run: labels, training scenes and validation data; bad data are refused here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skeletr.datasets import Clip, DatasetError, load_clips
from skeletr.datasets.archives import data_root
from skeletr.datasets.sample import Sample
from skeletr.datasets.store import RecordingStore
from skeletr.datasets.task_targets import asked
from skeletr.datasets.vocabulary import vocabulary
from skeletr.evaluation.task import clip_sample, task_clips
from skeletr.sequences import SequenceConfig
from skeletr.training.config import TrainConfig
from skeletr.training.sources import ComposedSource, Source, clip_source, store_source
from skeletr.training.task_config import TaskConfig


@dataclass(frozen=True)
class Task:
    """config: what was asked for. labels: of its heads. source: of training scenes.
    sequences: how they are cut. clips: of composed scenes, that validate. samples: of the other
    tasks, that validate. about: what there is, for the log."""

    config: TaskConfig
    labels: tuple[str, ...]
    source: Source
    sequences: SequenceConfig
    clips: tuple[Clip, ...] = ()
    samples: tuple[Sample, ...] = ()
    about: str = ""


def load_tasks(config: TrainConfig) -> list[Task]:
    """Everything that a run needs of its data.

    Raises:
        DatasetError: data are missing or broken; or a task has fewer than two labels or training
            samples, or nothing to validate on.
    """
    return [_load(task, number, config) for number, task in enumerate(config.tasks)]


def _load(task: TaskConfig, number: int, config: TrainConfig) -> Task:
    make = {"composed": _composed, "clips": _clips, "store": _store}[task.source]
    return make(task, number, config)


def composed_task(task: TaskConfig, clips: Sequence[Clip], config: TrainConfig) -> Task:
    """Scenes composed from clips that are loaded already."""
    labels = vocabulary(task.datasets)
    train, val = ([c for c in clips if c.split == s] for s in ("train", "val"))
    sequences = config.task_sequences(task)
    source = ComposedSource(train, labels, config.scenes, sequences)
    if not val:
        raise DatasetError(f"{task.name}: no validation clips in {list(task.datasets)}")
    about = f"clips {{'train': {len(train)}, 'val': {len(val)}}}, {len(labels)} labels"
    return Task(task, labels, source, sequences, clips=tuple(val), about=about)


def _composed(task: TaskConfig, number: int, config: TrainConfig) -> Task:
    return composed_task(task, load_clips(data_root(config.data), task.datasets), config)


def _clips(task: TaskConfig, number: int, config: TrainConfig) -> Task:
    clips = task_clips(task.info(), data_root(config.data))
    train, val = ([c for c in clips if c.split == s] for s in ("train", "val"))
    labels = _labels(task, Counter(c.original for c in train), len(train), len(val))
    sequences = config.task_sequences(task)
    source = clip_source(
        train, labels, task.kind, sequences, config.augment, [config.seed, 3, number]
    )
    known = [c for c in val if c.original in labels]
    samples = tuple(clip_sample(c) for c in _some(known, config.validation_samples))
    return _with_samples(Task(task, labels, source, sequences), len(train), samples)


def _store(task: TaskConfig, number: int, config: TrainConfig) -> Task:
    store = RecordingStore.open(task.data)
    train, val = store.splits["train"], store.splits["val"]
    found = Counter(
        action.label
        for index in train
        for action in asked(store[int(index)].recording, task.kind).actions
    )
    labels = _labels(task, found, len(train), len(val))
    sequences = config.task_sequences(task)
    source = store_source(
        store, train, labels, task.kind, sequences, config.augment, [config.seed, 3, number]
    )
    samples = tuple(store[int(i)] for i in _some(val, config.validation_samples))
    return _with_samples(Task(task, labels, source, sequences), len(train), samples)


def _labels(task: TaskConfig, found: Counter[str], train: int, val: int) -> tuple[str, ...]:
    """The labels of the training part, sorted; raises `DatasetError` where it cannot be used."""
    where = f"{task.name} ({task.data})"
    if train < 2:
        raise DatasetError(f"{where}: {train} training samples, expected at least 2")
    if len(found) < 2:
        raise DatasetError(
            f"{where}: the {train} training samples have the labels {sorted(found)} for a task of "
            f"kind {task.kind!r}, expected at least two to tell apart"
        )
    if not val:
        raise DatasetError(
            f"{where}: no validation samples; prepare more of a label (three are enough), name "
            "some in a split file, or hold out a larger share: `prepare ... --val-share 0.2`"
        )
    return tuple(sorted(found))


def _with_samples(task: Task, train: int, samples: tuple[Sample, ...]) -> Task:
    if not any(asked(s.recording, task.config.kind).actions for s in samples):
        raise DatasetError(f"{task.config.name}: no validation sample has a label to judge by")
    about = f"{train} training and {len(samples)} validation samples, {len(task.labels)} labels"
    return Task(task.config, task.labels, task.source, task.sequences, samples=samples, about=about)


def _some(items: Sequence, most: int) -> list:
    """At most so many, at equal distances, always the same."""
    if len(items) <= most:
        return list(items)
    return [items[int(i)] for i in np.linspace(0, len(items) - 1, most)]
