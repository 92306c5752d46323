"""Batches of scenes; those of step i are the same whoever makes them, so a run can be resumed."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from skeletr.batch import SequenceBatch, collate
from skeletr.datasets.targets import IGNORE
from skeletr.training.config import ConfigError, TrainConfig
from skeletr.training.schedule import TaskPlan
from skeletr.training.sources import Scene, Source


@dataclass(frozen=True)
class LabelledBatch:
    """N scenes of up to M sequences, of any tasks.

    task: (N,) int64. instance: (N, M) int64 and scene: (N,) int64, `IGNORE` where there is no
    label. several: (N, M, K) float32 of 0 and 1 for tasks of several labels, K of the largest of
    them, NaN where nothing is known; None where no scene is of such a task.
    """

    scenes: SequenceBatch
    task: Tensor
    instance: Tensor
    scene: Tensor
    several: Tensor | None = None

    def to(self, device: torch.device | str) -> LabelledBatch:
        """The same batch on another device."""
        return LabelledBatch(
            self.scenes.to(device),
            self.task.to(device),
            self.instance.to(device),
            self.scene.to(device),
            None if self.several is None else self.several.to(device),
        )


def label_batch(scenes: Sequence[tuple[int, Scene]], frames: int) -> LabelledBatch:
    """Pad scenes, each with the number of its task, and their targets."""
    batch = collate([(s.x, s.embedding) for _, s in scenes], frames)
    instance = torch.full(batch.mask.shape, IGNORE, dtype=torch.int64)
    classes = max([s.several.shape[1] for _, s in scenes if s.several is not None], default=0)
    several = torch.full((*batch.mask.shape, classes), torch.nan) if classes else None
    for n, (_, scene) in enumerate(scenes):
        instance[n, : len(scene.instance)] = torch.from_numpy(scene.instance)
        if scene.several is not None:
            m, k = scene.several.shape
            several[n, :m, :k] = torch.from_numpy(scene.several)
    return LabelledBatch(
        batch,
        torch.tensor([task for task, _ in scenes]),
        instance,
        torch.tensor([s.scene for _, s in scenes]),
        several,
    )


def micro_batches(
    scenes: Iterable[tuple[int, Scene]], most: int, frames: int
) -> list[LabelledBatch]:
    """Scenes in order, in batches of at most `most` sequences where one scene has no more."""
    parts: list[list[tuple[int, Scene]]] = []
    size = most
    for task, scene in scenes:
        if size + len(scene.x) > most or not parts:
            parts.append([])
            size = 0
        parts[-1].append((task, scene))
        size += len(scene.x)
    return [label_batch(part, frames) for part in parts]


class StepBatches(Dataset):
    """The micro-batches of step i, from i and the place among the processes alone.

    M~ is drawn once per step. With `scenes_in_step` 0 a step is one micro-batch of composed
    scenes, drawn until there are `batch` sequences.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        config: TrainConfig,
        length: int,
        stream: int = 0,
        place: tuple[int, int] = (0, 1),
    ) -> None:
        """stream: keeps training and validation scenes of one seed apart. place: number of this
        process, and of how many."""
        self.sources, self.config, self.length = sources, config, length
        self.stream, self.place = stream, place
        self._plan = None
        if config.scenes_in_step:
            shares = task_shares(sources, config)
            self._plan = TaskPlan(shares, config.scenes_in_step, length, config.seed)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> list[LabelledBatch]:
        config = self.config
        if self._plan is None:
            return [label_batch(self._fill(index), config.sequences.frames)]
        most = self._most(self._rng(index))
        rank, world = self.place
        scenes = []
        for j, (task, number) in enumerate(self._plan.step(index)):
            if j % world == rank:
                scene = self.sources[task].draw(number, most, self._rng(index, j))
                scenes.append((task, scene))
        return micro_batches(scenes, config.batch, config.sequences.frames)

    def _fill(self, index: int) -> list[tuple[int, Scene]]:
        rank, _ = self.place
        rng = self._rng(index, rank) if rank else self._rng(index)
        most = self._most(rng)
        scenes: list[tuple[int, Scene]] = []
        count = 0
        while count < self.config.batch:
            task = len(scenes) % len(self.sources)
            scene = self.sources[task].draw(len(scenes), most, rng)
            scenes.append((task, scene))
            count += len(scene.x)
        return scenes

    def _most(self, rng: np.random.Generator) -> int:
        """M~."""
        low, high = self.config.sequences_per_scene
        return int(rng.integers(low, high + 1))

    def _rng(self, *numbers: int) -> np.random.Generator:
        return np.random.default_rng([self.config.seed, self.stream, *numbers])


def task_shares(sources: Sequence[Source], config: TrainConfig) -> list[float]:
    """Of a batch's scenes: as given, the rest divided by the number of samples.

    Raises:
        ConfigError: some tasks have a share, and nothing is left for the others.
    """
    given = [task.share for task in config.tasks]
    rest = max(1.0 - sum(given), 0.0) if sum(given) < 1 else 0.0
    free = sum(s.size for s, share in zip(sources, given, strict=True) if not share)
    if free and not rest:
        raise ConfigError(f"shares are {given}: nothing is left for the tasks without one")
    return [share or rest * s.size / free for s, share in zip(sources, given, strict=True)]


def loader(batches: StepBatches, first: int, workers: int) -> DataLoader:
    """The micro-batches of steps `first`, `first` + 1, ... made in background processes."""
    return DataLoader(
        batches,
        batch_size=None,
        sampler=range(first, len(batches)),
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        multiprocessing_context=_start_method() if workers else None,
    )


def _start_method() -> str:
    """Fork where it is safe: workers inherit the clips, which would else be sent to them."""
    return "fork" if sys.platform == "linux" else "spawn"
