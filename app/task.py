"""Something that is done in the background, to be looked at while it goes on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from app import views

_LOG = logging.getLogger(__name__)
_EARLY = 0.05  # share of the work before which nobody can say how long the rest takes


class Task:
    """Do something in a thread of its own; poll it.

    Args:
        do: does it, telling the task how far it is; returns what to tell, as HTML. It ends soon
            after `stop` is set.
        closed: set when nobody wants it any more, which stops it as well.

    Attributes:
        name, doing, share: what is dealt with, how, and how much of that is done, 0 to 1.
        told: what came of it, as HTML; "" until it has ended.
        fault: what to tell where it fails because of a fault in this program.
    """

    fault = "This could not be done because of a fault in this program; its log says more."

    def __init__(self, do: Callable[[Task], str], closed: threading.Event) -> None:
        self.name, self.doing, self.share = "", "Waiting for the models", 0.0
        self.told = ""
        self.stop = _Stop(closed)
        self._do = do
        self._started, self._ended = threading.Event(), threading.Event()
        self._begin = time.monotonic()

    @property
    def started(self) -> bool:
        """Whether it has begun."""
        return self._started.is_set()

    def start(self) -> None:
        """Begin, unless it has; returns at once."""
        if not self.started:
            self._started.set()
            self._begin = time.monotonic()
            name = type(self).__name__.lower()
            threading.Thread(target=self._run, daemon=True, name=name).start()

    def wait(self, seconds: float) -> bool:
        """Wait for the end, at most `seconds`; True if it has ended."""
        return self._ended.wait(seconds)

    def note(self, name: str, doing: str, share: float) -> None:
        """Tell how far it is. Something else that is done later has a time of its own."""
        if share < self.share:
            self._begin = time.monotonic()
        self.name, self.doing, self.share = name, doing, share

    @property
    def bar(self) -> str:
        """How far it is and how long it may take, as HTML."""
        passed = time.monotonic() - self._begin
        left = passed * (1 - self.share) / self.share if self.share > _EARLY else None
        return views.progress(self.name, self.doing, self.share, left)

    def _run(self) -> None:
        try:
            self.told = self._do(self)
        except Exception:
            _LOG.exception("%s failed", type(self).__name__.lower())
            self.told = views.note(self.fault, "problem")
        finally:
            self._ended.set()


class _Stop(threading.Event):
    """Set by itself, and by another event too."""

    def __init__(self, other: threading.Event) -> None:
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        return super().is_set() or self._other.is_set()
