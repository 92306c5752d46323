"""Candidates take turns within one run, so that a busy machine slows all of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch


def race(
    steps: Mapping[str, Callable[[], object]],
    rounds: int,
    device: torch.device | str = "cpu",
    warm_up: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, tuple[float, float]]:
    """Median seconds of a step, and the spread of the middle half relative to it.

    clock: `time.process_time` for processor time, which other programs disturb less; fair between
    candidates where there is one thread, for threads that wait may count as work.
    """
    times: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + warm_up):
        for name, step in steps.items():
            begin = clock()
            step()
            if torch.device(device).type == "cuda":
                torch.cuda.synchronize()
            if number >= warm_up:
                times[name].append(clock() - begin)
    return {name: middle(found) for name, found in times.items()}


def middle(values: Sequence[float]) -> tuple[float, float]:
    """Median, and the spread of the middle half relative to it."""
    median = statistics.median(values)
    low, high = np.quantile(values, [0.25, 0.75])
    return median, float(high - low) / median
