"""What a job does: recognise a video or a recording, or show a session again; and write files."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from app.checks import check
from app.engine import Engine
from app.on_use import OnUse
from app.opening import is_skeleton_file, open_skeletons
from app.outcome import Files, Outcome
from app.settings import UserOptions
from skeletr.export import write_csv, write_json
from skeletr.overlay import OverlayStyle
from skeletr.pipeline import Cancelled, Progress, Result, annotate_video, recognize_video
from skeletr.pyskl_export import annotation, write_pyskl
from skeletr.recording import Recording, RecordingError
from skeletr.replay import recognize_recording, replay_video
from skeletr.scoring import Taught
from skeletr.session import Session
from skeletr.subtitles import write_vtt
from skeletr.tracking import Tracker

_RECOGNISING = 0.75  # share of the time that goes into recognising a video; the rest into drawing
_FOLLOWING = 0.35  # the same where the skeletons are there already
_LOOK = 0.25  # seconds between two looks at what one waits for
_MOST_NAME = 200  # characters
_AS_SAVED = (
    "Shown as it was saved, drawn from the joints. Recognise asks the model of today once more."
)

Source = Path | Recording


@dataclass(frozen=True)
class Work:
    """One job's surroundings.

    folder: where the files go, None if none are wanted. note: told of the share done, 0 to 1, and
    what is being done. cancel: set to stop. anew: recognise what a session holds once more.
    measured: told of the seconds spent in each stage. taught: the visitor's own labels.
    """

    engine: Engine
    options: UserOptions
    name: str
    folder: Path | None
    note: Progress
    cancel: threading.Event
    measured: Callable[[Mapping[str, float]], None]
    anew: bool = False
    taught: Taught | None = None

    def share(self, begin: float, end: float) -> Progress:
        """Progress of a part of the work, from `begin` to `end` of the whole."""
        return lambda done, doing: self.note(begin + done * (end - begin), doing)


def do(work: Work, source: Source) -> Outcome:
    """Recognise or open `source`.

    Raises:
        VideoError, OpenError, PoseError, NotReady: it cannot be; the message says why.
        Cancelled: asked to stop.
    """
    _wait_for_models(work, source)
    if isinstance(source, Path) and not is_skeleton_file(source, work.name):
        return _video(work, source)
    if isinstance(source, Recording):
        return _example(work, source)
    opened = open_skeletons(source, work.name, work.engine.settings.limits)
    if isinstance(opened, Recording):
        return _recording(_called(work, opened.source), opened)
    if work.anew:
        return _recording(_called(work, opened.name), opened.recording)
    return _session(work, opened)


def _wait_for_models(work: Work, source: Source) -> None:
    """A file that is refused waits for no models."""
    if isinstance(source, Path) and not work.engine.settled(0):
        check(source, work.name, work.engine.settings.limits)
    while not work.engine.settled(_LOOK):
        if work.cancel.is_set():
            raise Cancelled("stopped while the models were loading")
    work.engine.wait()


def _called(work: Work, name: str) -> Work:
    """The same for what a file says it is from; by the name of the file if it says nothing."""
    return replace(work, name=name[:_MOST_NAME] or work.name)


def _video(work: Work, path: Path) -> Outcome:
    recognizer = work.engine.recognizer(work.options, taught=work.taught)
    frontend = OnUse(lambda: work.engine.frontend(work.options))
    limits = replace(work.engine.settings.limits, apart=True)  # it is a stranger's file
    try:
        result = recognize_video(
            path,
            frontend,
            recognizer,
            Tracker(work.options.tracking),
            limits=limits,
            name=work.name,
            progress=work.share(0, _RECOGNISING if work.folder else 1),
            cancel=work.cancel,
        )
    finally:
        frontend.close()

    def draw(out: Path) -> dict[str, float]:
        return annotate_video(
            path,
            result,
            out,
            style=OverlayStyle(picture=work.options.picture),
            limits=limits,
            progress=work.share(_RECOGNISING, 1),
            cancel=work.cancel,
        )

    files = _written(work, result, draw)
    work.measured(result.timing)
    return Outcome(result, files, taught=work.taught)


def _example(work: Work, recording: Recording) -> Outcome:
    """The same for everybody who taught nothing, unless it is to be recognised anew."""
    if work.folder is None or work.anew or work.taught is not None:
        return _recording(work, recording)
    key, ready_made = (work.name, work.options.threshold), work.engine.ready_made
    known = ready_made.take(key, work.folder)
    if known is not None:
        return known
    while not ready_made.making.acquire(timeout=_LOOK):
        if work.cancel.is_set():
            raise Cancelled("stopped while another example was made")
    try:
        outcome = ready_made.take(key, work.folder)  # perhaps it was this one
        if outcome is None:
            outcome = _recording(work, recording)
            ready_made.keep(key, outcome)
        return outcome
    finally:
        ready_made.making.release()


def _recording(work: Work, recording: Recording) -> Outcome:
    result = recognize_recording(
        recording,
        work.engine.recognizer(work.options, taught=work.taught),
        name=work.name,
        progress=work.share(0, _FOLLOWING if work.folder else 1),
        cancel=work.cancel,
    )
    files = _written(work, result, _replay(work, result, _FOLLOWING))
    work.measured(result.timing)
    return Outcome(result, files, taught=work.taught)


def _session(work: Work, session: Session) -> Outcome:
    result = session.result()
    # Its timing stays that of the day it was recognised.
    files = _written(work, result, _replay(work, result, 0), timed=False)
    return Outcome(result, files, told=_AS_SAVED)


def _replay(work: Work, result: Result, begin: float) -> Callable[[Path], dict[str, float]]:
    return lambda out: replay_video(
        result,
        out,
        progress=work.share(begin, 1),
        cancel=work.cancel,
    )


def _written(
    work: Work, result: Result, draw: Callable[[Path], dict[str, float]], timed: bool = True
) -> Files | None:
    """The files of a result; its timing then holds that of drawing too, if `timed`."""
    if work.folder is None:
        return None
    files = _named(work.folder, safe_stem(result.info.name))
    spent = draw(files.video)
    if timed:
        result.timing.update(spent)
    write_csv(result, files.csv)
    write_json(result, files.json)
    result.recording.save(files.recording)
    Session.of(result).save(files.session)
    write_vtt(result.log, files.subtitles)
    return files if _write_pyskl(result, files.pyskl) else replace(files, pyskl=None)


def _named(folder: Path, stem: str) -> Files:
    return Files(
        video=folder / f"{stem}-annotated.mp4",
        session=folder / f"{stem}-session.npz",
        csv=folder / f"{stem}-actions.csv",
        json=folder / f"{stem}-result.json",
        recording=folder / f"{stem}-recording.npz",
        subtitles=folder / f"{stem}.vtt",
        pyskl=folder / f"{stem}-pyskl.pkl",
    )


def _write_pyskl(result: Result, path: Path) -> bool:
    """A pickle of one clip with its best label; False where there is nothing to put into it."""
    labels = result.log.overall()
    if not labels:
        return False
    label = result.log.labels.index(labels[0][0])
    try:
        clip = annotation(result.recording, safe_stem(result.info.name), label)
    except RecordingError:
        return False
    write_pyskl([clip], path)
    return True


def safe_stem(name: str) -> str:
    """A file name without its ending, made of letters, digits, dash and underscore."""
    return re.sub(r"[^\w-]+", "_", Path(name).stem).strip("_")[:60] or "video"
