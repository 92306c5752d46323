"""All open pages, and who of them is at the camera."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

from app.arrivals import Arrivals
from app.checks import Checks
from app.engine import Engine
from app.freed_memory import GrownMemory, give_back
from app.metrics import Metrics
from app.neighbours import asking, share_of
from app.places import Place, Places
from app.session import Session
from app.threads import Threads
from app.vault import Vault

__all__ = ["Busy", "Gone", "Session", "Sessions"]

_LOG = logging.getLogger(__name__)
_SWEEP = 5.0  # seconds between two looks for what nobody uses any more
# Seconds in which a page that was closed is not opened again: its last frames are still on their
# way. A page whose connection was only interrupted comes back after that.
_LATE = 10.0
_REMEMBERED = 1000  # pages that were closed for others; the one that was closed first is forgotten


class Busy(RuntimeError):
    """Too many pages are open; the message says what to do."""


class Gone(Busy):
    """The page was closed; the message says what happens next, or what to do."""


class Sessions:
    """All open pages, by the hash that identifies them.

    Args:
        vault: where visitors' files lie; a new temporary folder if not given.

    Attributes:
        metrics: what is counted about them. arrivals: pictures of their cameras. checks: looks at
            their files. threads: those for what takes long. in_line: gives the files that wait for
            their turn without a session.
    """

    def __init__(self, engine: Engine, vault: Vault | None = None) -> None:
        settings = engine.settings
        self.metrics = Metrics()
        self.arrivals = Arrivals(lambda more: self.metrics.add("frames_dropped_total", more))
        self.checks = Checks()
        self.threads = Threads(settings.max_live)
        self.in_line: Callable[[], Iterable[Path]] = tuple
        self.vault = vault or Vault(
            Path(tempfile.gettempdir()) / "skeletr-files", settings.keep_minutes * 60
        )
        self.places = Places(
            settings.max_live,
            settings.max_waiting,
            settings.live_turn_seconds,
            settings.live_idle_seconds,
            share=settings.address_share,
        )
        self._most_of_a_group = share_of(settings.max_sessions, settings.address_share)
        self._engine = engine
        self._sessions: dict[str, Session] = {}
        self._closed: OrderedDict[str, float] = OrderedDict()  # when, oldest first
        # Pages that were closed for others, the first one first.
        self._forgotten: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()
        self._stop = threading.Event()

    @property
    def engine(self) -> Engine:
        """What computes for all of them."""
        return self._engine

    def start(self) -> None:
        """Look after what nobody uses, in the background, until `close_all`."""
        threading.Thread(target=self._look_after, daemon=True, name="sweep").start()

    def get(self, key: str) -> Session:
        """The session of a page, made on first use.

        Where there are too many, the open page that was used longest ago makes room, if that was
        longer ago than a session may be idle.

        Raises `Busy` when there are too many, of all or of the network address that this one comes
        from; `Gone` if the page was closed a moment ago, or for another one.
        """
        self._refuse_the_closed(key)
        group = asking()
        self._refuse_more_of(group, key)
        with self._lock:
            session = self._sessions.get(key)
            full = len(self._sessions) >= self._engine.settings.max_sessions
        if session is None and full:
            self.sweep(key)
            self._make_room()
        with self._lock:
            session = self._sessions.get(key)
            if session is None and len(self._sessions) < self._engine.settings.max_sessions:
                session = Session(self._engine, self.vault, self.metrics)
                session.group = group
                self._sessions[key] = session
                self.metrics.add("sessions_opened_total")
            if session is not None:
                session.used = time.monotonic()
        if session is None:
            self.metrics.add("sessions_refused_total")
            raise Busy(
                f"{self._engine.settings.max_sessions} people are using this app right now, which "
                "is the most it takes. Try again in a minute."
            )
        return session

    def place(self, key: str) -> Place:
        """Where a page stands in line for the camera. Raises `Gone`, `LineFull`."""
        self._refuse_the_closed(key)
        return self.places.ask(key, asking())

    def is_open(self, key: str) -> None:
        """Note that a page is still open, though it asks for nothing: what it shows stays."""
        session = self._sessions.get(key)
        if session is not None:
            session.seen = time.monotonic()

    def rest(self, key: str) -> None:
        """Free the camera of a page that has lost its place; its results stay."""
        session = self._sessions.get(key)
        if session is not None:
            session.rest()

    def close(self, key: str) -> None:
        """Free what belongs to a page that was closed, and its calls, named `key`/..."""
        now = time.monotonic()
        with self._lock:
            calls = [k for k in self._sessions if k.startswith(f"{key}/")]
            self._closed[key] = now
            self._closed.move_to_end(key)
            while now - next(iter(self._closed.values())) > _LATE:
                self._closed.popitem(last=False)
        self._free([key, *calls])

    def close_all(self) -> None:
        """Free everything, at the end of the program."""
        self._stop.set()
        for session in list(self._sessions.values()):
            session.stop_job()  # all at once, so that they end together
        self._free(list(self._sessions))

    def sweep(self, but: str = "") -> None:
        """Free what belongs to pages that were not heard of for too long, whether or not they said
        goodbye."""
        self.places.sweep()
        self._keep_what_waits()
        settings, now = self._engine.settings, time.monotonic()
        with self._lock:
            sessions = list(self._sessions.items())
        self._free(
            [k for k, s in sessions if k != but and now - s.idle_since > settings.idle_seconds]
        )
        for key, session in sessions:
            if not self.places.serves(key) and now - session.used > settings.live_idle_seconds:
                session.rest()
            session.refresh_files()

    def gauges(self) -> dict[str, float]:
        """The present values of what goes up and down."""
        sessions = list(self._sessions.values())
        return {
            "sessions_open": len(sessions),
            "live_served": self.places.served,
            "live_waiting": self.places.waiting,
            "videos_running": sum(s.running for s in sessions),
            "videos_waiting": sum(s.waits for s in sessions),
            "model_waiting": self._engine.waiting,
        }

    def __len__(self) -> int:
        return len(self._sessions)

    def _refuse_the_closed(self, key: str) -> None:
        if not key:  # otherwise all requests without a page would share one session
            raise Gone("This request comes from no open page. Open the app in a browser.")
        closed = self._closed.get(key)
        if closed is not None and time.monotonic() - closed < _LATE:
            raise Gone("This page's connection was closed. It goes on in a few seconds.")
        if key in self._forgotten:
            raise Gone(
                "This page was not used for long while others needed its place, and what it showed "
                "is gone. Reload it to begin again."
            )

    def _refuse_more_of(self, group: str, key: str) -> None:
        with self._lock:
            if not group or key in self._sessions:
                return
            pages = sum(s.group == group for s in self._sessions.values())
        if pages >= self._most_of_a_group:
            self.metrics.add("sessions_refused_total")
            raise Busy(
                f"{pages} pages from your network address use this app right now, which is the "
                "most it takes from one. Close another one, or try again in a minute."
            )

    def _make_room(self) -> None:
        """Close the page that was used longest ago, open or not, if that is too long.

        A tab that was forgotten says for ever that it is open.
        """
        settings, now = self._engine.settings, time.monotonic()
        with self._lock:
            full = len(self._sessions) >= settings.max_sessions
            idle = [(s.used, k) for k, s in self._sessions.items() if not (s.running or s.waits)]
            used, key = min(idle, default=(now, ""))
            if not full or now - used <= settings.idle_seconds:
                return
            self._forgotten[key] = None
            if len(self._forgotten) > _REMEMBERED:
                self._forgotten.popitem(last=False)
        self._free([key])

    def _keep_what_waits(self) -> None:
        try:
            self.vault.keep(self.in_line())
        except Exception:  # it looks into Gradio's own line, and what is idle must be freed anyhow
            _LOG.exception("looking for files in line failed")

    def _free(self, keys: list[str]) -> None:
        for key in keys:
            self.places.leave(key)
            with self._lock:
                session = self._sessions.pop(key, None)
            if session is not None:
                session.close()
                self.metrics.add("sessions_closed_total")

    def _look_after(self) -> None:
        closed, grown = 0.0, GrownMemory()
        while not self._stop.wait(_SWEEP):
            try:
                self.sweep()
                self.vault.sweep()
                before, closed = closed, self._closings()
                if closed > before:
                    give_back()
                grown.look()
            except Exception:  # the next look may succeed, and without it nothing is ever freed
                _LOG.exception("looking for idle pages failed")

    def _closings(self) -> float:
        """How often something was closed so far that had taken much memory."""
        total = self.metrics.total
        return total("sessions_closed_total") + total("pose_streams_closed_total")
