"""The *Teach* tab: a visitor's own actions, from the camera or short clips, used at once."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import gradio as gr

from app import teach_busy, teach_view, views
from app.camera_image import CameraPicture
from app.controls import option_controls, read
from app.live import LiveView
from app.live_frames import in_line, recognised
from app.live_image import live_image
from app.page import QUIET, camera, camera_note, session_of
from app.sessions import Busy, Session, Sessions
from app.settings import AppSettings, UserOptions
from app.takes import COUNTDOWN, Moment
from app.teach_clips import wire_clips
from app.teach_told import shown
from app.teacher import Teacher
from app.teaching import Note
from skeletr.teach import LONGEST_NAME, TeachError

_HERE = Path(__file__).parent
_EVERY = 0.05  # seconds between two frames that the page sends
_LOOK = 0.25  # seconds between two looks at what is being learned
_LENGTHS = (("2 seconds", 2.0), ("3 seconds", 3.0), ("5 seconds", 5.0), ("Until I press stop", 0.0))


def teach_tab(sessions: Sessions, settings: AppSettings) -> None:
    """Lay out and wire the tab inside the current block."""
    ui = _layout(settings)
    teacher = Teacher(sessions.engine)
    _wire_camera(ui, sessions, teacher, settings)
    _wire_examples(ui, sessions, teacher)
    _wire_files(ui, sessions, teacher, settings)


def _layout(settings: AppSettings) -> SimpleNamespace:
    ui = SimpleNamespace()
    gr.HTML(views.note(teach_view.HINT), padding=False)
    with gr.Row(equal_height=False, elem_id="teach-row"):
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
            with gr.Row(equal_height=True):
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
            ui.cancel = gr.Button("Cancel", visible=False, size="md", elem_id="teach-cancel")
            with gr.Accordion("Settings", open=False, elem_id="teach-settings"):
                ui.options = option_controls(settings)
        with gr.Column(scale=3, min_width=320):
            with gr.Column(elem_id="teach-stage"):
                ui.overlay = live_image(
                    label="You", show_label=False, elem_id="teach-overlay", height=420, buttons=[]
                )
                ui.now = gr.HTML(elem_id="teach-now", padding=False)
            ui.told = gr.HTML(elem_id="teach-told", padding=False)
            ui.question = _clickable("teach-question")
            ui.people = gr.HTML(elem_id="teach-people", padding=False)
    ui.timer = gr.Timer(_LOOK, active=False)  # runs while something is being learned
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
    ui.busy = [ui.now, ui.timer, ui.cancel, *ui.shown]
    return ui


def _clickable(name: str, value: str = "") -> gr.HTML:
    script = (_HERE / "teach.js").read_text(encoding="utf-8")
    return gr.HTML(value, js_on_load=script, elem_id=name, padding=False)


def _wire_camera(
    ui: SimpleNamespace, sessions: Sessions, teacher: Teacher, settings: AppSettings
) -> None:
    async def watch(image: CameraPicture | None, request: gr.Request, *options: object) -> dict:
        if image is None:
            return {ui.now: gr.skip()}
        key = request.session_hash or ""
        told = await in_line(sessions, key)
        if told is not None:
            return {ui.people: told, ui.now: ""}
        try:
            chosen = read(settings.max_people, *options)
        except ValueError as error:
            return {ui.people: views.note(str(error), "problem"), ui.now: ""}
        teacher.prepare()
        answer = await sessions.threads.frame(key, _step, ui, sessions, teacher, image, chosen, key)
        if answer is None:
            sessions.metrics.add("frames_dropped_total")
            return {ui.now: gr.skip()}
        return answer

    ui.camera.stream(
        watch,
        [ui.camera, *ui.options.inputs],
        [ui.overlay, ui.people, *ui.busy],
        stream_every=_EVERY,
        time_limit=None,
        concurrency_limit=sessions.engine.settings.streams,
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

    def give_up(request: gr.Request) -> None:
        teach_busy.stop(session_of(sessions, request).teaching)

    def look(request: gr.Request) -> dict:
        session = session_of(sessions, request)
        found = teach_busy.progress(ui, session.teaching)
        if session.takes.running:  # which says there how far it is
            found.pop(ui.now, None)
        return found

    quick = {"queue": False, **QUIET}
    ui.timer.tick(look, None, ui.busy, **quick)
    ui.cancel.click(give_up, None, None, **quick)
    ui.record.click(record, [ui.name, ui.length], ui.told, **quick)
    ui.stop.click(stop, None, None, **quick)


def _step(
    ui: SimpleNamespace,
    sessions: Sessions,
    teacher: Teacher,
    image: CameraPicture,
    options: UserOptions,
    key: str,
) -> dict:
    view = recognised(sessions, image, (True, False), options, key)
    if isinstance(view, str):
        # Nothing to tell where something else of the page holds its stream.
        return {ui.people: view, ui.now: ""} if view else {ui.now: gr.skip()}
    try:
        session = sessions.get(key)
    except Busy as error:  # the page was closed while its frame was recognised
        return {ui.people: views.note(str(error), "problem"), ui.now: ""}
    taken = _take(session, view)
    seen = {ui.overlay: view.image, ui.people: views.live_people(view)}
    teaching = session.teaching
    if isinstance(taken, Moment) or (taken is None and teaching.take is None):
        return seen | {ui.now: teach_view.now(taken)}
    if taken is None:
        return seen | teach_busy.progress(ui, teaching)
    name, recording = taken
    return seen | teach_busy.begin(
        ui,
        teaching,
        f"“{name}”",
        "Learning",
        lambda note: teaching.offer(teacher, name, recording, note),
    )


def _take(session: Session, view: LiveView) -> object:
    return session.takes.see(view.people, view.actions.time, view.size)


def _wire_examples(ui: SimpleNamespace, sessions: Sessions, teacher: Teacher) -> None:
    def pick(event: gr.EventData, request: gr.Request) -> dict:
        teaching = session_of(sessions, request).teaching
        chosen = str(event.person)
        if chosen == "none":
            teaching.skip()
            return shown(ui, teaching, views.note("That example was left out."))
        person = int(chosen) if chosen.isdecimal() else None
        name = f"“{teaching.asked.name}”" if teaching.asked else "the example"
        return teach_busy.begin(
            ui, teaching, name, "Learning", lambda note: teaching.pick(teacher, person, note)
        )

    def drop(event: gr.EventData, request: gr.Request) -> dict:
        teaching = session_of(sessions, request).teaching
        number = int(event.index)
        there = teaching.actions.examples[number : number + 1]  # its place may change meanwhile

        def remove(note: Note) -> None:
            examples = teaching.actions.examples
            place = examples.index(there[0]) if there and there[0] in examples else len(examples)
            teaching.remove(teacher, place, note)

        return teach_busy.begin(ui, teaching, "without that example", "Learning", remove)

    def forget(request: gr.Request) -> dict:
        session = session_of(sessions, request)
        session.teaching.clear()
        return shown(ui, session.teaching, views.note("All examples were forgotten."))

    def use(on: bool, request: gr.Request) -> None:
        session_of(sessions, request).teaching.use = bool(on)

    quick = {"queue": False, **QUIET}
    ui.question.pick(pick, None, ui.busy, **quick)
    ui.examples.drop(drop, None, ui.busy, **quick)
    ui.forget.click(forget, None, ui.shown, **quick)
    ui.use.input(use, ui.use, None, **quick)


def _wire_files(
    ui: SimpleNamespace, sessions: Sessions, teacher: Teacher, settings: AppSettings
) -> None:
    wire_clips(ui, sessions, teacher, settings)

    def load(file: str, request: gr.Request) -> dict:
        session = session_of(sessions, request)
        path, holder = Path(file), object()
        sessions.vault.hold(holder, path)

        def learn(note: Note) -> str:
            try:
                return session.teaching.load(teacher, path, note)
            finally:
                sessions.vault.release(holder)

        return teach_busy.begin(ui, session.teaching, path.name, "Learning from", learn)

    ui.load.upload(load, ui.load, ui.busy, queue=False, **QUIET)
