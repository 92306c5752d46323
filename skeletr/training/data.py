"""Batches of composed scenes; batch i is the same whoever makes it, so a run can be resumed."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from skeletr.batch import SequenceBatch, collate
from skeletr.datasets.pool import TakePool
from skeletr.datasets.scenes import compose
from skeletr.datasets.targets import IGNORE, instance_targets, scene_target
from skeletr.sequences import Sequences, build_sequences, in_window, model_input
from skeletr.training.config import TrainConfig

_FEWEST_JOINTS = 4.5  # on average over the frames; with fewer, nobody could tell the action
_LEAST_OBSERVED = 0.25
_ATTEMPTS = 200


@dataclass(frozen=True)
class LabelledBatch:
    """scenes: N scenes of up to M sequences. instance: (N, M) int64, scene: (N,) int64; both
    hold `IGNORE` where there is no label."""

    scenes: SequenceBatch
    instance: Tensor
    scene: Tensor


Scene = tuple[np.ndarray, np.ndarray, np.ndarray]  # x, embedding, instance targets


def draw_scene(
    pool: TakePool,
    labels: tuple[str, ...],
    config: TrainConfig,
    most: int,
    rng: np.random.Generator,
) -> Scene:
    """One scene of at most `most` sequences, at least one of which has a label."""
    for _ in range(_ATTEMPTS):
        recording = compose(pool, config.scenes, rng)
        start = float(rng.uniform(0, config.sequences.interval))
        found = build_sequences(recording, config.sequences, start)
        found = found.take(found.observed >= _LEAST_OBSERVED)
        if not len(found):
            continue
        limits = replace(config.sequences, max_sequences=most)
        end = float(rng.choice(found.times))
        if rng.random() < 0.5:
            end = float(found.times.max())
        window = in_window(found, end, limits)
        targets = instance_targets(window, recording, labels, config.sequences)
        targets[~_enough_joints(window)] = IGNORE
        if (targets != IGNORE).any():
            return *model_input(window, end, config.sequences), targets
    raise RuntimeError(f"{_ATTEMPTS} composed scenes had no usable label; check `scenes`")


def label_batch(scenes: list[Scene], labels: tuple[str, ...], frames: int) -> LabelledBatch:
    """Pad scenes and their targets."""
    batch = collate([(x, e) for x, e, _ in scenes], frames)
    instance = torch.full(batch.mask.shape, IGNORE, dtype=torch.int64)
    for n, (_, _, targets) in enumerate(scenes):
        instance[n, : len(targets)] = torch.from_numpy(targets)
    scene = torch.tensor([scene_target(t, labels) for _, _, t in scenes])
    return LabelledBatch(batch, instance, scene)


class SceneBatches(Dataset):
    """Batch number i, from i alone: M~ is drawn once, then scenes until `batch` sequences."""

    def __init__(
        self,
        pool: TakePool,
        labels: tuple[str, ...],
        config: TrainConfig,
        length: int,
        stream: int = 0,
    ) -> None:
        """stream: keeps training and validation scenes of one seed apart."""
        self.pool, self.labels, self.config = pool, labels, config
        self.length, self.stream = length, stream

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> LabelledBatch:
        config = self.config
        rng = np.random.default_rng([config.seed, self.stream, index])
        low, high = config.sequences_per_scene
        most = int(rng.integers(low, high + 1))
        scenes: list[Scene] = []
        count = 0
        while count < config.batch:
            scene = draw_scene(self.pool, self.labels, config, most, rng)
            scenes.append(scene)
            count += len(scene[0])
        return label_batch(scenes, self.labels, config.sequences.frames)


def loader(batches: SceneBatches, first: int, workers: int) -> DataLoader:
    """Batches `first`, `first` + 1, ... made in background processes."""
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


def _enough_joints(sequences: Sequences) -> np.ndarray:
    """(M',) whether enough joints are seen in the frames in which the person is seen."""
    seen = sequences.keypoints[..., 2] > 0
    frames = np.maximum(seen.any(axis=-1).sum(axis=-1), 1)
    return seen.sum(axis=(1, 2)) / frames >= _FEWEST_JOINTS
