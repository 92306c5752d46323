"""How the app is run; set once at the start."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from skeletr.checkpoint import DEFAULT_CHECKPOINT
from skeletr.devices import DEVICES
from skeletr.overlay import Picture
from skeletr.video import VideoLimits


@dataclass(frozen=True)
class AppSettings:
    """checkpoint: folder of the action model. device: "auto", "cpu" or "cuda".

    limits: which videos are accepted. max_upload_mb: size of an uploaded file.
    max_sessions: pages that may hold a camera or results at once. jobs: videos recognised at
    once; more wait. idle_seconds: a session that does nothing for so long is closed.
    """

    checkpoint: Path = DEFAULT_CHECKPOINT
    device: str = "auto"
    limits: VideoLimits = field(default_factory=VideoLimits)
    max_upload_mb: int = 500
    max_sessions: int = 16
    jobs: int = 2
    idle_seconds: float = 1800.0

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise ValueError(f"device is {self.device!r}, expected one of {', '.join(DEVICES)}")
        for name in ("max_upload_mb", "max_sessions", "jobs", "idle_seconds"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected a number above 0")


@dataclass(frozen=True)
class UserOptions:
    """What a user chooses in the page.

    pose: name of the pose frontend. max_people: followed at once. threshold: probability below
    which the answer is "unknown", None = the model's own. picture: what is shown of people.
    """

    pose: str
    max_people: int = 6
    threshold: float | None = None
    picture: Picture = "as it is"
