"""Which task and which sample every scene of every step is, from numbers alone.

A step's scenes are a function of (seed, step), so that a resumed run sees the same ones; which
process makes which of them depends on their place in the step only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class TaskPlan:
    """How the scenes of each step are divided among K tasks."""

    def __init__(self, shares: Sequence[float], scenes: int, steps: int, seed: int) -> None:
        """shares: of the K tasks, above 0. scenes: per step over all processes."""
        total = np.cumsum(np.asarray(shares, np.float64) / np.sum(shares))
        total[-1] = 1.0
        # Systematic sampling: one draw per step, then equal distances; no task waits for long.
        start = np.random.default_rng([seed, 2]).random(steps)[:, None]
        ends = np.ceil(np.round(scenes * total[None] - start, 9)).astype(np.int64)
        ends[:, -1] = scenes
        self.counts = np.diff(np.clip(ends, 0, scenes), axis=1, prepend=0)  # (steps, K)
        self._before = np.cumsum(self.counts, axis=0) - self.counts

    def step(self, index: int) -> list[tuple[int, int]]:
        """(task, running number of the scene within the task) of each scene of a step."""
        return [
            (task, int(self._before[index, task]) + i)
            for task, count in enumerate(self.counts[index])
            for i in range(count)
        ]


class Order:
    """The order of the samples: every epoch another one, drawn from (seed, task, epoch)."""

    def __init__(self, size: int, seed: Sequence[int]) -> None:
        self.size, self._seed = size, list(seed)
        self._epoch, self._indices = -1, np.zeros(0, np.int64)

    def __call__(self, number: int) -> int:
        """Index of the sample of scene `number`; every sample comes once per epoch."""
        epoch, place = divmod(number, self.size)
        if epoch != self._epoch:
            self._indices = np.random.default_rng([*self._seed, epoch]).permutation(self.size)
            self._epoch = epoch
        return int(self._indices[place])
