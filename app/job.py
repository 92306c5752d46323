"""One file or recording dealt with in the background, with progress and a way to stop it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from app.engine import Engine, NotReady
from app.metrics import Metrics
from app.opening import OpenError
from app.outcome import Files, Outcome
from app.settings import UserOptions
from app.work import Source, Work, do, safe_stem
from skeletr.pipeline import Cancelled
from skeletr.pose.base import PoseError
from skeletr.scoring import Taught
from skeletr.video import VideoError

__all__ = ["Files", "Job", "Outcome", "safe_stem"]

_LOG = logging.getLogger(__name__)


class Job:
    """Recognise or open `source` in a thread of its own; poll `share`, `doing` and `outcome`.

    Args:
        source: path of a video, session or recording, or a recording.
        folder: where the files of the result go; None if none are wanted.
        anew: recognise once more what a session holds. taught: the visitor's own labels.
    """

    def __init__(
        self,
        engine: Engine,
        options: UserOptions,
        source: Source,
        name: str,
        folder: Path | None,
        metrics: Metrics | None = None,
        anew: bool = False,
        taught: Taught | None = None,
    ) -> None:
        self.name = name
        self.share = 0.0
        self.doing = "Waiting for the models"
        self.outcome: Outcome | None = None
        self._engine = engine
        self._options = options
        self._source = source
        self._folder = folder
        self._anew = anew
        self._taught = taught
        self._metrics = metrics or Metrics()
        self._cancel = threading.Event()
        self._ended = threading.Event()
        self._begin = time.monotonic()

    def start(self) -> None:
        """Begin; returns at once."""
        threading.Thread(target=self._run, daemon=True, name="video job").start()

    def cancel(self) -> None:
        """Ask it to stop; it does so within a frame."""
        self._cancel.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the end, at most `seconds`; True if it has ended."""
        return self._ended.wait(seconds)

    @property
    def remaining(self) -> float | None:
        """Seconds left, a guess; None while it is too early for one."""
        passed = time.monotonic() - self._begin
        return passed * (1 - self.share) / self.share if self.share > 0.05 else None

    def _run(self) -> None:
        try:
            self.outcome, ending = self._outcome()
            self._metrics.add("videos_total", ending=ending)
            fields = {"ending": ending, "seconds": round(time.monotonic() - self._begin, 1)}
            _LOG.info("video ended", extra={"fields": fields})
        finally:
            self._ended.set()

    def _outcome(self) -> tuple[Outcome, str]:
        """How it ended, for the page, and in one word: done, stopped, refused or failed."""
        try:
            return self._work(), "done"
        except Cancelled:
            return Outcome(stopped=True), "stopped"
        except (VideoError, OpenError, PoseError, NotReady) as error:
            return Outcome(problem=str(error)), "refused"
        except OSError as error:
            if self._cancel.is_set():  # a newer video has taken the folder away
                return Outcome(stopped=True), "stopped"
            _LOG.exception("the results of a video could not be written")
            reason = error.strerror or "the disk refused"
            problem = f"The results of {self.name} cannot be kept: {reason}."
        except MemoryError:
            _LOG.exception("a video needs more memory than there is")
            problem = f"{self.name} needs more memory than the server has."
        except Exception:
            _LOG.exception("a video could not be recognised")
            problem = (
                f"{self.name} could not be recognised because of a fault in this program; "
                "its log says more. Other videos still work."
            )
        return Outcome(problem=problem), "failed"

    def _work(self) -> Outcome:
        work = Work(
            self._engine,
            self._options,
            self.name,
            self._folder,
            self._note,
            self._cancel,
            self._measured,
            self._anew,
            self._taught,
        )
        return do(work, self._source)

    def _measured(self, stages: Mapping[str, float]) -> None:
        self._metrics.stages({k: v for k, v in stages.items() if k != "total"}, "video")

    def _note(self, share: float, doing: str) -> None:
        self.share, self.doing = share, doing
