"""Light smoothing of keypoints over time: the One-Euro filter (Casiez et al., CHI 2012).

A joint at rest is smoothed strongly, a fast one hardly at all, so that a punch does not lag.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SmoothingConfig:
    """Speeds are in sizes of the person per second, so that distance and resolution do not matter.

    min_cutoff: Hz kept of a joint at rest; lower is smoother.
    beta: Hz more per unit of speed; higher lags less.
    speed_cutoff: Hz kept of the speed itself.
    max_gap: seconds after which an unseen joint starts anew.
    """

    min_cutoff: float = 2.5
    beta: float = 12.0
    speed_cutoff: float = 3.0
    max_gap: float = 0.3

    def __post_init__(self) -> None:
        for name in ("min_cutoff", "speed_cutoff", "max_gap"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected a number above 0")
        if self.beta < 0:
            raise ValueError(f"beta is {self.beta}, expected 0 or more")


class KeypointSmoother:
    """Smooths the keypoints of one person; scores are passed on as they are."""

    def __init__(self, config: SmoothingConfig) -> None:
        self._config = config
        self._xy: np.ndarray | None = None
        self._speed: np.ndarray | None = None
        self._seen: np.ndarray | None = None

    def update(self, keypoints: np.ndarray, time: float, size: float) -> np.ndarray:
        """The smoothed keypoints, (17, 3) float32.

        Args:
            keypoints: (17, 3) pixels and score; joints with score 0 are passed on.
            time: seconds, strictly increasing.
            size: of the person in pixels.
        """
        there = keypoints[:, 2] > 0
        if self._xy is None:
            self._xy = keypoints[:, :2].astype(np.float64)
            self._speed = np.zeros_like(self._xy)
            self._seen = np.where(there, time, -np.inf)
            return keypoints.astype(np.float32)
        fresh = there & (time - self._seen > self._config.max_gap)
        going = there & ~fresh
        self._xy[fresh], self._speed[fresh] = keypoints[fresh, :2], 0.0
        self._step(going, keypoints, time, max(size, 1.0))
        self._seen[there] = time
        out = keypoints.astype(np.float32)
        out[there, :2] = self._xy[there]
        return out

    def _step(self, going: np.ndarray, keypoints: np.ndarray, time: float, size: float) -> None:
        elapsed = np.maximum(time - self._seen[going], 1e-6)[:, None]
        change = keypoints[going, :2] - self._xy[going]
        weight = _weight(self._config.speed_cutoff, elapsed)
        self._speed[going] += weight * (change / elapsed - self._speed[going])
        speed = np.linalg.norm(self._speed[going], axis=1, keepdims=True) / size
        cutoff = self._config.min_cutoff + self._config.beta * speed
        self._xy[going] += _weight(cutoff, elapsed) * change


def _weight(cutoff: np.ndarray | float, elapsed: np.ndarray) -> np.ndarray:
    """How much of a change a low-pass filter with `cutoff` Hz takes over after `elapsed` s."""
    turns = 2.0 * math.pi * cutoff * elapsed
    return turns / (turns + 1.0)
