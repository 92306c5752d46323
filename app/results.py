"""The results of a video or session: laid out once, and filled from one outcome after another."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import gradio as gr

from app import scene_data, views, what_if_busy, what_if_view
from app.attention_updates import MEAN, looked_at, moments, numbered, shown_first
from app.attention_view import Choice
from app.downloads import download_buttons, downloads
from app.exploration import Explorations
from app.outcome import Outcome
from app.results_wiring import wire
from app.sessions import Sessions
from app.timeline_view import shown_labels, timeline
from skeletr.actions import ActionLog

_HERE = Path(__file__).parent
_SCRIPTS = (
    "results_draw.js",
    "results_marks.js",
    "map_keys.js",
    "pair_card.js",
    "results.js",
)
_LOOK = 0.25  # seconds between two looks at an answer that is worked out
_KEYS = (
    '<p class="sk-meta sk-keys"><kbd>Space</kbd> plays and pauses, <kbd>←</kbd> <kbd>→</kbd> step '
    "a frame, with <kbd>Shift</kbd> a second.</p>"
)
_WHO = (
    "<h3>Who looks at whom</h3><p>The model relates short sequences of every person within a few "
    "seconds. Each row looks, each column is looked at. <b>Click a cell</b>: the video goes to the "
    "moment that is looked at, and both people are marked. By keyboard: arrows, then Enter.</p>"
)
_WHAT_IF = f"<h3>What if</h3><p>{what_if_view.ASK}</p>"


class Results:
    """The part of the page that shows one outcome; see `results_view`.

    Attributes:
        outputs: the components that `show` and `hide` give updates for.
    """

    def __init__(self, ui: SimpleNamespace) -> None:
        self._ui = ui
        self.outputs = [ui.results, ui.video, *ui.downloads.values(), ui.verdict, ui.people]
        self.outputs += [ui.scene, ui.arcs, ui.window, ui.timeline, ui.explorer]
        self.outputs += [ui.only_people, ui.only_labels]
        self.outputs += [ui.moment, ui.layer, ui.head, ui.pair, ui.heads, ui.sequences, ui.between]
        self.outputs += [ui.tokens, ui.without, ui.start, ui.end, ui.answer, ui.timer, ui.give_up]

    def hide(self) -> dict:
        """Updates that take the results off the page."""
        return {self._ui.results: gr.update(visible=False)}

    def show(self, outcome: Outcome) -> dict:
        """Updates that show an outcome that has a result and files."""
        ui, result = self._ui, outcome.result
        log = result.log
        times, middle = moments(log), shown_first(log)
        return {
            ui.results: gr.update(visible=True),
            ui.video: str(outcome.files.video),
            **downloads(ui.downloads, outcome.files),
            ui.verdict: views.verdict(result),
            ui.people: views.people(result),
            ui.scene: scene_data.scene(result.recording, log),
            ui.arcs: scene_data.arcs(log, None, None),
            ui.moment: gr.update(
                minimum=round(times[0], 3),  # as shown: sums of intervals end in ...0000001
                maximum=round(max(times[-1], times[0] + 0.1), 3),
                step=round(log.interval, 3),
                value=round(middle, 3),
            ),
            **self._choices(log),
            **looked_at(ui, outcome, None, Choice(middle)),
        }

    def _choices(self, log: ActionLog) -> dict:
        """Updates of everything that can be chosen, with nothing chosen yet."""
        ui = self._ui
        layers = log.attention[0][1].weights.shape[0] if log.attention else 0
        people = [(f"Person {p}", p) for p, track in log.people.items() if len(track.times)]
        return {
            ui.explorer: gr.update(visible=bool(people)),  # of nobody there is nothing to ask
            ui.timeline: timeline(log),
            ui.only_people: gr.update(choices=people, value=[]),
            ui.only_labels: gr.update(choices=shown_labels(log), value=[]),
            ui.layer: gr.update(choices=numbered(layers), value=MEAN),
            ui.head: None,
            ui.without: gr.update(choices=people, value=[]),
            ui.start: None,
            ui.end: None,
            **what_if_busy.answered(ui, ""),
        }


def results_view(sessions: Sessions) -> Results:
    """Lay out the results inside the current block, hidden, and wire what is in them."""
    ui = SimpleNamespace()
    _layout_links(ui)
    with gr.Column(visible=False, elem_id="video-results") as ui.results:
        _layout_summary(ui)
        ui.timeline = gr.Plot(label="Labels over time", elem_id="video-timeline")
        with gr.Column(elem_id="video-explorer") as ui.explorer:
            _layout_filters(ui)
            _layout_attention(ui)
            _layout_what_if(ui)
    wire(ui, sessions, Explorations(sessions.engine))
    return Results(ui)


def _layout_links(ui: SimpleNamespace) -> None:
    """What the page's script is told, and what it tells; nobody sees these."""
    script = "\n".join((_HERE / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    # The triggers stand in the script: 'ready', 'look', 'pick' and 'enlarge'.
    ui.link = gr.HTML(html_template="", js_on_load=script, elem_classes="sk-link")
    for name in ("scene", "arcs", "window"):
        told = f"watch('value', () => window.skeletrResults.told('{name}', props.value));"
        data = gr.HTML("", html_template="", js_on_load=told, elem_classes="sk-link")
        setattr(ui, name, data)
    ui.head = gr.State(None)
    ui.pair = gr.State(None)


def _layout_summary(ui: SimpleNamespace) -> None:
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=320):
            ui.video = gr.Video(
                label="Annotated video",
                show_label=False,
                interactive=False,
                autoplay=True,
                elem_id="video-annotated",
            )
            with gr.Row(equal_height=True):
                gr.Checkbox(
                    True,
                    label="Show who looks at whom",
                    elem_id="video-arcs",
                    min_width=200,
                    container=False,
                )
                gr.HTML(_KEYS, padding=False)
            ui.downloads = download_buttons()
        with gr.Column(scale=2, min_width=300):
            ui.verdict = gr.HTML(elem_id="video-verdict", padding=False)
            ui.people = gr.HTML(elem_id="video-people", padding=False)


def _layout_filters(ui: SimpleNamespace) -> None:
    with gr.Row():
        ui.only_people = gr.Dropdown(
            label="Show only these people",
            multiselect=True,
            min_width=200,
            elem_id="video-only-people",
        )
        ui.only_labels = gr.Dropdown(
            label="Show only these labels",
            multiselect=True,
            min_width=200,
            elem_id="video-only-labels",
        )


def _layout_attention(ui: SimpleNamespace) -> None:
    gr.HTML(_WHO, padding=False, elem_classes="sk-title")
    with gr.Row():
        ui.moment = gr.Slider(
            label="Moment in seconds; or pause the video there",
            scale=3,
            min_width=260,
            elem_id="video-moment",
        )
        ui.layer = gr.Radio([MEAN], value=MEAN, label="Layer", min_width=200, elem_id="video-layer")
    ui.heads = gr.HTML(elem_id="video-heads", padding=False)
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=320):
            ui.sequences = gr.Plot(
                label="Attention between short sequences", elem_id="video-attention"
            )
        with gr.Column(scale=2, min_width=300):
            gr.HTML('<div class="sk-pair"></div>', padding=False, elem_id="video-pair")
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=300):
            ui.between = gr.Plot(label="Attention between people", elem_id="video-people-attention")
        with gr.Column(scale=3, min_width=320):
            ui.tokens = gr.Plot(label="Attention inside the pair", elem_id="video-tokens")


def _layout_what_if(ui: SimpleNamespace) -> None:
    gr.HTML(_WHAT_IF, padding=False, elem_classes="sk-title")
    with gr.Row(equal_height=True):
        ui.without = gr.CheckboxGroup(
            label="Leave out", scale=3, min_width=260, elem_id="video-without"
        )
        ui.start = gr.Number(
            label="only from (s)", minimum=0, min_width=110, elem_id="video-without-start"
        )
        ui.end = gr.Number(label="to (s)", minimum=0, min_width=110, elem_id="video-without-end")
    ui.answer = gr.HTML(elem_id="video-what-if", padding=False)
    ui.give_up = gr.Button("Cancel", visible=False, size="md", elem_id="video-what-if-cancel")
    ui.timer = gr.Timer(_LOOK, active=False)  # runs while an answer is worked out
