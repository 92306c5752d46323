"""Takes from the camera: a countdown, then what it shows, as a recording."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from skeletr.recording import Frame, Person, Recording

COUNTDOWN = 3.0  # seconds
LONGEST_TAKE = 15.0  # seconds; one that nobody stops ends there


@dataclass(frozen=True)
class Moment:
    """What a take is doing: seconds left of the countdown, then seconds recorded, of how many.

    length: 0 = until it is stopped.
    """

    left: float
    done: float = 0.0
    length: float = 0.0


class Takes:
    """One visitor's takes, one at a time. Buttons and frames come from different threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._name: str | None = None
        self._end()

    @property
    def running(self) -> bool:
        """Whether a take is counted down or recorded."""
        return self._name is not None

    def start(self, name: str, length: float) -> None:
        """Begin to count down, at the next frame; for `length` seconds, 0 = until `stop`."""
        with self._lock:
            self._end()
            self._name, self._length = name, min(length, LONGEST_TAKE)

    def stop(self) -> None:
        """End it at the next frame: the recording, or the countdown without one."""
        with self._lock:
            self._stopped = True

    def see(
        self, people: Sequence[Person], time: float, size: tuple[int, int]
    ) -> tuple[str, Recording] | Moment | None:
        """Take a frame.

        Args:
            time: seconds of the stream, which begins anew at 0 after a pause: so does the take.

        Returns:
            A finished take with its name, what is going on, or None when nothing is.
        """
        with self._lock:
            if self._name is None:
                return None
            if self._begin is None or time < self._last or size != self._size:
                self._begin, self._size, self._frames = time + COUNTDOWN, size, []
            self._last = time
            if time < self._begin:
                return self._counting(time)
            self._frames.append(Frame(time, tuple(people)))
            done = time - self._begin
            if self._stopped or done >= (self._length or LONGEST_TAKE):
                take = self._name, Recording.from_frames(self._frames, size)
                self._end()
                return take
            return Moment(0.0, done, self._length)

    def _counting(self, time: float) -> Moment | None:
        if self._stopped:
            self._end()
            return None
        return Moment(self._begin - time, 0.0, self._length)

    def _end(self) -> None:
        self._name, self._length, self._stopped = None, 0.0, False
        self._begin: float | None = None
        self._last = 0.0
        self._size = (0, 0)
        self._frames: list[Frame] = []
