"""What a checkpoint was trained for, and how right it is about the held-out part of that.

A checkpoint of one data set, in its own action names, says in `config.json` what it is to be
tested on. A unit of judgement is what has one right answer: a video, or a person with a label.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from skeletr.checkpoint import Checkpoint
from skeletr.datasets.archives import data_root
from skeletr.datasets.clip import Clip, DatasetError
from skeletr.datasets.load import load_clips
from skeletr.datasets.sample import SPLITS, Sample, whole
from skeletr.datasets.store import RecordingStore
from skeletr.datasets.task_targets import KINDS, Kind
from skeletr.evaluation.answers import answer, pose, results, unit_scores
from skeletr.evaluation.fusion import ScoreFile
from skeletr.evaluation.pictures import Judged
from skeletr.evaluation.protocol import clip_recording


@dataclass(frozen=True)
class TaskInfo:
    """name: of the task. source: "composed" scenes, the "clips" of a data set under its own
    action names, or a "store" that `prepare` wrote. kind: see `task_targets`. data: name of the
    data set or folder of the store. fold: official division, 0 = the usual one. merge: action
    name -> name under which it counts, null = left out. Of composed scenes only `name` and
    `source` say anything.
    """

    name: str
    source: Literal["composed", "clips", "store"]
    kind: Kind = "instance"
    data: str = ""
    fold: int = 0
    merge: Mapping[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.source not in ("composed", "clips", "store") or self.kind not in KINDS:
            raise DatasetError(f"no task of source {self.source!r} and kind {self.kind!r}")

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> TaskInfo | None:
        """What a checkpoint says about itself; None where it says nothing.

        Raises:
            DatasetError: it says something that cannot be.
        """
        if checkpoint.task is None:
            return None
        known = {f.name for f in fields(cls)}
        try:
            return cls(**{k: v for k, v in checkpoint.task.items() if k in known})
        except TypeError as error:
            raise DatasetError(f"the checkpoint's task does not fit: {error}") from error

    def as_dict(self) -> dict[str, Any]:
        """For `Checkpoint.task`."""
        return {**asdict(self), "merge": dict(self.merge)}


def task_clips(info: TaskInfo, root: Path) -> list[Clip]:
    """The clips of a task of source "clips"; `original` is the name under which each counts.

    Raises:
        DatasetError: data are missing or broken, or `merge` names no action of the data set.
    """
    splits = {info.data: info.fold} if info.fold else {}
    clips = load_clips(root, [info.data], unlabelled=True, splits=splits)
    strangers = set(info.merge) - {clip.original for clip in clips}
    if strangers:
        names = sorted({clip.original for clip in clips})
        raise DatasetError(f"merge: {info.data} has no {sorted(strangers)}; expected of {names}")
    named = [(clip, info.merge.get(clip.original, clip.original)) for clip in clips]
    return [replace(clip, original=name) for clip, name in named if name]


def clip_sample(clip: Clip) -> Sample:
    """A clip as its own camera saw it, called by its own name."""
    recording = clip_recording(clip)
    actions = whole(clip.original, recording)
    return Sample(replace(recording, actions=actions), clip.name, clip.split, clip.group)


def task_samples(info: TaskInfo, root: str | Path | None, split: str) -> Iterator[Sample]:
    """The samples of one split ("train", "val", "test") as they are tested.

    Args:
        root: the folder with the data sets, or the store if it is not where it was; None = from
            the environment, and where it was.

    Raises:
        DatasetError: data are missing or broken, or the split is empty.
    """
    if split not in SPLITS:
        raise DatasetError(f"no split {split!r}, expected one of {SPLITS}")
    if info.source == "store":
        store = RecordingStore.open(root or info.data)
        index = store.splits[split]
        where, samples = str(store.folder), (store[i] for i in index)
        count = len(index)
    elif info.source == "clips":
        clips = [c for c in task_clips(info, data_root(root)) if c.split == split]
        where, samples, count = info.data, map(clip_sample, clips), len(clips)
    else:
        raise DatasetError("composed scenes have no samples; test on the data sets instead")
    if not count:
        raise DatasetError(f"{where} has no {split} samples")
    return iter(samples)


def evaluate_task(
    checkpoint: Checkpoint,
    root: str | Path | None = None,
    split: str = "test",
    scores: str | Path | None = None,
    judged: Judged = lambda *_: None,
) -> dict[str, Any]:
    """How right a checkpoint is about a split of what it was trained on, plain values.

    Args:
        root: see `task_samples`. scores: also write the probabilities into this file, for fusion.
        judged: told what was judged.

    Raises:
        DatasetError: see `task_samples`; no sample has a label that the checkpoint knows; or
            scores are asked for of a task of several labels.
    """
    info = TaskInfo.of(checkpoint)
    if info is None:
        raise DatasetError("the checkpoint does not say what it was trained on; give --datasets")
    if scores is not None and info.kind == "multilabel":
        raise DatasetError(
            "--scores holds one label a sample, this task has several; for AVA `ava-detect` writes "
            "predictions, and `ava` fuses them"
        )
    samples: Iterable[Sample] = task_samples(info, root, split)
    items = (pose(s, checkpoint.labels, info.kind, checkpoint.sequences) for s in samples)
    answers = answer(checkpoint.model, items, info.kind)
    if not len(answers.targets):
        raise DatasetError(f"no {split} sample has one of the {len(checkpoint.labels)} labels")
    rows = unit_scores(answers, info.kind, checkpoint.calibration.temperature)
    judged(info.name, rows, answers.targets, checkpoint.labels)
    if scores is not None:
        ScoreFile(answers.names, checkpoint.labels, rows, answers.targets).save(scores)
    found = results(rows, answers.targets)
    about = {"task": info.name, "data": info.data, "fold": info.fold or 1, "kind": info.kind}
    return {**about, "split": split, "labels": len(checkpoint.labels), **found}


def task_table(result: Mapping[str, Any]) -> str:
    """A result for people, accuracies in percent."""
    cells = []
    for name, value in result.items():
        text = f"{100 * value:.2f} %" if isinstance(value, float) else str(value)
        cells.append(f"{name:11s} {text}")
    return "\n".join(cells)
