"""The interface of a pose frontend."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from skeletr.recording import Person


class PoseError(RuntimeError):
    """A pose frontend that cannot work: the message says why and what to do."""


class PoseFrontend(Protocol):
    """Finds the people in the frames of one stream; one instance per stream.

    Not safe to share between threads or streams; `close` frees what it holds.
    """

    def estimate(self, image: np.ndarray, time: float) -> tuple[Person, ...]:
        """The people in one frame, untracked, in no particular order.

        Args:
            image: (H, W, 3) uint8 RGB, upright.
            time: seconds since any origin; strictly increasing between resets.
        """

    def reset(self) -> None:
        """Forget the stream: the next frame may come from anywhere, at any time."""

    def close(self) -> None:
        """Free models and threads. May be called twice."""
