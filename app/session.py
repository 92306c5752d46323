"""What belongs to one open page: its camera, its video job, its results."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from app.engine import Engine, NotReady
from app.job import Job, Outcome
from app.live import LiveStream
from app.metrics import Metrics
from app.settings import UserOptions
from app.vault import Vault

_CLOSING = 5.0  # seconds that a job is given to end
_PATIENCE = 1.0  # seconds to wait for a frame that is being recognised


class Session:
    """One page. Its camera stream is made lazily and used by one thread at a time.

    Attributes:
        lock: to be held while the camera stream is used. used: when the page last asked for
            something. waits: a video waits for its place.
    """

    def __init__(self, engine: Engine, vault: Vault, metrics: Metrics) -> None:
        self.lock = threading.Lock()
        self.used = time.monotonic()
        self.job: Job | None = None
        self.outcome: Outcome | None = None
        self.waits = False
        self._engine = engine
        self._vault = vault
        self._metrics = metrics
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
            self._metrics.add("pose_streams_opened_total")
        return self._live

    def stop_live(self) -> None:
        """Close the camera stream and free its pose model. Call with `lock` held."""
        if self._live is not None:
            live, self._live = self._live, None
            live.close()
            self._metrics.add("pose_streams_closed_total")

    def rest(self) -> None:
        """Free the camera stream, if there is one; the next frame makes a new one."""
        # The sweep looks after all sessions and does not wait for one: it comes again.
        if self._live is not None and self.lock.acquire(timeout=_PATIENCE):
            try:
                self.stop_live()
            finally:
                self.lock.release()

    @property
    def running(self) -> bool:
        """Whether a video is being recognised."""
        return self.job is not None and not self.job.wait(0)

    def begin(self, path: Path, name: str, options: UserOptions) -> Job:
        """Start recognising a video; the one before it is stopped and its files are removed."""
        self.forget_video(but=path)
        self._vault.hold(self, path)
        self._folder = self._vault.new_folder()
        self.job = Job(self._engine, options, path, name, self._folder, self._metrics)
        self.job.start()
        return self.job

    def stop_job(self) -> None:
        """Ask the running job, if any, to stop."""
        if self.job is not None:
            self.job.cancel()

    def forget_video(self, but: Path | None = None) -> None:
        """Stop the job and remove its results and uploads, all `but` one that is used again."""
        self.stop_job()
        self._remove_files(but)
        self.outcome = None
        self.waits = False

    def refresh_files(self) -> None:
        """Keep the files of a job that runs for long from being removed for their age."""
        if self.running and self._folder is not None:
            self._vault.refresh(self, self._folder)

    def close(self) -> None:
        """Free everything; the session cannot be used again."""
        self.stop_job()
        with self.lock:
            self._closed = True
            self.stop_live()
        if self.job is not None:
            self.job.wait(_CLOSING)
        self._remove_files()

    def _remove_files(self, but: Path | None = None) -> None:
        if self._folder is not None:
            self._vault.remove(self._folder)
            self._folder = None
        self._vault.release(self, but)
