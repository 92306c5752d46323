"""How the app is run; set once at the start, from arguments and the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.environment import VARIABLES, read_environment
from skeletr.checkpoint import DEFAULT_CHECKPOINT
from skeletr.cores import usable_cores
from skeletr.devices import DEVICES
from skeletr.overlay import PICTURES, Picture
from skeletr.pose import USUAL_PEOPLE
from skeletr.tracking import SMOOTHINGS, Smoothing, TrackerConfig
from skeletr.video import VideoLimits

LOG_FORMATS = ("text", "json")
_LIVE_PER_CORE = 4
_TOLD = 8  # cameras beyond the line, so that they are told that it is full
_POSITIVE = (
    "max_upload_mb",
    "max_picture_mb",
    "min_free_mb",
    "max_people",
    "max_live",
    "max_waiting",
    "live_turn_seconds",
    "live_idle_seconds",
    "live_minutes",
    "max_sessions",
    "idle_seconds",
    "keep_minutes",
    "jobs",
    "address_share",
)


def _default_live() -> int:
    return _LIVE_PER_CORE * usable_cores()


@dataclass(frozen=True)
class AppSettings:
    """checkpoint: folder of the action model. device: "auto", "cpu" or "cuda".

    limits: which videos are accepted. max_upload_mb: size of an uploaded file. max_picture_mb:
    size of one camera picture as it arrives. min_free_mb: space on the disk below which uploads
    are refused.
    max_people: the most people that a visitor may ask to be followed at once.
    max_live: cameras at once; more visitors wait in line, at most max_waiting of them.
    live_turn_seconds: how long a camera may run while others wait. live_idle_seconds: a camera
    that sends nothing for so long is closed. live_minutes: how much of what a camera showed is
    kept in memory, without pictures, to be saved; never more than the longest video.
    max_sessions: pages that may hold a camera or results at once. jobs: videos recognised at
    once; more wait. idle_seconds: a session that does nothing for so long is closed.
    keep_minutes: how long files are kept whose page is still open.
    address_share: of pages, cameras, both lines and the disk, what visitors from one public network
    address may have together, above 0 to 1.
    metrics: whether /metrics answers. log: "text" or "json".
    """

    checkpoint: Path = DEFAULT_CHECKPOINT
    device: str = "auto"
    limits: VideoLimits = field(default_factory=VideoLimits)
    max_upload_mb: int = 500
    max_picture_mb: int = 8
    min_free_mb: int = 500
    max_people: int = 10
    max_live: int = field(default_factory=_default_live)
    max_waiting: int = 24
    live_turn_seconds: float = 300.0
    live_idle_seconds: float = 15.0
    live_minutes: float = 5.0
    max_sessions: int = 32
    jobs: int = 2
    idle_seconds: float = 1800.0
    keep_minutes: float = 60.0
    address_share: float = 0.5
    metrics: bool = True
    log: str = "text"

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise ValueError(f"device is {self.device!r}, expected one of {', '.join(DEVICES)}")
        if self.log not in LOG_FORMATS:
            raise ValueError(f"log is {self.log!r}, expected one of {', '.join(LOG_FORMATS)}")
        for name in _POSITIVE:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected a number above 0")
        if self.address_share > 1:
            raise ValueError(f"address_share is {self.address_share}, expected 1 at most")

    @property
    def usual_people(self) -> int:
        """How many people are followed where nobody says how many."""
        return min(UserOptions.max_people, self.max_people)

    @property
    def streams(self) -> int:
        """Cameras that are listened to at once: those served, those in line and a few more."""
        return self.max_live + self.max_waiting + _TOLD

    @property
    def live_seconds(self) -> float:
        """How much of a camera's stream is kept: no more than can be opened again as a session."""
        return min(60 * self.live_minutes, self.limits.max_seconds)

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] = os.environ, **given: object
    ) -> AppSettings:
        """Settings from `SKELETR_*` variables, see docs/HOSTING.md; `given` takes precedence.

        Raises ValueError naming the variable that cannot be used.
        """
        found = read_environment(environment)
        limits = {v.field: found.pop(v.field) for v in VARIABLES if v.video and v.field in found}
        return cls(**{"limits": VideoLimits(**limits), **found, **given})


@dataclass(frozen=True)
class UserOptions:
    """What a user chooses in the page.

    pose: name of the pose frontend. max_people: followed at once. threshold: probability below
    which the answer is "unknown", None = the model's own. picture: what is shown of people.
    smoothing: how calm joints are, in the picture and for the model.
    """

    pose: str
    max_people: int = USUAL_PEOPLE
    threshold: float | None = None
    picture: Picture = "as it is"
    smoothing: Smoothing = "light"

    def __post_init__(self) -> None:
        # What arrives from a page may have been made by hand.
        if not self.max_people >= 1:
            raise ValueError(f"people at most is {self.max_people}, expected 1 or more")
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ValueError(f"the threshold is {self.threshold}, expected between 0 and 1")
        if self.picture not in PICTURES:
            raise ValueError(f"the picture is {self.picture!r}, expected one of {PICTURES}")
        if self.smoothing not in tuple(SMOOTHINGS):
            known = ", ".join(SMOOTHINGS)
            raise ValueError(f"smoothing is {self.smoothing!r}, expected one of {known}")

    @property
    def tracking(self) -> TrackerConfig:
        """How people are followed."""
        return TrackerConfig(smoothing=SMOOTHINGS[self.smoothing])
