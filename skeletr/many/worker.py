"""One video after the other, with one model and one pose frontend."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2

from skeletr import __version__
from skeletr.cores import limit_cores, usable_cores
from skeletr.devices import share_cores, unexpected
from skeletr.digest import checkpoint_digest
from skeletr.export import write_csv, write_json
from skeletr.files import atomic_folder
from skeletr.many.jobs import RESULT, VIDEO, Job, forget_video, with_video
from skeletr.onnx_engine import OnnxModel, open_checkpoint
from skeletr.overlay import OverlayStyle
from skeletr.pipeline import Cancelled, Result, annotate_video, recognize_video
from skeletr.pose import USUAL_PEOPLE, PoseError, PoseFrontend, create_frontend
from skeletr.recognizer import Recognizer, RecognizerConfig
from skeletr.video import OWN_FILES, VideoError

_log = logging.getLogger(__name__)

# Called with the share of a video that is done, 0..1.
Share = Callable[[float], None]


@dataclass(frozen=True)
class Settings:
    """How videos are recognised.

    checkpoint, engine, device: see `open_checkpoint` and `pick_device`. pose, max_people: see
    `create_frontend`. threshold: None = the checkpoint's own. picture: what the annotated video
    shows of people, None for no annotated video.
    """

    checkpoint: str
    device: str = "auto"
    engine: str | None = None
    pose: str = "mediapipe"
    max_people: int = USUAL_PEOPLE
    threshold: float | None = None
    picture: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a video.

    said: one line for people to read. problem: why there is no result, None if there is.
    warnings: sentences about damaged parts. frames: how many; seconds: how long the video is.
    """

    job: Job
    said: str = ""
    problem: str | None = None
    warnings: tuple[str, ...] = ()
    frames: int = 0
    seconds: float = 0.0


class VideoWorker:
    """Recognises videos and writes their results; `close` it after use."""

    def __init__(
        self, settings: Settings, make_frontend: Callable[[Settings], PoseFrontend] | None = None
    ) -> None:
        """make_frontend: what finds people, where it is not what the settings name.

        Raises `CheckpointError`, `DeviceError`, `PoseError` or `ValueError` where the settings
        cannot be met.
        """
        self._settings = settings
        self._make_frontend = make_frontend or _frontend
        checkpoint = open_checkpoint(Path(settings.checkpoint), settings.device, settings.engine)
        # No file holds attention, which costs time to work out.
        config = RecognizerConfig(threshold=settings.threshold, attention_kept=0)
        self._recognizer = Recognizer(checkpoint, config)
        self._frontend = self._make_frontend(settings)
        self.recorded: dict[str, Any] = {
            "version": __version__,
            "checkpoint": checkpoint_digest(checkpoint),
            "engine": "onnx" if isinstance(checkpoint.model, OnnxModel) else "torch",
            "threshold": self._recognizer.threshold,
            "pose": settings.pose,
            "max_people": settings.max_people,
            "picture": settings.picture,
        }

    def work(
        self, job: Job, progress: Share | None = None, cancel: threading.Event | None = None
    ) -> Outcome:
        """One video; whatever is wrong with it is said in the outcome.

        Raises:
            Cancelled: `cancel` was set; nothing was written.
        """
        name = job.video.name
        try:
            result = self._recognize(job, progress or (lambda share: None), cancel)
        except Cancelled:
            raise
        except (VideoError, PoseError) as error:
            return Outcome(job, problem=str(error))
        except OSError as error:
            said = f"{name}: the results cannot be written to {job.folder}: {error}"
            return Outcome(job, problem=said)
        except Exception as error:  # one strange file must not stop the ten thousand behind it
            _log.debug("%s", name, exc_info=True)
            self._renew()
            return Outcome(job, problem=f"{name}: {unexpected(error)}")
        return Outcome(
            job,
            said=_line(result, job),
            warnings=result.warnings,
            frames=len(result.recording.frame_times),
            seconds=result.info.duration or result.recording.end,
        )

    def _recognize(self, job: Job, progress: Share, cancel: threading.Event | None) -> Result:
        parts = 1 if self._settings.picture is None else 2
        result = recognize_video(
            job.video,
            self._frontend,
            self._recognizer,
            limits=OWN_FILES,
            progress=lambda share, what: progress(share / parts),
            cancel=cancel,
        )
        settings = with_video(self.recorded, job.video)
        # The result comes last: where it is, the others are too.
        with atomic_folder(job.folder, last=RESULT) as partial:
            if self._settings.picture is None:
                forget_video(job.folder)
            else:
                drawing = annotate_video(
                    job.video,
                    result,
                    partial / VIDEO,
                    style=OverlayStyle(picture=self._settings.picture),
                    limits=OWN_FILES,
                    progress=lambda share, what: progress((1 + share) / parts),
                    cancel=cancel,
                )
                result.timing.update(drawing)
            write_csv(result, partial / "actions.csv")
            write_json(result, partial / RESULT, settings)
            result.recording.save(partial / "recording.npz")
        return result

    def _renew(self) -> None:
        """A new pose frontend: the old one may be in any state."""
        self._frontend.close()
        self._frontend = self._make_frontend(self._settings)

    def close(self) -> None:
        """Free what the pose frontend holds."""
        self._frontend.close()


def _frontend(settings: Settings) -> PoseFrontend:
    return create_frontend(settings.pose, max_people=settings.max_people)


def share_among(workers: int) -> int:
    """Cores for each of `workers` processes on this machine, at least 1."""
    return max(1, usable_cores() // workers)


def keep_to(cores: int) -> None:
    """Let this process, which is one of several, use so many cores."""
    limit_cores(cores)
    cv2.setNumThreads(cores)
    share_cores()


def _line(result: Result, job: Job) -> str:
    frames = len(result.recording.frame_times)
    pace = frames / max(result.timing["total"], 1e-9)
    people = len(result.log.people)
    best = ", ".join(f"{name} {score:.0%}" for name, score in result.log.overall()[:3])
    return (
        f"{result.info.name}: {frames} frames, {people} people, {best or 'nobody recognised'}; "
        f"{pace:.1f} frames/s; results in {job.folder}"
    )
