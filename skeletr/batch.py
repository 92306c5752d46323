"""Sequences of several scenes -> one padded tensor batch with an explicit mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from skeletr.skeleton import C, V


@dataclass(frozen=True)
class SequenceBatch:
    """N scenes of up to M sequences.

    x: (N, M, T, V, C) float32. embedding: (N, M, 5) float32. mask: (N, M) bool, True = real.
    """

    x: Tensor
    embedding: Tensor
    mask: Tensor

    def to(self, device: torch.device | str) -> SequenceBatch:
        """The same batch on another device."""
        return SequenceBatch(
            self.x.to(device, non_blocking=True),
            self.embedding.to(device, non_blocking=True),
            self.mask.to(device, non_blocking=True),
        )


def collate(
    scenes: Sequence[tuple[np.ndarray, np.ndarray]], frames: int, minimum: int = 1
) -> SequenceBatch:
    """Pad scenes to the largest M among them, at least `minimum`.

    Args:
        scenes: per scene x (M', T, V, C) and embedding (M', 5), as `model_input` gives them.
        frames: T, for batches in which every scene is empty.
    """
    size = max([minimum, *(len(x) for x, _ in scenes)])
    x = torch.zeros(len(scenes), size, frames, V, C)
    embedding = torch.zeros(len(scenes), size, 5)
    mask = torch.zeros(len(scenes), size, dtype=torch.bool)
    for n, (scene, box) in enumerate(scenes):
        x[n, : len(scene)] = torch.from_numpy(scene)
        embedding[n, : len(scene)] = torch.from_numpy(box)
        mask[n, : len(scene)] = True
    return SequenceBatch(x, embedding, mask)
