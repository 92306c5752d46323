"""One video being recognised in the background, with progress and a way to stop it."""

from __future__ import annotations

import logging
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from app.engine import Engine, NotReady
from app.metrics import Metrics
from app.settings import UserOptions
from skeletr.export import write_csv, write_json
from skeletr.overlay import OverlayStyle
from skeletr.pipeline import Cancelled, Result, annotate_video, recognize_video
from skeletr.pose.base import PoseError
from skeletr.video import VideoError, VideoLimits

_LOG = logging.getLogger(__name__)
_RECOGNISING = 0.75  # share of the time that goes into recognising; the rest into drawing


@dataclass(frozen=True)
class Files:
    """What can be downloaded."""

    video: Path
    csv: Path
    json: Path
    recording: Path


@dataclass(frozen=True)
class Outcome:
    """How a job ended: a result with its files, or one sentence about why there is none."""

    result: Result | None = None
    files: Files | None = None
    problem: str = ""
    stopped: bool = False


class Job:
    """Recognise `path` in a thread of its own; poll `share`, `doing` and `outcome`."""

    def __init__(
        self,
        engine: Engine,
        options: UserOptions,
        path: Path,
        name: str,
        folder: Path,
        metrics: Metrics | None = None,
    ) -> None:
        self.name = name
        self.share = 0.0
        self.doing = "Waiting for the models"
        self.outcome: Outcome | None = None
        self._engine = engine
        self._options = options
        self._path = path
        self._folder = folder
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
        except (VideoError, PoseError, NotReady) as error:
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
        limits = self._engine.settings.limits
        self._engine.wait()
        recognizer = self._engine.recognizer(self._options)
        frontend = self._engine.frontend(self._options)
        try:
            result = recognize_video(
                self._path,
                frontend,
                recognizer,
                limits=limits,
                name=self.name,
                progress=lambda share, doing: self._note(share * _RECOGNISING, doing),
                cancel=self._cancel,
            )
        finally:
            frontend.close()
        return Outcome(result, self._write(result, limits))

    def _write(self, result: Result, limits: VideoLimits) -> Files:
        stem = safe_stem(self.name)
        files = Files(
            video=self._folder / f"{stem}-annotated.mp4",
            csv=self._folder / f"{stem}-actions.csv",
            json=self._folder / f"{stem}-result.json",
            recording=self._folder / f"{stem}-recording.npz",
        )
        drawing = annotate_video(
            self._path,
            result,
            files.video,
            style=OverlayStyle(picture=self._options.picture),
            limits=limits,
            progress=lambda share, doing: self._note(
                _RECOGNISING + share * (1 - _RECOGNISING), doing
            ),
            cancel=self._cancel,
        )
        result.timing.update(drawing)
        stages = {stage: spent for stage, spent in result.timing.items() if stage != "total"}
        self._metrics.stages(stages, "video")
        write_csv(result, files.csv)
        write_json(result, files.json)
        result.recording.save(files.recording)
        return files

    def _note(self, share: float, doing: str) -> None:
        self.share, self.doing = share, doing


def safe_stem(name: str) -> str:
    """A file name without its ending, made of letters, digits, dash and underscore."""
    return re.sub(r"[^\w-]+", "_", Path(name).stem).strip("_")[:60] or "video"
