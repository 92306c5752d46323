"""A tiny data set of one's own, people who sway or walk: recordings, a store, runs on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from skeletr.datasets.sample import Sample, whole
from skeletr.datasets.store import write_store
from skeletr.recording import Action, Recording
from skeletr.sequences import SequenceConfig
from skeletr.training import TrainConfig
from skeletr.training.task_config import TaskConfig

from .synthetic import scene

SPLITS = ("train", "train", "train", "train", "val", "test")
LABELS = ("stroll", "sway")
SMALL = {
    "sequences": SequenceConfig(frames=8, rate=10.0),
    "scenes_per_batch": 4,
    "sequences_per_scene": (2, 3),
    "steps": 2,
    "warmup": 1,
    "workers": 0,
    "threads": 1,
    "bf16": False,
    "device": "cpu",
    "validate_every": 2,
    "log_every": 1,
}


def recording(label: str, number: int) -> Recording:
    """Two people for two seconds at 10 frames per second; strollers move to the right."""
    times = np.arange(20) / 10
    speed = 80.0 if label == "stroll" else 0.0
    return scene([150 + 5 * number, 350], times, speed=speed)


def samples(kind: str = "video") -> list[Sample]:
    """Six samples per label: of the whole video, or of each person, who may have several."""
    found = []
    for label in LABELS:
        for number, split in enumerate(SPLITS):
            made = recording(label, number)
            actions = whole(label, made)
            if kind == "multilabel":
                both = (label, "be there")
                actions = tuple(Action(name, 0, 0.0, 2.0) for name in both)
                actions += (Action("be there", 1, 0.0, 2.0),)
            made = replace(made, actions=actions)
            found.append(Sample(made, f"{label}/{number}", split, label))
    return found


def write_recordings(folder: Path) -> Path:
    """FOLDER/LABEL/NAME.npz and split.csv, as `prepare recordings` reads them."""
    rows = ["name,split"]
    for sample in samples():
        path = folder / f"{sample.name}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(sample.recording, actions=()).save(path)
        rows.append(f"{sample.name},{sample.split}")
    (folder / "split.csv").write_text("\n".join(rows) + "\n")
    return folder


def make_store(folder: Path, kind: str = "video") -> Path:
    """A store of `samples`."""
    write_store(folder, samples(kind))
    return folder


def config(folder: Path, tasks: tuple[TaskConfig, ...], **changes: object) -> TrainConfig:
    values = {"output": str(folder / "out"), "run": str(folder / "run"), "tasks": tasks}
    return TrainConfig(**(SMALL | values | changes))


def own(store: Path, kind: str = "video", **changes: object) -> TaskConfig:
    return TaskConfig(name="own", source="store", data=str(store), kind=kind, **changes)
