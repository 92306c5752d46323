"""What is learned while its page waits: at once where that is quick, else with a bar and a way out.

Takes of the camera, answers about whom an example shows, deleted examples and loaded sets go this
way; each waits for the one before it.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import gradio as gr

from app import teach_view, views
from app.lesson import Lesson
from app.teach_told import shown, tell
from app.teaching import Note, Teaching
from skeletr.pipeline import Cancelled

_MOMENT = 0.3  # seconds for which nothing is said of it
_STOPPED = "Stopped. Your examples are as they were."


def begin(
    ui: SimpleNamespace,
    teaching: Teaching,
    name: str,
    doing: str,
    learn: Callable[[Note], str | None],
) -> dict:
    """Begin, and give it a moment to end.

    Args:
        name, doing: what is dealt with, and how, as the bar says it.
        learn: does it, with what is to be told of the share done; returns what to tell.

    Returns:
        Updates of `ui.busy`.
    """
    before = teaching.take

    def run(lesson: Lesson) -> str:
        told = _told_before(before)
        try:
            return told + tell(lambda: learn(lambda share: _note(lesson, name, doing, share)))
        except Cancelled:
            return told + views.note(_STOPPED)

    lesson = teaching.take = Lesson(run, teaching.closed)
    lesson.note(name, doing, 0.0)
    lesson.start()
    lesson.wait(_MOMENT)
    return progress(ui, teaching)


def progress(ui: SimpleNamespace, teaching: Teaching) -> dict:
    """What came of it; how far it is, where it has not ended."""
    lesson = teaching.take
    if lesson is None:
        return {ui.timer: gr.Timer(active=False)}
    if not lesson.wait(0):
        return {
            ui.now: teach_view.LEARNING,
            ui.told: lesson.bar,
            ui.timer: gr.Timer(active=True),
            ui.cancel: gr.update(visible=True),
        }
    teaching.take = None
    told = {ui.now: "", ui.timer: gr.Timer(active=False)} | shown(ui, teaching, lesson.told)
    clips = teaching.lesson is not None  # which the same button stops
    return told if clips else told | {ui.cancel: gr.update(visible=False)}


def stop(teaching: Teaching) -> None:
    """Give up what goes on, if anything does; it ends within a fraction of a second."""
    if teaching.take is not None:
        teaching.take.stop.set()


def _told_before(lesson: Lesson | None) -> str:
    """Wait for another one to end; what is to be told of that."""
    if lesson is None:
        return ""
    while not lesson.wait(1.0):
        pass
    return lesson.told


def _note(lesson: Lesson, name: str, doing: str, share: float) -> None:
    if lesson.stop.is_set():
        raise Cancelled("stopped on request")
    lesson.note(name, doing, share)
