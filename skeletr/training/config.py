"""Configuration of a training run: one frozen dataclass, see `config_file` for how it is read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from skeletr.datasets import DATASETS
from skeletr.datasets.load import OFFICIAL_SPLITS
from skeletr.datasets.scenes import SceneConfig
from skeletr.devices import DEVICES
from skeletr.model import SkeleTRConfig, large, small
from skeletr.model.config import BACKBONES, INTERACTIONS, MIX, BackboneKind, Interaction, streams
from skeletr.sequences import SequenceConfig
from skeletr.training.augment import AugmentConfig
from skeletr.training.task_config import TaskConfig

_SCENES_PER_BATCH = 32


class ConfigError(ValueError):
    """A configuration that cannot be: says the key, what was given and what was expected."""


@dataclass(frozen=True)
class TrainConfig:
    """Everything that defines a training run.

    output: folder for the weights. run: folder for log and resumable state; in both, {fold},
    {stream} and {seed} stand for these values. data: folder with the data sets, "" = from the
    environment. tasks: () = one task, scenes composed from `datasets`. fold: official division
    of the tasks that do not name their own. size: SkeleTR-S or -L. stream: coordinates or bones.
    backbone, interaction, aggregation: see `SkeleTRConfig`; L with "ctrgcn" is SkeleTR[C].
    init: checkpoint to start from, folder or OWNER/NAME; init_part: what of it is taken over, the
    whole "trunk" or its "backbone" (stage 1), beside which all may be of another form; freeze: what
    of it stays as it is, the "backbone" or the whole "trunk", which is linear probing.
    scenes: how scenes are composed. augment: how clips and stores vary.
    steps: optimiser steps; epochs: the same by the number of samples, 0 = by `steps`.
    batch: real sequences in a micro-batch; above 80 the memory traffic on a CPU costs more than
    it brings. scenes_per_batch: scenes of a step over all processes, in as many micro-batches as
    it takes (the paper's 128); 0 = one micro-batch of composed scenes, and 32 where a task has
    samples to count. sequences_per_scene: range of M~, drawn once per step (paper, adaptive M).
    rate: peak learning rate. milestones: shares of the steps after which multi-step schedules
    divide the rate by 10. stranger: weight of a label as a negative of one that no data set tells
    apart from it. scene_weight: of a composed scene's loss beside the instances'. ema: decay of
    the averaged weights, which are the ones that are kept; 0 = off. threads: of the network, 0 =
    as many as there are cores. compile: let torch.compile fuse the backbone; takes one or two
    minutes and a C++ compiler, then trains about twice as fast on a CPU with bf16, and no faster
    on one without. validation_scenes:
    composed from the validation clips. validation_samples: of each other task, at most.
    """

    output: str
    run: str
    data: str = ""
    datasets: tuple[str, ...] = ("sbu", "kinder_gator", "jhmdb")
    tasks: tuple[TaskConfig, ...] = ()
    fold: int = 0
    seed: int = 0
    size: Literal["S", "L"] = "S"
    stream: Literal["joint", "bone"] = "joint"
    backbone: BackboneKind = "stgcn++"
    interaction: Interaction = "transformer"
    aggregation: tuple[str, ...] = MIX
    dropout: float = 0.1
    init: str = ""
    init_part: Literal["trunk", "backbone"] = "trunk"
    freeze: Literal["none", "backbone", "trunk"] = "none"
    sequences: SequenceConfig = field(default_factory=SequenceConfig)
    scenes: SceneConfig = field(default_factory=SceneConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    steps: int = 5000
    epochs: float = 0.0
    batch: int = 60
    scenes_per_batch: int = 0
    sequences_per_scene: tuple[int, int] = (5, 20)
    optimiser: Literal["adamw", "sgd"] = "adamw"
    schedule: Literal["cosine", "multistep"] = "cosine"
    milestones: tuple[float, ...] = (0.7, 0.85)
    rate: float = 2e-3
    warmup: int = 100
    weight_decay: float = 0.05
    clip_norm: float = 2.0
    label_smoothing: float = 0.1
    stranger: float = 0.3
    scene_weight: float = 0.5
    ema: float = 0.998
    device: Literal["auto", "cpu", "cuda"] = "auto"
    bf16: bool = True
    workers: int = 1
    threads: int = 0
    compile: bool = False
    log_every: int = 20
    validate_every: int = 500
    save_every: int = 200
    validation_scenes: int = 200
    validation_samples: int = 2000

    def __post_init__(self) -> None:
        for name in ("datasets", "sequences_per_scene", "milestones"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "tasks", self._tasks())
        try:
            object.__setattr__(self, "aggregation", streams(self.aggregation))
        except ValueError as error:
            raise ConfigError(str(error)) from error
        for name, good in self._checks().items():
            if not good:
                raise ConfigError(f"{name} is {getattr(self, name)!r}, which cannot be")
        for name in ("log_every", "validate_every", "save_every", "validation_samples"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}, expected at least 1")
        names = [task.name for task in self.tasks]
        if len(set(names)) < len(names):
            raise ConfigError(f"tasks are called {names}, expected different names")
        if self.freeze != "none" and not self.init:
            raise ConfigError(f"freeze is {self.freeze!r} without init: nothing to keep as it is")
        if self.init_part == "backbone" and (not self.init or self.freeze == "trunk"):
            raise ConfigError(
                "init_part is 'backbone': expected init to take it from, and freeze not 'trunk'"
            )
        if self.epochs and not all(task.finite for task in self.tasks):
            raise ConfigError("epochs: composed scenes never end; give steps instead")
        for name in ("output", "run"):
            object.__setattr__(self, name, self._filled(getattr(self, name)))

    def _tasks(self) -> tuple[TaskConfig, ...]:
        """One composed task where none is given; the run's fold and data sets where left out."""
        tasks = tuple(t if isinstance(t, TaskConfig) else TaskConfig(**t) for t in self.tasks)
        full = []
        for task in tasks or (TaskConfig(),):
            if task.source == "composed" and not task.datasets:
                task = replace(task, datasets=self.datasets)
            if task.source == "clips" and task.data in OFFICIAL_SPLITS and not task.fold:
                task = replace(task, fold=self.fold)
            full.append(task)
        return tuple(full)

    def _checks(self) -> dict[str, bool]:
        low, high = self.sequences_per_scene
        return {
            "datasets": bool(self.datasets) and set(self.datasets) <= set(DATASETS),
            "fold": self.fold >= 0,
            "size": self.size in ("S", "L"),
            "stream": self.stream in ("joint", "bone"),
            "backbone": self.backbone in BACKBONES,
            "init_part": self.init_part in ("trunk", "backbone"),
            "interaction": self.interaction in INTERACTIONS,
            "freeze": self.freeze in ("none", "backbone", "trunk"),
            "optimiser": self.optimiser in ("adamw", "sgd"),
            "schedule": self.schedule in ("cosine", "multistep"),
            "device": self.device in DEVICES,
            "sequences_per_scene": 1 <= low <= high,
            "steps": self.steps >= 1,
            "epochs": self.epochs >= 0,
            "batch": self.batch >= 2,
            "scenes_per_batch": self.scenes_per_batch >= 0,
            "rate": self.rate > 0,
            "stranger": 0 < self.stranger <= 1,
            "ema": 0 <= self.ema < 1,
            "workers": self.workers >= 0,
            "threads": self.threads >= 0,
            "label_smoothing": 0 <= self.label_smoothing < 1,
        }

    def _filled(self, text: str) -> str:
        for name, value in (("fold", self.fold or 1), ("stream", self.stream), ("seed", self.seed)):
            text = text.replace(f"{{{name}}}", str(value))
        return text

    @property
    def scenes_in_step(self) -> int:
        """Scenes of a step over all processes; 0 = as many composed ones as `batch` holds."""
        if self.scenes_per_batch or not any(task.finite for task in self.tasks):
            return self.scenes_per_batch
        return _SCENES_PER_BATCH

    def model(self) -> SkeleTRConfig:
        """The network without heads."""
        make = small if self.size == "S" else large
        config = make(
            dropout=self.dropout,
            stream=self.stream,
            interaction=self.interaction,
            aggregation=self.aggregation,
        )
        return replace(config, backbone=replace(config.backbone, kind=self.backbone))

    def task_sequences(self, task: TaskConfig) -> SequenceConfig:
        """How sequences are cut for a task."""
        return replace(self.sequences, window=task.window or self.sequences.window)
