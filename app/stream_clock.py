"""When the frames of a camera came, whatever the clock and the network do."""

from __future__ import annotations

_PAUSE = 5.0  # seconds without a frame after which the next one starts a new stream
_STEP_BACK = 1.0  # a clock that goes back by more than this was set; by less, it jitters
_SMALLEST = 1e-3  # seconds between two frames at least: times must increase
_USUAL = 0.04  # seconds between two frames where nothing better is known


class StreamClock:
    """Seconds since the first frame of a stream, strictly increasing."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """The next frame is the first of a new stream."""
        self._origin: float | None = None
        self._last = 0.0

    def pause(self, clock: float) -> float:
        """How long no frame had come, if that is too long to go on; otherwise 0."""
        if self._origin is None:
            return 0.0
        passed = clock - self._origin - self._last
        return passed if passed > _PAUSE else 0.0

    def next(self, clock: float) -> float:
        """The time of a frame that came when the clock showed `clock` seconds."""
        if self._origin is None:
            self._origin = clock
            return self._last
        passed = clock - self._origin
        if passed < self._last - _STEP_BACK:
            # The clock was set back. Waiting until it is where it was would squeeze all frames
            # until then into no time at all.
            self._last += _USUAL
            self._origin = clock - self._last
        else:
            self._last = max(passed, self._last + _SMALLEST)
        return self._last
