"""What is not taught: how features spread when nothing in particular is done.

Features of a trained network vary much along a few directions, whatever people do, and little
along those that tell two actions apart. Seen relative to motion at random, all directions count
alike: the whitening of linear discriminant analysis, its covariance shrunk towards a sphere
because there are few samples for so many directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skeletr.checkpoint import Checkpoint
from skeletr.recording import Recording
from skeletr.synthetic.babble import babble
from skeletr.taught_features import example_features, unit

_SCENES = 60
_SHRINKAGE = 0.2


@dataclass(frozen=True)
class Background:
    """mean: (D,). whitening: (D, D). features: (n, D) unit vectors, whitened."""

    mean: np.ndarray
    whitening: np.ndarray
    features: np.ndarray

    @classmethod
    def of(cls, parts: Sequence[np.ndarray]) -> Background:
        """From described features (m, D) of recordings in which nobody does what is taught."""
        found = np.concatenate([p for p in parts if len(p)])  # nobody may be seen in one
        mean = found.mean(axis=0)
        covariance = np.cov((found - mean).T)
        spread, axes = np.linalg.eigh(covariance)
        sphere = float(np.trace(covariance)) / len(mean)
        shrunk = (1 - _SHRINKAGE) * np.maximum(spread, 0) + _SHRINKAGE * max(sphere, 1e-12)
        whitening = (axes / np.sqrt(shrunk)).astype(np.float32)
        return cls(mean, whitening, unit((found - mean) @ whitening))

    def relative(self, features: np.ndarray) -> np.ndarray:
        """Described features (n, D) as unit vectors relative to the background."""
        return unit((features - self.mean) @ self.whitening)


def background(checkpoint: Checkpoint, others: Sequence[Recording] = ()) -> Background:
    """Of motion at random and, if there are any, `others`, recordings in which nobody does what
    is taught."""
    recordings = [*background_scenes(), *others]
    return Background.of([background_part(checkpoint, r) for r in recordings])


def background_scenes() -> list[Recording]:
    """The motion at random that `background` looks at."""
    return babble(_SCENES)


def background_part(checkpoint: Checkpoint, recording: Recording) -> np.ndarray:
    """What one recording adds, (n, D): for those who make the background bit by bit."""
    features, _ = example_features(checkpoint, recording, None, action=False)
    return features
