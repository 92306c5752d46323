"""The *Teach* tab: a visitor's own actions, from the camera or short clips, used at once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
from anyio import to_thread

from app import teach_view, views
from app.engine import NotReady
from app.live import LiveView
from app.live_frames import in_line, recognised
from app.live_image import live_image
from app.page import QUIET, camera, camera_note, session_of
from app.sessions import Busy, Session, Sessions
from app.settings import AppSettings
from app.takes import COUNTDOWN, Moment
from app.teach_files import taught_files
from app.teacher import Teacher
from app.teaching import Teaching
from skeletr.teach import LONGEST_NAME, TeachError

_LOG = logging.getLogger(__name__)
_HERE = Path(__file__).parent
_EVERY = 0.05  # seconds between two frames that the page sends
_LENGTHS = (("2 seconds", 2.0), ("3 seconds", 3.0), ("5 seconds", 5.0), ("Until I press stop", 0.0))


def teach_tab(sessions: Sessions, settings: AppSettings) -> None:
    """Lay out and wire the tab inside the current block."""
    ui = _layout()
    teacher = Teacher(sessions.engine)
    _wire_camera(ui, sessions, teacher)
    _wire_examples(ui, sessions, teacher)
    _wire_files(ui, sessions, teacher, settings)


def _layout() -> SimpleNamespace:
    ui = SimpleNamespace()
    gr.HTML(views.note(teach_view.HINT), padding=False)
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=300):
            ui.name = gr.Textbox(
                label="1. Name of the action",
                placeholder="for example: juggle",
                max_length=LONGEST_NAME,
                elem_id="teach-name",
            )
            ui.camera = camera("teach", "2. Record it with the camera", height=230)
            camera_note()
            ui.length = gr.Dropdown(
                list(_LENGTHS), value=2.0, label="Length of a take", filterable=False
            )
            with gr.Row():
                ui.record = gr.Button(
                    "Record an example", variant="primary", size="md", elem_id="teach-record"
                )
                ui.stop = gr.Button("Stop", size="md", elem_id="teach-stop", min_width=90)
            ui.clips = gr.File(
                label="or drop short clips, recordings or saved sessions",
                file_count="multiple",
                height=150,
                elem_id="teach-clips",
            )
        with gr.Column(scale=3, min_width=320):
            with gr.Column(elem_id="teach-stage"):
                ui.overlay = live_image(
                    label="You", show_label=False, elem_id="teach-overlay", height=420, buttons=[]
                )
                ui.now = gr.HTML(elem_id="teach-now", padding=False)
            ui.told = gr.HTML(elem_id="teach-told", padding=False)
            ui.question = _clickable("teach-question")
            ui.people = gr.HTML(elem_id="teach-people", padding=False)
    ui.examples = _clickable("teach-examples", teach_view.NOTHING)
    ui.use = gr.Checkbox(True, label="Use my actions in Live and Video", elem_id="teach-use")
    with gr.Row():
        ui.save = gr.DownloadButton(
            "Save my actions", size="md", interactive=False, elem_id="teach-save", min_width=140
        )
        ui.load = gr.UploadButton(
            "Load a saved set", size="md", elem_id="teach-load", min_width=140
        )
        ui.forget = gr.Button("Forget all", size="md", elem_id="teach-forget", min_width=140)
    gr.HTML(f'<p class="sk-meta">{teach_view.PRIVATE}</p>', padding=False)
    ui.shown = [ui.told, ui.question, ui.examples, ui.save]
    return ui


def _clickable(name: str, value: str = "") -> gr.HTML:
    script = (_HERE / "teach.js").read_text(encoding="utf-8")
    return gr.HTML(value, js_on_load=script, elem_id=name, padding=False)


def _wire_camera(ui: SimpleNamespace, sessions: Sessions, teacher: Teacher) -> None:
    async def step(image: np.ndarray | None, request: gr.Request) -> dict:
        if image is None:
            return {ui.now: gr.skip()}
        key = request.session_hash or ""
        told = await in_line(sessions, key)
        if told is not None:
            return {ui.people: told, ui.now: ""}
        teacher.prepare()
        return await to_thread.run_sync(_step, ui, sessions, teacher, image, key)

    ui.camera.stream(
        step,
        ui.camera,
        [ui.overlay, ui.now, ui.people, *ui.shown],
        stream_every=_EVERY,
        time_limit=None,
        concurrency_limit=None,
        **QUIET,
    )

    def record(name: str, length: float, request: gr.Request) -> str:
        session = session_of(sessions, request)
        try:
            name = session.teaching.checked(name, teacher.labels)
        except TeachError as error:
            return views.note(str(error), "problem")
        session.takes.start(name, float(length))
        return views.note(f"Start the camera if it is off. “{name}” begins after {COUNTDOWN:g} s.")

    def stop(request: gr.Request) -> None:
        session_of(sessions, request).takes.stop()

    quick = {"queue": False, **QUIET}
    ui.record.click(record, [ui.name, ui.length], ui.told, **quick)
    ui.stop.click(stop, None, None, **quick)


def _step(
    ui: SimpleNamespace, sessions: Sessions, teacher: Teacher, image: np.ndarray, key: str
) -> dict:
    view = recognised(sessions, image, (True, False), None, key)
    if isinstance(view, str):
        return {ui.people: view, ui.now: ""}
    try:
        session = sessions.get(key)
    except Busy as error:  # the page was closed while its frame was recognised
        return {ui.people: views.note(str(error), "problem"), ui.now: ""}
    taken = _take(session, view)
    shown = {ui.overlay: view.image, ui.people: views.live_people(view)}
    if taken is None or isinstance(taken, Moment):
        return shown | {ui.now: teach_view.now(taken)}
    told = _tell(lambda: session.teaching.offer(teacher, *taken))
    return shown | {ui.now: ""} | _shown(ui, session.teaching, told)


def _take(session: Session, view: LiveView) -> object:
    return session.takes.see(view.people, view.actions.time, view.size)


def _wire_examples(ui: SimpleNamespace, sessions: Sessions, teacher: Teacher) -> None:
    def pick(event: gr.EventData, request: gr.Request) -> dict:
        teaching = session_of(sessions, request).teaching
        chosen = str(event.person)
        if chosen == "none":
            teaching.skip()
            return _shown(ui, teaching, views.note("That example was left out."))
        person = int(chosen) if chosen.isdecimal() else None
        return _shown(ui, teaching, _tell(lambda: teaching.pick(teacher, person)))

    def drop(event: gr.EventData, request: gr.Request) -> dict:
        teaching = session_of(sessions, request).teaching
        index = int(event.index)
        return _shown(ui, teaching, _tell(lambda: teaching.remove(teacher, index)))

    def forget(request: gr.Request) -> dict:
        session = session_of(sessions, request)
        session.teaching.clear()
        return _shown(ui, session.teaching, views.note("All examples were forgotten."))

    def use(on: bool, request: gr.Request) -> None:
        session_of(sessions, request).teaching.use = bool(on)

    quick = {"queue": False, **QUIET}
    ui.question.pick(pick, None, ui.shown, **quick)
    ui.examples.drop(drop, None, ui.shown, **quick)
    ui.forget.click(forget, None, ui.shown, **quick)
    ui.use.input(use, ui.use, None, **quick)


def _wire_files(
    ui: SimpleNamespace, sessions: Sessions, teacher: Teacher, settings: AppSettings
) -> None:
    def clips(files: list[str] | None, name: str, request: gr.Request) -> dict:
        session = session_of(sessions, request)
        told = taught_files(
            [Path(f) for f in files or ()], name, session.teaching, teacher, sessions
        )
        return _shown(ui, session.teaching, told) | {ui.clips: None}

    def load(file: str, request: gr.Request) -> dict:
        session = session_of(sessions, request)
        path, holder = Path(file), object()
        sessions.vault.hold(holder, path)
        try:
            told = _tell(lambda: session.teaching.load(teacher, path))
        finally:
            sessions.vault.release(holder)
        return _shown(ui, session.teaching, told)

    busy = {"api_visibility": "private", "concurrency_limit": settings.jobs}
    ui.clips.upload(
        clips,
        [ui.clips, ui.name],
        [*ui.shown, ui.clips],
        concurrency_id="video",
        show_progress="full",
        show_progress_on=ui.clips,
        **busy,
    )
    ui.load.upload(load, ui.load, ui.shown, show_progress="minimal", **busy)


def _tell(do: Callable[[], str | None]) -> str:
    """What came of it, for the page."""
    try:
        told = do()
    except (TeachError, NotReady) as error:
        return views.note(str(error), "problem")
    return views.note(told) if told else ""


def _shown(ui: SimpleNamespace, teaching: Teaching, told: str) -> dict:
    try:
        file = teaching.file()
    except OSError as error:
        _LOG.exception("taught actions could not be written")
        reason = error.strerror or "the disk refused"
        told += views.note(f"Your actions cannot be offered as a file: {reason}.", "problem")
        file = None
    return {
        ui.told: told,
        ui.question: teach_view.question(teaching.asked),
        ui.examples: teach_view.examples(teaching),
        ui.save: gr.update(value=file and str(file), interactive=file is not None),
    }
