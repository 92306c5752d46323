"""Clips and recordings that a visitor gives as examples."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from app import views
from app.checks import Checks
from app.engine import Engine, NotReady
from app.lesson import Lesson
from app.on_use import OnUse
from app.opening import OpenError, is_skeleton_file, open_skeletons
from app.sessions import Sessions
from app.settings import UserOptions
from app.teacher import Teacher
from app.teaching import Teaching
from skeletr.pipeline import Cancelled, Progress, record_video
from skeletr.pose import FRONTENDS
from skeletr.pose.base import PoseError
from skeletr.recording import Recording
from skeletr.session import Session
from skeletr.teach import LONGEST_EXAMPLE, TeachError
from skeletr.video import VideoError, VideoLimits

MOST_FILES = 20  # at once
_LOOKING = 0.9  # share of the time of a file that goes into finding people; the rest into learning
_REFUSED = (TeachError, NotReady, OpenError, PoseError, VideoError)


class FilesLesson(Lesson):
    """Learn from files.

    Attributes:
        refused: why some of them cannot be used, by path, as found by `look`.
    """

    def __init__(
        self, paths: Sequence[Path], learn: Callable[[FilesLesson], str], closed: threading.Event
    ) -> None:
        super().__init__(lambda _: learn(self), closed)
        self.refused: dict[Path, str] = {}
        self._paths = paths

    def look(self, checks: Checks, limits: VideoLimits) -> None:
        """Look at the files before it is their turn; ends early once it is stopped."""
        for path in dict.fromkeys(self._paths[:MOST_FILES]):
            if self.stop.is_set():
                return
            problem = checks.problem(path, path.name, _limits(path, limits))
            if problem:
                self.refused[path] = problem

    @property
    def told_at_once(self) -> str:
        """What to tell where none of the files can be used, as HTML; "" where one may be."""
        paths = self._paths[:MOST_FILES]
        if not all(path in self.refused for path in paths):
            return ""
        told = (_problem(path, self.refused[path]) for path in paths)
        return _left_out(self._paths) + "".join(told)


def lesson_from_files(
    paths: Sequence[Path], name: str, teaching: Teaching, teacher: Teacher, sessions: Sessions
) -> FilesLesson:
    """Learn from files, one after the other, and remove them; to be started.

    The files are held for the lesson until it has ended; see `Teaching.drop_lesson`.
    """

    def learn(lesson: FilesLesson) -> str:
        try:
            teaching.checked(name, teacher.labels)
            return _left_out(paths) + _taught(paths, name, teaching, teacher, sessions, lesson)
        except TeachError as error:
            return views.note(f"{error} Then drop the clips again.", "problem")
        finally:
            sessions.vault.release(lesson)

    lesson = FilesLesson(paths, learn, teaching.closed)
    for path in paths:
        sessions.vault.hold(lesson, path)
    return lesson


def _left_out(paths: Sequence[Path]) -> str:
    more = len(paths) - MOST_FILES
    if more <= 0:
        return ""
    rest = "the last one" if more == 1 else f"the last {more}"
    return views.note(
        f"{len(paths)} files were dropped; {MOST_FILES} at once is the most. Drop {rest} again.",
        "warning",
    )


def _taught(
    paths: Sequence[Path],
    name: str,
    teaching: Teaching,
    teacher: Teacher,
    sessions: Sessions,
    lesson: FilesLesson,
) -> str:
    """What came of each file, as HTML."""
    told, count = "", min(len(paths), MOST_FILES)
    for index, path in enumerate(paths[:MOST_FILES]):
        if path in lesson.refused:
            told += _problem(path, lesson.refused[path])
            continue
        of = f"{path.name} ({index + 1} of {count})" if count > 1 else path.name

        def note(done: float, doing: str, of: str = of, index: int = index) -> None:
            lesson.note(of, doing, (index + done) / count)

        try:
            told += _one(path, name, teaching, teacher, sessions.engine, lesson, note)
        except Cancelled:
            return told + views.note(_stopped(path, count - index - 1))
    return told


def _stopped(path: Path, more: int) -> str:
    rest = f" {more} more left out." if more else ""
    return f"{path.name} was stopped.{rest} What was learned before stays."


def _one(
    path: Path,
    name: str,
    teaching: Teaching,
    teacher: Teacher,
    engine: Engine,
    lesson: Lesson,
    note: Progress,
) -> str:
    """Raises `Cancelled` where the lesson is stopped."""

    def learning(share: float) -> None:
        if lesson.stop.is_set():
            raise Cancelled("stopped on request")
        note(_LOOKING + share * (1 - _LOOKING), "Learning from")

    if lesson.stop.is_set():
        raise Cancelled("stopped before it began")
    note(0.0, "Looking at")
    try:
        recording = _recording(
            path, engine, lesson.stop, lambda s, _: note(s * _LOOKING, "Looking at")
        )
        note(_LOOKING, "Learning from")
        told = teaching.offer(teacher, name, recording, learning)
    except _REFUSED as error:
        return _problem(path, str(error))
    return views.note(told)


def _problem(path: Path, told: str) -> str:
    return views.note(told if path.name in told else f"{path.name}: {told}", "problem")


def _recording(path: Path, engine: Engine, stop: threading.Event, note: Progress) -> Recording:
    """The people in a clip, a recording or a saved session. `stop`: ends it."""
    limits = engine.settings.limits
    if is_skeleton_file(path):
        opened = open_skeletons(path, path.name, limits)
        return opened.recording if isinstance(opened, Session) else opened
    options = UserOptions(FRONTENDS[0], engine.settings.usual_people)
    frontend, limits = OnUse(lambda: engine.frontend(options)), _clip_limits(limits)
    try:
        recording, _ = record_video(
            path, frontend, limits=limits, name=path.name, progress=note, cancel=stop
        )
    finally:
        frontend.close()
    return recording


def _limits(path: Path, limits: VideoLimits) -> VideoLimits:
    """Of a file that is looked at. What is gone is said when it is looked at."""
    return limits if path.exists() and is_skeleton_file(path) else _clip_limits(limits)


def _clip_limits(limits: VideoLimits) -> VideoLimits:
    """It is a stranger's file, and nothing longer can be an example."""
    return replace(limits, apart=True, max_seconds=min(LONGEST_EXAMPLE, limits.max_seconds))
