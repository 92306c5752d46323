"""The *Video* tab: a file or an example goes in, labelled people and their attention come out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import gradio as gr

from app import views
from app.checks import NotInLine
from app.controls import option_controls, read
from app.examples import example, example_buttons
from app.job import Job, Outcome
from app.page import QUIET, session_of
from app.results import results_view
from app.sessions import Busy, Session, Sessions
from app.settings import AppSettings, UserOptions
from app.work import Source

_GO_ON = "Press Recognise to begin again, or drop another video."
_LOOKING = "Looking at the file and waiting for a free place."
_WAITING = "Waiting for a free place."
_POLL = 0.25  # seconds between two looks at a running job


def video_tab(sessions: Sessions, settings: AppSettings) -> None:
    """Lay out and wire the tab inside the current block."""
    ui = _layout(sessions, settings)
    _wire(ui, sessions, settings)


def _layout(sessions: Sessions, settings: AppSettings) -> SimpleNamespace:
    ui = SimpleNamespace()
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=320):
            # Any file may come: what cannot be used is answered in the page's own words.
            ui.file = gr.File(label="Video or saved session", height=150, elem_id="video-file")
            ui.examples = example_buttons()
            ui.example = gr.State("")  # the one that is shown, "" for a file
        with gr.Column(scale=2, min_width=300):
            with gr.Accordion("Settings", open=False):
                ui.options = option_controls(settings)
            with gr.Row():
                ui.again = gr.Button("Recognise", variant="primary", interactive=False, size="md")
                ui.cancel = gr.Button("Cancel", visible=False, size="md", elem_id="video-cancel")
    ui.status = gr.HTML(views.note(views.VIDEO_HINT), elem_id="video-status", padding=False)
    ui.results = results_view(sessions)
    return ui


def _wire(ui: SimpleNamespace, sessions: Sessions, settings: AppSettings) -> None:
    steps = [ui.status, ui.again, ui.cancel, *ui.results.outputs]
    first = [ui.status, ui.again, ui.cancel, ui.file, ui.example, *ui.results.outputs]
    start = {
        "outputs": steps,
        "concurrency_limit": settings.jobs,
        "concurrency_id": "video",
        "trigger_mode": "multiple",
        **QUIET,
    }

    def begin(
        source: Source | None,
        name: str,
        options: tuple[object, ...],
        request: gr.Request,
        anew: bool = False,
    ) -> Iterator[dict]:
        idle = {ui.cancel: gr.update(visible=False)}
        if source is None:
            yield idle | {ui.status: views.note(views.VIDEO_HINT)}
            return
        try:
            chosen = read(settings.max_people, *options)
            session = sessions.get(request.session_hash or "")
        except (ValueError, Busy) as error:
            yield idle | {ui.status: views.note(str(error), "problem")}
            return
        if session.asked not in (None, _asked(source, name)):
            yield {ui.status: gr.skip()}  # something else was asked for while this waited
            return
        yield from _follow(ui, session, (source, name, chosen, anew))

    def recognise(file: str | None, request: gr.Request, *options: object) -> Iterator[dict]:
        yield from begin(*_file(file), options, request)

    def recognise_anew(
        file: str | None, shown: str, request: gr.Request, *options: object
    ) -> Iterator[dict]:
        source, name = (example(shown), shown) if shown else _file(file)
        yield from begin(source, name, options, request, anew=True)

    def wait(file: str | None, request: gr.Request) -> dict:
        return show(_file(file)[0], request) | {ui.example: ""}

    def wait_again(file: str | None, shown: str, request: gr.Request) -> dict:
        return show(None if shown else _file(file)[0], request, shown)

    def show(upload: Path | None, request: gr.Request, shown: str = "") -> dict:
        asked = _asked(upload, shown)
        if asked:
            try:
                sessions.get(request.session_hash or "").expect(asked, upload)
            except Busy as error:
                return _no_room(ui, sessions, upload, error)
        text = views.VIDEO_HINT if not asked else _LOOKING if upload else _WAITING
        return {
            ui.status: views.note(text),
            **ui.results.hide(),
            ui.again: gr.update(interactive=bool(asked)),
            ui.cancel: gr.update(visible=bool(asked)),
        }

    def look(file: str | None, shown: str, request: gr.Request) -> dict:
        upload, name = _file(None if shown else file)
        try:
            session = sessions.get(request.session_hash or "")
        except Busy as error:  # said already
            raise NotInLine from error
        if not _asked(upload, shown):
            raise NotInLine
        problem = upload and sessions.checks.problem(upload, name, settings.limits)
        if problem and session.asked == str(upload):
            session.refuse(problem)
        if session.refused or session.asked not in (None, _asked(upload, shown)):
            raise NotInLine
        return {ui.status: gr.skip()}  # it may say by now that this was given up

    def refuse(request: gr.Request) -> dict:
        problem = ""
        with suppress(Busy):  # said already
            problem = sessions.get(request.session_hash or "").refused
        if not problem:
            return {ui.status: gr.skip()}  # it was given up, or something else was asked for
        return {ui.status: views.note(problem, "problem"), ui.cancel: gr.update(visible=False)}

    quick = {"queue": False, **QUIET}
    options = ui.options.inputs

    def in_line(waiting: gr.events.Dependency, then: Callable, inputs: list) -> None:
        """Look at the file first: what is refused must not wait in line to be told so."""
        looked = waiting.then(
            sessions.threads.looking(look),
            [ui.file, ui.example],
            ui.status,
            trigger_mode="multiple",
            **quick,
        )
        looked.success(then, inputs, **start)
        looked.failure(refuse, None, [ui.status, ui.cancel], **quick)

    in_line(ui.file.upload(wait, ui.file, first, **quick), recognise, [ui.file, *options])
    in_line(
        ui.again.click(wait_again, [ui.file, ui.example], first, **quick),
        recognise_anew,
        [ui.file, ui.example, *options],
    )
    for name, button in ui.examples.items():
        wait_for, recognise_example = _for_example(ui, name, show, begin)
        in_line(button.click(wait_for, None, first, **quick), recognise_example, options)

    def forget(request: gr.Request) -> dict:
        session = session_of(sessions, request)
        session.asked = ""
        session.forget_video()
        return show(None, request) | {ui.example: ""}

    def cancel(request: gr.Request) -> dict:
        if not session_of(sessions, request).give_up():
            return {ui.cancel: gr.skip()}  # what runs says itself that it was stopped
        return {ui.status: views.note(f"Stopped. {_GO_ON}"), ui.cancel: gr.update(visible=False)}

    ui.file.clear(forget, None, first, **quick)
    ui.cancel.click(cancel, None, [ui.status, ui.cancel], **quick)


def _file(file: str | None) -> tuple[Path | None, str]:
    return (None, "") if file is None else (Path(file), Path(file).name)


def _asked(source: Source | None, name: str) -> str:
    """What `Session.asked` is for it: the path of a file, or the name of an example."""
    return str(source) if isinstance(source, Path) else name


def _no_room(ui: SimpleNamespace, sessions: Sessions, upload: Path | None, error: Busy) -> dict:
    """Nothing is begun for a page without a session, nor is its file kept."""
    if upload is not None:
        sessions.vault.hold(error, upload)
        sessions.vault.release(error)
    return {
        ui.status: views.note(str(error), "problem"),
        **ui.results.hide(),
        ui.again: gr.update(interactive=False),
        ui.cancel: gr.update(visible=False),
        ui.file: None,
    }


def _for_example(
    ui: SimpleNamespace, name: str, show: Callable, begin: Callable
) -> tuple[Callable, Callable]:
    """What its button does at once, and then in line."""

    def wait_for(request: gr.Request) -> dict:
        return show(None, request, name) | {ui.file: None, ui.example: name}

    def recognise_example(request: gr.Request, *options: object) -> Iterator[dict]:
        yield from begin(example(name), name, options, request)

    return wait_for, recognise_example


def _follow(
    ui: SimpleNamespace,
    session: Session,
    work: tuple[Source, str, UserOptions, bool],
) -> Iterator[dict]:
    """Begin with a source, and tell how far it is until it has ended."""
    job = session.begin(*work)
    yield {ui.cancel: gr.update(visible=True), ui.again: gr.update(interactive=False)}
    while not job.wait(_POLL):
        session.used = time.monotonic()
        bar = views.progress(job.name, job.doing, job.share, job.remaining)
        yield {ui.status: bar}
    if session.job is job:  # otherwise a newer one has taken its place
        yield _ended(ui, session, job)


def _ended(ui: SimpleNamespace, session: Session, job: Job) -> dict:
    outcome = job.outcome or Outcome(problem=f"{job.name} could not be recognised.")
    session.outcome = outcome
    idle = {ui.cancel: gr.update(visible=False), ui.again: gr.update(interactive=True)}
    if outcome.stopped:
        return idle | {ui.status: views.note(f"{job.name} was stopped. {_GO_ON}")}
    if outcome.result is None or outcome.files is None:
        return idle | {ui.status: views.note(outcome.problem, "problem")}
    told = views.note(outcome.told) if outcome.told else ""
    return idle | {ui.status: told} | ui.results.show(outcome)
