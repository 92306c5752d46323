"""Clips that are dropped in the *Teach* tab: in line, how far they are, and a way to stop them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import gradio as gr

from app import views
from app.checks import NotInLine
from app.page import QUIET, session_of
from app.sessions import Busy, Sessions
from app.settings import AppSettings
from app.teach_files import lesson_from_files
from app.teach_told import shown
from app.teacher import Teacher

_POLL = 0.25  # seconds between two looks at what is being learned


def wire_clips(
    ui: SimpleNamespace, sessions: Sessions, teacher: Teacher, settings: AppSettings
) -> None:
    """Connect them; they wait in one line with the videos."""
    idle = {ui.clips: None, ui.cancel: gr.update(visible=False)}

    def wait(files: list[str] | None, name: str, request: gr.Request) -> dict:
        teaching = session_of(sessions, request).teaching
        paths = [Path(f) for f in files or ()]
        teaching.drop_lesson()
        teaching.lesson = lesson_from_files(paths, name, teaching, teacher, sessions)
        text = "Looking at the clips and waiting for a free place."
        return {ui.told: views.note(text), ui.cancel: gr.update(visible=True)}

    def look(request: gr.Request) -> dict:
        with suppress(Busy):  # said where the clips would be learned from
            teaching = sessions.get(request.session_hash or "").teaching
            lesson = teaching.lesson
            if lesson is not None and not lesson.started:
                lesson.look(sessions.checks, settings.limits)
            if lesson is None or lesson is not teaching.lesson or lesson.told_at_once:
                raise NotInLine
        return {ui.told: gr.skip()}  # it may say by now that this was given up

    def refuse(request: gr.Request) -> dict:
        teaching = session_of(sessions, request).teaching
        lesson = teaching.lesson
        if lesson is None or not lesson.told_at_once:
            return {ui.told: gr.skip()}  # it was given up, or others were given
        teaching.drop_lesson()
        return idle | {ui.told: lesson.told_at_once}

    def learn(request: gr.Request) -> Iterator[dict]:
        session = session_of(sessions, request)
        lesson = session.teaching.lesson
        if lesson is None or lesson.started:  # it was given up, or goes on already
            yield {ui.told: gr.skip()}
            return
        lesson.start()
        while not lesson.wait(_POLL):
            session.used = time.monotonic()
            yield {ui.told: lesson.bar}
        if session.teaching.lesson is lesson:
            session.teaching.lesson = None
            yield idle | shown(ui, session.teaching, lesson.told)

    def cancel(request: gr.Request) -> dict:
        if not session_of(sessions, request).teaching.drop_lesson():
            return {ui.told: gr.skip()}  # what runs says itself that it was stopped
        return idle | {ui.told: views.note("Stopped. Drop clips again, or record an example.")}

    quick = {"queue": False, **QUIET}
    steps = [ui.told, ui.clips, ui.cancel]
    waiting = ui.clips.upload(wait, [ui.clips, ui.name], steps, **quick)
    # First, as a clip that is refused must not wait in line to be told so.
    looked = waiting.then(look, None, ui.told, trigger_mode="multiple", **quick)
    looked.failure(refuse, None, steps, **quick)
    looked.success(
        learn,
        None,
        [*ui.shown, ui.clips, ui.cancel],
        concurrency_id="video",
        concurrency_limit=settings.jobs,
        trigger_mode="multiple",
        **QUIET,
    )
    ui.cancel.click(cancel, None, steps, **quick)
