"""Stand-ins for the slow parts."""

from __future__ import annotations

import numpy as np

from app.settings import AppSettings
from skeletr.checkpoint import Calibration, Checkpoint
from skeletr.model import SkeleTR, SkeleTRConfig
from skeletr.recording import Person
from skeletr.sequences import SequenceConfig


class FakePose:
    """A person who stands on the left of the picture."""

    open = 0

    def __init__(self) -> None:
        FakePose.open += 1
        self._closed = False

    def estimate(self, image: np.ndarray, time: float) -> tuple[Person, ...]:
        joints = np.linspace((10, 20), (40, 100), 17)
        return (Person.from_keypoints(np.concatenate([joints, np.ones((17, 1))], axis=1)),)

    def reset(self) -> None:
        pass

    def close(self) -> None:
        FakePose.open -= not self._closed
        self._closed = True


def untrained(settings: AppSettings) -> Checkpoint:
    model = SkeleTR(SkeleTRConfig(instance_classes=2, scene_classes=2)).eval()
    return Checkpoint(model, ("walk", "run"), SequenceConfig(), Calibration(threshold=0.0))
