"""A pose frontend that is made when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from skeletr.pose.base import PoseFrontend, Retracing
from skeletr.recording import Person


class OnUse:
    """Made by `make` on first use: most that is wrong with a video is found before that, and a
    frontend takes a second and a hundred megabytes."""

    def __init__(self, make: Callable[[], PoseFrontend]) -> None:
        self._make = make
        self._made: PoseFrontend | None = None

    def estimate(self, image: np.ndarray, time: float) -> tuple[Person, ...]:
        """See `PoseFrontend`."""
        return self._frontend().estimate(image, time)

    def look(self, image: np.ndarray, time: float) -> tuple[tuple[Person, ...], Any]:
        """See `Retracing`; nothing is kept where the frontend is none."""
        made = self._frontend()
        if isinstance(made, Retracing):
            return made.look(image, time)
        return tuple(made.estimate(image, time)), None

    def retrace(self, earlier: Sequence[Any]) -> Sequence[tuple[Person, ...]]:
        """See `Retracing`."""
        made = self._frontend()
        return made.retrace(earlier) if isinstance(made, Retracing) else ()

    def reset(self) -> None:
        """See `PoseFrontend`."""
        self._frontend().reset()

    def close(self) -> None:
        """Close it, if it was made."""
        if self._made is not None:
            self._made.close()

    def _frontend(self) -> PoseFrontend:
        self._made = self._made or self._make()
        return self._made
