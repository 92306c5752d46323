"""The *Video* tab: a file goes in, labelled people and their attention come out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import gradio as gr

from app import figures, views
from app.controls import option_controls, read
from app.job import Job, Outcome
from app.sessions import Busy, Session, Sessions
from app.settings import AppSettings

_POLL = 0.25  # seconds between two looks at a running job
_MEAN = "Mean"
# When the video is paused, its position becomes the moment that is looked at.
_AT_PAUSE = """(moment, layer, head) => {
  const video = document.querySelector("#video-annotated video");
  const slider = document.querySelector("#video-moment input[type=range]");
  const time = video ? Math.min(Math.max(video.currentTime, +slider.min), +slider.max) : moment;
  return [time, layer, head];
}"""
_QUIET = {"show_progress": "hidden", "api_visibility": "private"}


def video_tab(sessions: Sessions, settings: AppSettings) -> None:
    """Lay out and wire the tab inside the current block."""
    ui = _layout(settings)
    _wire(ui, sessions, settings)


def _layout(settings: AppSettings) -> SimpleNamespace:
    ui = SimpleNamespace()
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=320):
            # Any file may come: what is no video is answered in the page's own words.
            ui.file = gr.File(label="Video", height=150, elem_id="video-file")
        with gr.Column(scale=2, min_width=300):
            with gr.Accordion("Settings", open=False):
                ui.options = option_controls(settings.max_people)
            with gr.Row():
                ui.again = gr.Button("Recognise", variant="primary", interactive=False, size="md")
                ui.cancel = gr.Button("Cancel", visible=False, size="md", elem_id="video-cancel")
    ui.status = gr.HTML(views.note(views.VIDEO_HINT), elem_id="video-status", padding=False)
    with gr.Column(visible=False, elem_id="video-results") as ui.results:
        _layout_results(ui)
    return ui


def _layout_results(ui: SimpleNamespace) -> None:
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=320):
            ui.video = gr.Video(
                label="Annotated video",
                show_label=False,
                interactive=False,
                autoplay=True,
                elem_id="video-annotated",
            )
            with gr.Row():
                ui.downloads = [
                    gr.DownloadButton(name, size="sm", min_width=120)
                    for name in ("Annotated MP4", "CSV", "JSON", "Recording")
                ]
        with gr.Column(scale=2, min_width=300):
            ui.verdict = gr.HTML(elem_id="video-verdict", padding=False)
            ui.people = gr.HTML(elem_id="video-people", padding=False)
    ui.timeline = gr.Plot(label="Labels over time", elem_id="video-timeline")
    with gr.Group(), gr.Row():
        ui.moment = gr.Slider(
            label="Moment in seconds, or pause the video there",
            scale=3,
            min_width=260,
            elem_id="video-moment",
        )
        ui.layer = gr.Dropdown([_MEAN], value=_MEAN, label="Layer", min_width=110, filterable=False)
        ui.head = gr.Dropdown([_MEAN], value=_MEAN, label="Head", min_width=110, filterable=False)
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            ui.sequences = gr.Plot(
                label="Attention between short sequences", elem_id="video-attention"
            )
        with gr.Column(scale=2, min_width=300):
            ui.between = gr.Plot(label="Attention between people", elem_id="video-people-attention")


def _wire(ui: SimpleNamespace, sessions: Sessions, settings: AppSettings) -> None:
    steps = [ui.status, ui.results, ui.again, ui.cancel, ui.video, *ui.downloads]
    steps += [ui.verdict, ui.people, ui.timeline, ui.moment, ui.layer, ui.head]
    steps += [ui.sequences, ui.between]

    def recognise(file: str | None, request: gr.Request, *options: object) -> Iterator[dict]:
        try:
            chosen = read(settings.max_people, *options)
        except ValueError as error:
            yield {ui.status: views.note(str(error), "problem")}
            return
        yield from _recognise(ui, sessions, file, chosen, request.session_hash or "")

    def wait(file: str | None, request: gr.Request) -> dict:
        if file is not None:
            with suppress(Busy):  # said where the video would be recognised
                sessions.get(request.session_hash or "").waits = True
        return show(file is not None)

    def show(ready: bool) -> dict:
        text = "Waiting for a free place." if ready else views.VIDEO_HINT
        return {
            ui.status: views.note(text),
            ui.results: gr.update(visible=False),
            ui.again: gr.update(interactive=ready),
        }

    for event in (ui.file.upload, ui.again.click):
        event(wait, ui.file, [ui.status, ui.results, ui.again], queue=False, **_QUIET).then(
            recognise,
            [ui.file, *ui.options.inputs],
            steps,
            concurrency_limit=settings.jobs,
            concurrency_id="video",
            trigger_mode="multiple",
            **_QUIET,
        )

    def forget(request: gr.Request) -> dict:
        _session(sessions, request).forget_video()
        return show(False)

    def cancel(request: gr.Request) -> None:
        _session(sessions, request).stop_job()

    ui.file.clear(forget, None, [ui.status, ui.results, ui.again], queue=False, **_QUIET)
    ui.cancel.click(cancel, None, None, queue=False, **_QUIET)

    def attend(moment: float, layer: str, head: str, request: gr.Request) -> tuple:
        return _attention(_session(sessions, request), moment, layer, head)

    def attend_at_pause(moment: float, layer: str, head: str, request: gr.Request) -> tuple:
        session = _session(sessions, request)
        time = _nearest(session.outcome, moment)
        if time is None:
            return gr.skip(), gr.skip(), gr.skip()
        return round(time, 3), *_attention(session, time, layer, head)

    chosen, plots = [ui.moment, ui.layer, ui.head], [ui.sequences, ui.between]
    for control in chosen:
        control.input(attend, chosen, plots, trigger_mode="always_last", **_QUIET)
    ui.video.pause(
        attend_at_pause,
        chosen,
        [ui.moment, *plots],
        js=_AT_PAUSE,
        trigger_mode="always_last",
        **_QUIET,
    )


def _session(sessions: Sessions, request: gr.Request) -> Session:
    try:
        return sessions.get(request.session_hash or "")
    except Busy as error:
        raise gr.Error(str(error), print_exception=False) from error


def _recognise(
    ui: SimpleNamespace, sessions: Sessions, file: str | None, options: object, key: str
) -> Iterator[dict]:
    if file is None:
        yield {ui.status: views.note(views.VIDEO_HINT)}
        return
    try:
        session = sessions.get(key)
    except Busy as error:
        yield {ui.status: views.note(str(error), "problem")}
        return
    job = session.begin(Path(file), Path(file).name, options)
    yield {ui.cancel: gr.update(visible=True), ui.again: gr.update(interactive=False)}
    while not job.wait(_POLL):
        session.used = time.monotonic()
        bar = views.progress(job.name, job.doing, job.share, job.remaining)
        yield {ui.status: bar}
    if session.job is job:  # otherwise a newer video has taken its place
        yield _ended(ui, session, job)


def _ended(ui: SimpleNamespace, session: Session, job: Job) -> dict:
    outcome = job.outcome or Outcome(problem=f"{job.name} could not be recognised.")
    session.outcome = outcome
    idle = {ui.cancel: gr.update(visible=False), ui.again: gr.update(interactive=True)}
    if outcome.stopped:
        return idle | {ui.status: views.note(f"{job.name} was stopped.")}
    if outcome.result is None or outcome.files is None:
        return idle | {ui.status: views.note(outcome.problem, "problem")}
    return idle | _shown(ui, session, outcome)


def _shown(ui: SimpleNamespace, session: Session, outcome: Outcome) -> dict:
    result, files = outcome.result, outcome.files
    windows = result.log.attention
    times = [time for time, _ in windows] or [0.0]
    layers, heads = windows[0][1].weights.shape[:2] if windows else (0, 0)
    middle = times[len(times) // 2]
    sequences, between = _attention(session, middle, _MEAN, _MEAN)
    paths = (files.video, files.csv, files.json, files.recording)
    return {
        ui.status: "",
        ui.results: gr.update(visible=True),
        ui.video: str(files.video),
        **{b: gr.update(value=str(p)) for b, p in zip(ui.downloads, paths, strict=True)},
        ui.verdict: views.verdict(result),
        ui.people: views.people(result),
        ui.timeline: figures.timeline(result.log),
        ui.moment: gr.update(
            minimum=round(times[0], 3),  # as shown: sums of intervals end in ...0000001
            maximum=round(max(times[-1], times[0] + 0.1), 3),
            step=round(result.log.interval, 3),
            value=round(middle, 3),
        ),
        ui.layer: gr.update(choices=_numbered(layers), value=_MEAN),
        ui.head: gr.update(choices=_numbered(heads), value=_MEAN),
        ui.sequences: sequences,
        ui.between: between,
    }


def _numbered(count: int) -> list[str]:
    return [_MEAN, *(str(i + 1) for i in range(count))]


def _attention(session: Session, moment: float, layer: str, head: str) -> tuple:
    time = _nearest(session.outcome, moment)
    windows = {} if time is None else dict(session.outcome.result.log.attention)
    choice = [None if c == _MEAN else int(c) - 1 for c in (layer, head)]
    return (
        figures.sequence_heatmap(windows.get(time), *choice),
        figures.people_heatmap(windows.get(time), *choice),
    )


def _nearest(outcome: Outcome | None, moment: float) -> float | None:
    """The time in seconds of the window of attention nearest to `moment`, if there is any."""
    if outcome is None or outcome.result is None:
        return None
    times = (time for time, _ in outcome.result.log.attention)
    return min(times, key=lambda t: abs(t - moment), default=None)
