"""People who were found once, said again and again: a stream without the cost of pose networks."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from skeletr.pose import create_frontend
from skeletr.recording import Person
from skeletr.video import VideoFrame, VideoReader


class Replayed:
    """A pose frontend that says again what was found in each picture of a clip."""

    def __init__(self, found: list[tuple[Person, ...]], rewinds: bool = False) -> None:
        """rewinds: a reset begins the clip again; otherwise it goes on."""
        self._all = found
        self._rewinds = rewinds
        self._found = itertools.cycle(found)

    def estimate(self, image: np.ndarray, time: float) -> tuple[Person, ...]:
        """The people of the next picture."""
        return next(self._found)

    def reset(self) -> None:
        """Nothing is remembered but where the clip is."""
        if self._rewinds:
            self._found = itertools.cycle(self._all)

    def close(self) -> None:
        """Nothing is held."""


def people_in(frames: Iterable[VideoFrame] | Path) -> list[tuple[Person, ...]]:
    """The people that MediaPipe finds in each frame of a video."""
    frontend = create_frontend("mediapipe")
    frames = VideoReader(frames) if isinstance(frames, Path) else frames
    try:
        return [tuple(frontend.estimate(frame.image, frame.time)) for frame in frames]
    finally:
        frontend.close()
