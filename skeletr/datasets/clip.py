"""`Clip`: what every reader gives, one labelled piece of a data set, in two or three dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from skeletr.skeleton import V

Split = Literal["train", "val", "test"]


class DatasetError(ValueError):
    """A file or folder that is not what it should be: names it, what was found and expected."""


@dataclass(frozen=True)
class Clip:
    """One action of one person, or of two people together.

    points: (P, T, 17, D) float32. D = 3: metres, x to the right of the camera, y down, z away
        from it; D = 2: any unit that is the same in x and y, x right, y down. The person's left
        hand is on the right of the picture when he or she faces the camera.
    seen: (P, T, 17) bool, False where a joint was not recorded.
    times: (T,) seconds from the first frame, strictly increasing.
    label: a label of the vocabulary, None where the action has no place in it.
    dataset: name of the data set. name: of the clip in it.
    group: who acts (or the pair): groups are never divided among splits where they are known.
    original: the data set's own name of the action, such as "forward kick".
    """

    points: np.ndarray
    seen: np.ndarray
    times: np.ndarray
    label: str | None
    dataset: str
    name: str
    group: str
    split: Split = "train"
    original: str = ""

    def __post_init__(self) -> None:
        p, t, v, d = self.points.shape if self.points.ndim == 4 else (0, 0, 0, 0)
        if v != V or d not in (2, 3) or p < 1:
            raise DatasetError(
                f"{self.name}: points have shape {self.points.shape}, expected (P, T, {V}, 2 or 3)"
            )
        if self.seen.shape != (p, t, v) or self.times.shape != (t,):
            raise DatasetError(
                f"{self.name}: seen {self.seen.shape} and times {self.times.shape} do not fit "
                f"points {self.points.shape}"
            )
        if t < 2 or (np.diff(self.times) <= 0).any():
            raise DatasetError(f"{self.name}: {t} frames, expected at least 2 in order of time")

    @property
    def duration(self) -> float:
        """Seconds from the first to the last frame."""
        return float(self.times[-1] - self.times[0])


def make_clip(coco: np.ndarray, times: np.ndarray, **about: str | None) -> Clip:
    """A clip from converted joints (P, T, 17, D + 1), coordinates and score; 0 = not seen."""
    return Clip(
        points=np.ascontiguousarray(coco[..., :-1], dtype=np.float32),
        seen=coco[..., -1] > 0,
        times=np.asarray(times, dtype=np.float64) - float(times[0]),
        **about,
    )
