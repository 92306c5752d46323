"""The pose frontend on rtmlib (RTMPose, RTMO): better in groups, an optional extra.

rtmlib fetches its ONNX models itself on first use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skeletr.pose.base import USUAL_PEOPLE, PoseError
from skeletr.recording import Person
from skeletr.skeleton import COCO_INDEX, V, to_coco17

MODES = ("lightweight", "balanced", "performance")
Estimator = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class RtmlibPoseConfig:
    """How rtmlib is run.

    max_people: the surest people that are reported.
    mode: "lightweight", "balanced" or "performance".
    one_stage: RTMO, whose cost does not grow with the people, instead of RTMPose.
    backend, device: as rtmlib names them.
    min_score: mean score of the joints from which a body is a person. Without any person in view
        RTMPose takes the whole picture for one, with low scores.
    """

    max_people: int = USUAL_PEOPLE
    mode: str = "lightweight"
    one_stage: bool = False
    backend: str = "onnxruntime"
    device: str = "cpu"
    min_score: float = 0.3

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"mode is {self.mode!r}, expected one of {MODES}")
        if self.max_people < 1:
            raise ValueError(f"max_people is {self.max_people}, expected at least 1")
        if not 0.0 <= self.min_score <= 1.0:
            raise ValueError(f"min_score is {self.min_score}, expected a number in [0, 1]")


class RtmlibPose:
    """Finds people with rtmlib; see `PoseFrontend` for the contract."""

    def __init__(
        self, config: RtmlibPoseConfig | None = None, estimator: Estimator | None = None
    ) -> None:
        """Raises `PoseError` where rtmlib or its models cannot be had.

        Args:
            estimator: what finds the bodies: BGR image -> keypoints (n, 17, 2) in pixels and
                scores (n, 17); rtmlib's `Body` if not given.
        """
        self.config = config or RtmlibPoseConfig()
        self._estimator: Estimator | None = estimator or _load(self.config)

    def estimate(self, image: np.ndarray, time: float) -> tuple[Person, ...]:
        """See `PoseFrontend.estimate`; every frame is looked at by itself.

        Raises:
            PoseError: after `close`, or where rtmlib gives anything but COCO-17.
        """
        if self._estimator is None:
            raise PoseError("this pose frontend is closed; make a new one")
        keypoints, scores = self._estimator(np.ascontiguousarray(image[..., ::-1]))
        keypoints, scores = np.asarray(keypoints, np.float32), np.asarray(scores, np.float32)
        if not scores.size:
            return ()
        if keypoints.shape[1:] != (V, 2) or scores.shape != keypoints.shape[:2]:
            raise PoseError(
                f"rtmlib gave keypoints {keypoints.shape} and scores {scores.shape}, "
                f"expected (n, {V}, 2) and (n, {V}): a COCO-17 model"
            )
        return self._people(keypoints, np.clip(scores, 0.0, 1.0), image.shape[1], image.shape[0])

    def reset(self) -> None:
        """See `PoseFrontend.reset`; there is nothing to forget."""

    def close(self) -> None:
        """See `PoseFrontend.close`."""
        self._estimator = None

    def _people(
        self, keypoints: np.ndarray, scores: np.ndarray, width: int, height: int
    ) -> tuple[Person, ...]:
        sureness = scores.mean(axis=1)
        inside = (keypoints >= 0).all(axis=-1) & (keypoints < [width, height]).all(axis=-1)
        coco = to_coco17(keypoints, COCO_INDEX, np.where(inside, scores, 0.0))
        order = np.argsort(-sureness, kind="stable")[: self.config.max_people]
        sure = (i for i in order if sureness[i] >= self.config.min_score)
        return tuple(Person.from_keypoints(coco[i]) for i in sure)


def _load(config: RtmlibPoseConfig) -> Estimator:
    try:
        from rtmlib import Body
    except ImportError as error:
        raise PoseError(
            f"the rtmlib frontend needs packages that are not installed ({error}); "
            "install them with `pip install -r requirements-rtmlib.txt`"
        ) from error
    try:
        return Body(
            pose="rtmo" if config.one_stage else None,
            mode=config.mode,
            to_openpose=False,
            backend=config.backend,
            device=config.device,
        )
    except Exception as error:  # rtmlib lets through whatever its download or backend raises
        raise PoseError(f"rtmlib could not load its {config.mode} models: {error}") from error
