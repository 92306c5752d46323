"""A recording that tells how far it has been looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields

from skeletr.recording import Frame, Recording


@dataclass(frozen=True)
class FollowedRecording(Recording):
    """The same recording.

    tell: called with the share of the frames that were taken, 0 to 1.
    """

    tell: Callable[[float], None] = lambda share: None

    @classmethod
    def of(cls, recording: Recording, tell: Callable[[float], None]) -> FollowedRecording:
        """It shares the columns of `recording`."""
        columns = {f.name: getattr(recording, f.name) for f in fields(Recording) if f.init}
        return cls(**columns, tell=tell)

    def frames(self) -> Iterable[Frame]:
        """As of any recording."""
        count = max(len(self.frame_times), 1)
        for done, frame in enumerate(super().frames()):
            self.tell(done / count)
            yield frame
