"""The *Live* tab: the webcam goes in, the overlay, labels and attention come out."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr
import numpy as np
from anyio import to_thread

from app import figures, views
from app.controls import option_controls, read
from app.live_frames import in_line, recognised
from app.live_image import live_image
from app.page import QUIET, camera, webcam
from app.sessions import Busy, Sessions
from app.settings import AppSettings, UserOptions

_EVERY = 0.03  # seconds between two frames that the page may send; pace.js sends fewer if need be


def live_tab(sessions: Sessions, settings: AppSettings) -> None:
    """Lay out and wire the tab inside the current block."""
    ui = _layout(settings)
    outputs = [ui.overlay, ui.people, ui.badge, ui.between, ui.sequences]

    async def step(
        image: np.ndarray | None,
        mirror: bool,
        arcs: bool,
        request: gr.Request,
        *options: object,
    ) -> tuple:
        if image is None:
            return _nothing("")
        key = request.session_hash or ""
        told = await in_line(sessions, key)
        if told is not None:
            return _nothing(told)
        try:
            chosen = read(settings.max_people, *options)
        except ValueError as error:
            return _nothing(views.note(str(error), "problem"))
        return await to_thread.run_sync(_step, sessions, image, (mirror, arcs), chosen, key)

    ui.camera.stream(
        step,
        [ui.camera, ui.mirror, ui.arcs, *ui.options.inputs],
        outputs,
        stream_every=_EVERY,
        time_limit=None,
        concurrency_limit=None,
        **QUIET,
    )

    def restart(request: gr.Request) -> tuple:
        _restart(sessions, request.session_hash or "")
        return (
            views.note(views.LIVE_HINT),
            figures.people_heatmap(None),
            (figures.sequence_heatmap(None)),
        )

    ui.restart.click(restart, None, [ui.people, ui.between, ui.sequences], queue=False, **QUIET)
    ui.mirror.change(
        lambda on: gr.update(webcam_options=webcam(on)),
        ui.mirror,
        ui.camera,
        queue=False,
        **QUIET,
    )


def _layout(settings: AppSettings) -> SimpleNamespace:
    ui = SimpleNamespace()
    with gr.Row(equal_height=False, elem_id="live-row"):
        with gr.Column(scale=2, min_width=300):
            ui.camera = camera("live", "Camera", height=260, show_label=False)
            gr.HTML('<div id="camera-note"></div>', padding=False, elem_id="camera-note-block")
            ui.people = gr.HTML(views.note(views.LIVE_HINT), padding=False, elem_id="live-people")
            ui.badge = gr.HTML(elem_id="live-badge", padding=False)
        with gr.Column(scale=3, min_width=320):
            ui.overlay = live_image(
                label="Live",
                show_label=False,
                elem_id="live-overlay",
                height=480,
                buttons=["fullscreen"],
            )
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            ui.between = gr.Plot(
                figures.people_heatmap(None),
                label="Attention between people",
                elem_id="live-people-attention",
            )
        with gr.Column(scale=3, min_width=320):
            ui.sequences = gr.Plot(
                figures.sequence_heatmap(None),
                label="Attention between short sequences",
                elem_id="live-attention",
            )
    with gr.Accordion("Settings", open=False):
        with gr.Row():
            ui.mirror = gr.Checkbox(True, label="Mirror the picture", min_width=140)
            ui.arcs = gr.Checkbox(False, label="Draw attention between people", min_width=140)
        ui.options = option_controls(settings.max_people)
        ui.restart = gr.Button("Forget everybody and begin again", size="sm")
    return ui


def _step(
    sessions: Sessions,
    image: np.ndarray,
    look: tuple[bool, bool],
    options: UserOptions,
    key: str,
) -> tuple:
    view = recognised(sessions, image, look, options, key)
    if isinstance(view, str):
        return _nothing(view)
    plots = (gr.skip(), gr.skip())
    if view.redraw:
        attention = view.actions.attention
        plots = figures.people_heatmap(attention), figures.sequence_heatmap(attention)
    return view.image, views.live_people(view), views.badge(view), *plots


def _nothing(told: str) -> tuple:
    return gr.skip(), told or gr.skip(), "", gr.skip(), gr.skip()


def _restart(sessions: Sessions, key: str) -> None:
    try:
        session = sessions.get(key)
    except Busy as error:
        raise gr.Error(str(error), print_exception=False) from error
    with session.lock:
        session.stop_live()
