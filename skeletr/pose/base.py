"""The interface of a pose frontend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np

from skeletr.recording import Person

Kept = TypeVar("Kept")

# How many people a frontend follows where nobody says otherwise. Each costs about 10 ms a frame, of
# those who are there.
USUAL_PEOPLE = 10


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


@runtime_checkable
class Retracing(Protocol[Kept]):
    """A frontend that can say where people were just before it noticed them.

    Networks that search pictures miss people whom networks that follow a body still see. Who can
    wait a moment, as for a file, lets those be followed backwards; see `Late`.
    """

    def look(self, image: np.ndarray, time: float) -> tuple[tuple[Person, ...], Kept]:
        """As `PoseFrontend.estimate`, and what `retrace` needs of the frame."""

    def retrace(self, earlier: Sequence[Kept]) -> Sequence[tuple[Person, ...]]:
        """Whoever proved, in the last frame, to be no mistake, in the frames before they were
        noticed.

        Args:
            earlier: what `look` gave for the frames before that one, the newest first.

        Returns:
            The people to be added to each of the first so many of them.
        """
