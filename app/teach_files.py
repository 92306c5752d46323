"""Clips and recordings that a visitor gives as examples."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app import views
from app.engine import Engine, NotReady
from app.opening import OpenError, is_skeleton_file, open_skeletons
from app.sessions import Sessions
from app.settings import UserOptions
from app.teacher import Teacher
from app.teaching import Teaching
from skeletr.pipeline import Cancelled, record_video
from skeletr.pose import FRONTENDS
from skeletr.pose.base import PoseError
from skeletr.recording import Recording
from skeletr.session import Session
from skeletr.teach import LONGEST_EXAMPLE, TeachError
from skeletr.video import VideoError

_AT_ONCE = 20  # files
_REFUSED = (TeachError, NotReady, OpenError, PoseError, VideoError)


def taught_files(
    paths: Sequence[Path], name: str, teaching: Teaching, teacher: Teacher, sessions: Sessions
) -> str:
    """Learn from files, one after the other, and remove them; what to tell, as HTML."""
    holder = object()  # another event of the page must not release them
    for path in paths:
        sessions.vault.hold(holder, path)
    try:
        teaching.checked(name, teacher.labels)
        return "".join(
            _taught(path, name, teaching, teacher, sessions.engine)
            for path in paths[:_AT_ONCE]
            if not teaching.closed.is_set()
        )
    except TeachError as error:
        return views.note(f"{error} Then drop the clips again.", "problem")
    finally:
        sessions.vault.release(holder)


def _taught(path: Path, name: str, teaching: Teaching, teacher: Teacher, engine: Engine) -> str:
    try:
        recording = _recording(path, engine, teaching.closed)
        told = teaching.offer(teacher, name, recording)
    except _REFUSED as error:
        return views.note(f"{path.name}: {error}", "problem")
    except Cancelled:  # the page was closed
        return ""
    return views.note(told)


def _recording(path: Path, engine: Engine, stop: threading.Event) -> Recording:
    """The people in a clip, a recording or a saved session. `stop`: ends it."""
    limits = engine.settings.limits
    if is_skeleton_file(path):
        opened = open_skeletons(path, path.name, limits)
        return opened.recording if isinstance(opened, Session) else opened
    # It is a stranger's file, and nothing longer can be an example.
    longest = min(LONGEST_EXAMPLE, limits.max_seconds)
    limits = replace(limits, apart=True, max_seconds=longest)
    frontend = engine.frontend(UserOptions(FRONTENDS[0]))
    try:
        recording, _ = record_video(path, frontend, limits=limits, name=path.name, cancel=stop)
    finally:
        frontend.close()
    return recording
