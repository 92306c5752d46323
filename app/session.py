"""What belongs to one open page: its camera, its video job, its results."""

from __future__ import annotations

import math
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine import Engine, NotReady
from app.job import Job, Outcome
from app.live import LiveStream
from app.live_attention import LiveAttention
from app.live_kept import LiveFile
from app.metrics import Metrics
from app.settings import UserOptions
from app.takes import Takes
from app.teaching import Teaching
from app.vault import Vault
from app.work import Source
from skeletr.pose import FRONTENDS
from skeletr.session import Session as Recognised

if TYPE_CHECKING:
    from app.exploration import Exploration

_CLOSING = 5.0  # seconds that a job is given to end
_PATIENCE = 1.0  # seconds to wait for a frame that is being recognised


class Session:
    """One page. Its camera stream is made lazily and used by one thread at a time.

    Attributes:
        lock: to be held while the camera stream is used. used: when the page last asked for
            something. seen: when it was last known to be open. asked: what it wants recognised,
            "" for nothing any more, None for nothing yet. waits: that waits for its place.
            refused: why that cannot be used, where it was found before its turn.
        teaching: the visitor's own actions. takes: examples of them, from the camera.
        attention: what is looked at in that of the camera. exploration: what is asked about
            `outcome`. group: of visitors from the same network address.
    """

    def __init__(self, engine: Engine, vault: Vault, metrics: Metrics) -> None:
        self.lock = threading.Lock()
        self.used = time.monotonic()
        self.seen = -math.inf
        self.asked: str | None = None
        self.job: Job | None = None
        self.outcome: Outcome | None = None
        self.exploration: Exploration | None = None
        self.waits = False
        self.group = ""
        self.refused = ""
        self.teaching = Teaching(vault)
        self.takes = Takes()
        self.attention = LiveAttention()
        self._engine = engine
        self._vault = vault
        self._metrics = metrics
        self._live: LiveStream | None = None
        self._stopped: Recognised | None = None  # of the camera before it was stopped
        self._live_file = LiveFile(vault)
        self._folder: Path | None = None
        self._borrowed: Path | None = None  # an upload that is not this page's to remove
        self._closed = False

    def live(self, options: UserOptions | None = None) -> LiveStream:
        """The camera stream, which goes on when the options change. Call with `lock` held.

        options: None = as they are.

        Raises `NotReady` while the models load, `PoseError` if there is no pose model.
        """
        if self._closed:
            raise NotReady("This page was closed; reload it.")
        taught = self.teaching.taught
        if self._live is None:
            self._engine.wait(timeout=0)
            chosen = options or UserOptions(FRONTENDS[0], self._engine.settings.usual_people)
            self._live = LiveStream(self._engine, chosen, taught, self.attention)
            self._stopped = None
            self._metrics.add("pose_streams_opened_total")
        else:
            self._live.adapt(options or self._live.options, taught)
        return self._live

    def stop_live(self) -> None:
        """Close the camera stream and free its pose model; what it recognised can still be saved.

        Call with `lock` held.
        """
        if self._live is not None:
            self._stopped = None if self._closed else self._live.session()
            self._close_live()

    def forget_live(self) -> None:
        """Close the camera stream, and forget all that it recognised."""
        with self.lock:
            self._close_live()
            self._stopped = None
        self.attention.forget()
        self._live_file.remove()

    def save_live(self) -> tuple[Path, Recognised] | None:
        """Write what the camera has recognised lately; None where nobody was seen.

        Raises:
            OSError: the disk refused.
        """
        with self.lock:
            found = self._stopped if self._live is None else self._live.session()
        if found is None:
            return None
        path = self._live_file.write(found)
        if self._closed:  # the page was closed meanwhile
            self._live_file.remove()
            return None
        return path, found

    def _close_live(self) -> None:
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

    def begin(
        self,
        source: Source,
        name: str,
        options: UserOptions,
        anew: bool = False,
        files: bool = True,
    ) -> Job:
        """Start with a file or a recording; what came before is stopped and its files removed.

        Args:
            anew: recognise once more what a session holds. files: write the results as files;
                without them an upload is left to its age, as another call may wait for it.
        """
        upload = source if isinstance(source, Path) else None
        self.forget_video(but=upload)
        if upload is not None and files:
            self._vault.hold(self, upload)
        self._borrowed = None if files else upload
        self._folder = self._vault.new_folder() if files else None
        self.job = Job(
            self._engine,
            options,
            source,
            name,
            self._folder,
            self._metrics,
            anew,
            self.teaching.taught,
        )
        self.job.start()
        return self.job

    @property
    def idle_since(self) -> float:
        """When it was last used, or its page known to be open."""
        return max(self.used, self.seen)

    def expect(self, asked: str, upload: Path | None = None) -> None:
        """Note what waits for its place; nobody else's leaving removes it meanwhile.

        What was asked for before is stopped: it may hold the place.
        """
        self.stop_job()
        self.asked, self.refused = asked, ""
        self.waits = True
        if upload is not None:
            self._vault.hold(self, upload)

    def refuse(self, problem: str) -> None:
        """Note that what waits for its place cannot be used."""
        self.refused = problem
        self.waits = False
        self._metrics.add("videos_total", ending="refused")

    def stop_job(self) -> None:
        """Ask the running job, if any, to stop."""
        if self.job is not None:
            self.job.cancel()

    def forget_video(self, but: Path | None = None) -> None:
        """Stop the job and remove its results and uploads, all `but` one that is used again."""
        self.stop_job()
        self._remove_files(but)
        self._end_exploration()
        self.outcome = None
        self.waits = False

    def give_up(self) -> bool:
        """Stop what runs, and want no longer what waits; whether something waited."""
        self.stop_job()
        waited, self.waits = self.waits, False
        if waited:
            self.asked = ""
        return waited

    def refresh_files(self) -> None:
        """Keep the files of a job that waits or runs for long from being removed for their age."""
        if self.running or self.waits:
            self._vault.refresh(self, self._folder)
        if self.running and self._borrowed is not None:
            self._vault.keep([self._borrowed])
        self.teaching.refresh_file()

    def close(self) -> None:
        """Free everything; the session cannot be used again."""
        self.stop_job()
        with self.lock:
            self._closed = True
            self.stop_live()
            self._stopped = None
        if self.job is not None:
            self.job.wait(_CLOSING)
        self._end_exploration(_CLOSING)
        self._remove_files()
        self.teaching.close()
        self._live_file.remove()

    def _end_exploration(self, timeout: float = 0.0) -> None:
        # At the end of the program a thread within the network's own code would end it by a signal.
        exploration, self.exploration = self.exploration, None
        if exploration is not None:
            exploration.stop(timeout)

    def _remove_files(self, but: Path | None = None) -> None:
        if self._folder is not None:
            self._vault.remove(self._folder)
            self._folder = None
        self._vault.release(self, but)
