"""Several people with MediaPipe's pose model, which knows only one.

Every known person is followed with a crop around their last pose. Beside that, squares of the
picture are searched for newcomers, a few in every frame, so that the cost stays level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from skeletr.cores import usable_cores
from skeletr.pose.base import USUAL_PEOPLE, PoseError
from skeletr.pose.bodies import to_person
from skeletr.pose.follow import Crowd, Looked
from skeletr.pose.models import VARIANTS, pose_model
from skeletr.pose.networks import Body, PoseNetworks
from skeletr.recording import Person

RUNNERS = ("auto", "tasks", "litert")


@dataclass(frozen=True)
class MediaPipePoseConfig:
    """How people are found.

    max_people: followed at once; more cost more.
    variant: "lite", "full" or "heavy" model.
    model_path: a `.task` file to use instead.
    runner: "tasks" = MediaPipe's PoseLandmarker; "litert" = the same networks in the package
        ai-edge-litert, at half the cost; "auto" = litert where it is installed.
    threads: of the litert runner; that many networks run at the same time.
    min_detection: score from which a place in the picture is looked at more closely.
    min_lost: the same where somebody was lost from sight; of the litert runner only.
    min_new, min_presence: how sure the model must be to take up a person, and to keep one.
    scan_interval, idle_scan_interval: seconds in which the whole picture is searched once, while
        people are followed and while there are none.
    lost_seconds: for how long a lost person is looked for around the last place, in every frame.
    remembered_seconds: for how long now and then, as people come back from behind one another.
    min_size: least size of a person's region relative to the picture's shorter side.
    working_side: larger pictures are scaled down to this many pixels on their longer side.
    """

    max_people: int = USUAL_PEOPLE
    variant: str = "full"
    model_path: str | None = None
    runner: str = "auto"
    threads: int = 2
    min_detection: float = 0.5
    min_lost: float = 0.35
    min_new: float = 0.8
    min_presence: float = 0.5
    scan_interval: float = 1.0
    idle_scan_interval: float = 0.5
    lost_seconds: float = 1.0
    remembered_seconds: float = 5.0
    min_size: float = 0.12
    working_side: int = 1280

    def __post_init__(self) -> None:
        for name in ("min_detection", "min_lost", "min_new", "min_presence"):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected a number in (0, 1]")
        for name in ("scan_interval", "idle_scan_interval", "max_people", "threads"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected a number above 0")
        if min(self.lost_seconds, self.remembered_seconds) < 0 or not 0 <= self.min_size < 1:
            raise ValueError("expected lost_seconds, remembered_seconds >= 0, min_size in [0, 1)")
        if self.working_side < 64:
            raise ValueError(f"working_side is {self.working_side}, expected at least 64")
        if self.variant not in VARIANTS:
            raise ValueError(f"variant is {self.variant!r}, expected one of {VARIANTS}")
        if self.runner not in RUNNERS:
            raise ValueError(f"runner is {self.runner!r}, expected one of {RUNNERS}")


@dataclass(frozen=True)
class _Scaled:
    """A frame that was looked at. scale: pixels of the frame per pixel looked at. size: (width,
    height) of the frame."""

    looked: Looked
    scale: float
    size: tuple[int, int]

    def people(self, bodies: Sequence[Body]) -> tuple[Person, ...]:
        """Bodies of this frame in its own pixels."""
        return tuple(to_person(body, self.scale, *self.size) for body in bodies)


class MediaPipePose:
    """The default pose frontend; see `PoseFrontend` for the contract.

    Can be used in a `with` block. The first use on a machine fetches the model.
    """

    def __init__(
        self, config: MediaPipePoseConfig | None = None, networks: PoseNetworks | None = None
    ) -> None:
        """Raises `PoseError` where the model or its runner cannot be had.

        Args:
            networks: what runs the model, for those who bring their own.
        """
        self.config = config or MediaPipePoseConfig()
        self._networks = networks or load_networks(self.config)
        self._crowd = Crowd(self._networks, self.config)
        self._closed = False

    def estimate(self, image: np.ndarray, time: float) -> tuple[Person, ...]:
        """See `PoseFrontend.estimate`; raises as `look`."""
        return self.look(image, time)[0]

    def look(self, image: np.ndarray, time: float) -> tuple[tuple[Person, ...], _Scaled]:
        """See `Retracing.look`.

        Raises:
            PoseError: after `close`, or where the image is not (H, W, 3) uint8.
        """
        if self._closed:
            raise PoseError("this pose frontend is closed; make a new one")
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise PoseError(
                f"the image has shape {image.shape} and type {image.dtype}, "
                "expected (height, width, 3) uint8 RGB"
            )
        height, width = image.shape[:2]
        scale = max(max(height, width) / self.config.working_side, 1.0)
        shrunk = _shrunk(image, scale)
        bodies = tuple(self._crowd.update(shrunk, time))
        scaled = _Scaled(Looked(time, shrunk, bodies), scale, (width, height))
        return scaled.people(bodies), scaled

    def retrace(self, earlier: Sequence[_Scaled]) -> list[tuple[Person, ...]]:
        """See `Retracing.retrace`."""
        found = self._crowd.retrace([frame.looked for frame in earlier])
        return [frame.people(bodies) for frame, bodies in zip(earlier, found, strict=False)]

    def reset(self) -> None:
        """See `PoseFrontend.reset`."""
        self._crowd.reset()

    def close(self) -> None:
        """See `PoseFrontend.close`."""
        self._closed = True
        self._crowd.close()
        self._networks.close()

    def __enter__(self) -> MediaPipePose:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def load_networks(config: MediaPipePoseConfig) -> PoseNetworks:
    """The runner that `config` asks for, with its model. Raises `PoseError`."""
    bundle = pose_model(config.variant, config.model_path)
    if config.runner == "litert" or (config.runner == "auto" and _has_litert()):
        from skeletr.pose.litert_networks import LiteRtNetworks

        threads = min(config.threads, usable_cores())
        least = min(config.min_detection, config.min_lost)
        return LiteRtNetworks(bundle, least, threads)
    from skeletr.pose.tasks_networks import TasksNetworks

    return TasksNetworks(bundle, config.min_detection)


def _has_litert() -> bool:
    try:
        import ai_edge_litert.interpreter  # noqa: F401
    except (ImportError, OSError):
        return False
    return True


def _shrunk(image: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1.0:
        return np.ascontiguousarray(image)
    height, width = image.shape[:2]
    size = (max(round(width / scale), 1), max(round(height / scale), 1))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
