"""The *Live* tab: the webcam goes in, the overlay, labels and attention come out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import gradio as gr
from gradio.context import LocalContext

from app import figures, live_view, views
from app.attention_updates import ASK_A_CELL, MEAN
from app.camera_image import CameraPicture
from app.controls import option_controls, read
from app.live_frames import in_line, recognised
from app.live_image import live_image
from app.live_wiring import wire
from app.page import QUIET, camera, camera_note, webcam
from app.sessions import Sessions
from app.settings import AppSettings, UserOptions

_HERE = Path(__file__).parent
_SCRIPTS = ("results_marks.js", "map_keys.js", "pair_card.js", "live.js")
_EVERY = 0.03  # seconds between two frames that the page may send; pace.js sends fewer if need be


def live_tab(sessions: Sessions, settings: AppSettings) -> None:
    """Lay out and wire the tab inside the current block."""
    ui = _layout(settings)
    # No more than these: Gradio's page keeps book of each output with each picture, which takes its
    # time. The maps are asked for by live.js where they are seen, see live_wiring.py.
    outputs = [ui.overlay, ui.people, ui.badge]

    async def step(
        image: CameraPicture | None,
        mirror: bool,
        arcs: bool,
        request: gr.Request,
        *options: object,
    ) -> tuple:
        if image is None:
            return _nothing("")
        key = request.session_hash or ""
        skipped = sessions.arrivals.taken(key, LocalContext.event_id.get(None))
        told = await in_line(sessions, key)
        if told is not None:
            return _nothing(told)
        try:
            chosen = read(settings.max_people, *options)
        except ValueError as error:
            return _nothing(views.note(str(error), "problem"))
        look = (mirror, arcs)
        given = (sessions, image, look, chosen, key, skipped)
        answer = await sessions.threads.frame(key, _step, *given)
        if answer is None:
            sessions.metrics.add("frames_dropped_total")
            return (gr.skip(),) * len(outputs)
        return answer

    ui.camera.stream(
        step,
        [ui.camera, ui.mirror, ui.arcs, *ui.options.inputs],
        outputs,
        stream_every=_EVERY,
        time_limit=None,
        concurrency_limit=settings.streams,
        **QUIET,
    )
    ui.mirror.change(
        lambda on: gr.update(webcam_options=webcam(on)),
        ui.mirror,
        ui.camera,
        queue=False,
        **QUIET,
    )
    wire(ui, sessions, settings)


def _layout(settings: AppSettings) -> SimpleNamespace:
    ui = SimpleNamespace()
    with gr.Row(equal_height=False, elem_id="live-row"):
        with gr.Column(scale=2, min_width=300):
            ui.camera = camera("live", "Camera", height=260, show_label=False)
            camera_note()
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
            _layout_saving(ui, settings)
    _layout_attention(ui)
    with gr.Accordion("Settings", open=False):
        ui.mirror = gr.Checkbox(
            True, label="Mirror the picture", min_width=140, elem_id="live-mirror"
        )
        ui.options = option_controls(settings)
        ui.restart = gr.Button("Forget everybody and begin again", size="sm")
    return ui


def _layout_saving(ui: SimpleNamespace, settings: AppSettings) -> None:
    with gr.Column(elem_id="live-saving"):
        with gr.Row():
            ui.save = gr.Button("Save this session", size="md", elem_id="live-save", min_width=160)
            ui.file = gr.DownloadButton(
                "Download it again", size="md", visible=False, elem_id="live-file", min_width=160
            )
        ui.saved = gr.HTML(elem_id="live-saved", padding=False)
        gr.HTML(live_view.kept(settings), padding=False)


def _layout_attention(ui: SimpleNamespace) -> None:
    script = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    # The triggers stand in the script: 'pick', 'point', 'enlarge' and 'draw'.
    ui.link = gr.HTML(html_template="", js_on_load=script, elem_classes="sk-link")
    told = "watch('value', () => window.skeletrLive.told(props.value));"
    ui.window = gr.HTML("", html_template="", js_on_load=told, elem_classes="sk-link")
    gr.HTML(live_view.WHO, padding=False, elem_classes="sk-title")
    with gr.Row(equal_height=True):
        with gr.Column(scale=2, min_width=240):
            ui.layer = gr.Radio([MEAN], value=MEAN, label="Layer", elem_id="live-layer")
        with gr.Column(scale=3, min_width=240):
            ui.arcs = gr.Checkbox(
                True, label="Draw it into the picture, as arcs between people", elem_id="live-arcs"
            )
            ui.wanted = gr.Checkbox(True, label="Show the maps", elem_id="live-wanted")
    with gr.Column(elem_id="live-maps") as ui.maps:
        ui.heads = gr.HTML(views.note(live_view.HEADS_HINT), elem_id="live-heads", padding=False)
        ui.pair = gr.HTML(views.note(live_view.PAIR_HINT), elem_id="live-pair", padding=False)
        with gr.Row(equal_height=False):
            with gr.Column(scale=3, min_width=320):
                ui.sequences = gr.Plot(
                    figures.message(live_view.MAP_HINT),
                    label="Attention between short sequences",
                    elem_id="live-attention",
                )
            with gr.Column(scale=2, min_width=300):
                gr.HTML('<div class="sk-pair"></div>', padding=False, elem_id="live-bodies")
        with gr.Row(equal_height=False):
            with gr.Column(scale=2, min_width=300):
                ui.between = gr.Plot(
                    figures.message(live_view.MAP_HINT),
                    label="Attention between people",
                    elem_id="live-people-attention",
                )
            with gr.Column(scale=3, min_width=320):
                ui.tokens = gr.Plot(
                    figures.message(ASK_A_CELL),
                    label="Attention inside the pair",
                    elem_id="live-tokens",
                )


def _step(
    sessions: Sessions,
    image: CameraPicture,
    look: tuple[bool, bool],
    options: UserOptions,
    key: str,
    skipped: int = 0,
) -> tuple:
    view = recognised(sessions, image, look, options, key, skipped)
    if isinstance(view, str):
        return _nothing(view) if view else (gr.skip(),) * 3
    return view.image, views.live_people(view), views.badge(view)


def _nothing(told: str) -> tuple:
    return gr.skip(), told or gr.skip(), ""
