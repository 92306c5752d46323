"""What belongs to one open page: its camera, its video job, its results."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from pathlib import Path

from app.engine import Engine, NotReady
from app.job import Job, Outcome
from app.live import LiveStream
from app.settings import UserOptions


class Busy(RuntimeError):
    """Too many pages are open; the message says what to do."""


class Session:
    """One page. Its camera stream is made lazily and used by one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self.lock = threading.Lock()
        self.used = time.monotonic()
        self.job: Job | None = None
        self.outcome: Outcome | None = None
        self._engine = engine
        self._live: LiveStream | None = None
        self._folder: Path | None = None
        self._closed = False

    def live(self, options: UserOptions) -> LiveStream:
        """The camera stream, made anew when the options change. Call with `lock` held.

        Raises `NotReady` while the models load, `PoseError` if there is no pose model.
        """
        if self._closed:
            raise NotReady("This page was closed; reload it.")
        if self._live is None or self._live.options != options:
            self._engine.wait(timeout=0)
            self.stop_live()
            self._live = LiveStream(self._engine, options)
        return self._live

    def stop_live(self) -> None:
        """Close the camera stream and free its pose model. Call with `lock` held."""
        if self._live is not None:
            self._live.close()
            self._live = None

    def begin(self, path: Path, name: str, options: UserOptions) -> Job:
        """Start recognising a video; the one before it is stopped and its files are removed."""
        self.stop_job()
        self._remove_files()
        self.outcome = None
        self._folder = Path(tempfile.mkdtemp(prefix="skeletr-app-"))
        self.job = Job(self._engine, options, path, name, self._folder)
        self.job.start()
        return self.job

    def stop_job(self) -> None:
        """Ask the running job, if any, to stop."""
        if self.job is not None:
            self.job.cancel()

    def close(self) -> None:
        """Free everything; the session cannot be used again."""
        self.stop_job()
        with self.lock:
            self._closed = True
            self.stop_live()
        if self.job is not None:
            self.job.wait(5.0)
        self._remove_files()

    def _remove_files(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


class Sessions:
    """All open pages, by the hash that identifies them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> Session:
        """The session of a page, made on first use. Raises `Busy` when there are too many."""
        with self._lock:
            idle = self._take_idle(key)
            session = self._sessions.get(key)
            if session is None and len(self._sessions) < self._engine.settings.max_sessions:
                session = self._sessions[key] = Session(self._engine)
            if session is not None:
                session.used = time.monotonic()
        for old in idle:
            old.close()
        if session is None:
            raise Busy("Too many people are using this app right now. Try again in a minute.")
        return session

    def close(self, key: str) -> None:
        """Free what belongs to a page that was closed."""
        with self._lock:
            session = self._sessions.pop(key, None)
        if session is not None:
            session.close()

    def close_all(self) -> None:
        """Free everything, at the end of the program."""
        for key in list(self._sessions):
            self.close(key)

    def __len__(self) -> int:
        return len(self._sessions)

    def _take_idle(self, key: str) -> list[Session]:
        limit = time.monotonic() - self._engine.settings.idle_seconds
        idle = [k for k, s in self._sessions.items() if s.used < limit and k != key]
        return [self._sessions.pop(k) for k in idle]
