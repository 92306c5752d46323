"""What the *Live* tab does when something in it is chosen, clicked or saved."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import gradio as gr

from app import attention_view, figures, live_view, scene_data, views
from app.attention_updates import ASK_A_CELL, maps, number_of, numbered
from app.live_attention import LiveAttention
from app.live_tokens import tokens_of
from app.page import QUIET, session_of
from app.sessions import Sessions
from app.settings import AppSettings
from skeletr.actions import Attention

_LOG = logging.getLogger(__name__)
_QUIET = QUIET | {"queue": False}
# The browser is given the file at once; the button beside it is for whoever missed that.
_DOWNLOAD = """(file) => {
  if (!file || !file.url) return;
  const link = document.createElement("a");
  link.href = file.url;
  link.download = file.orig_name || "";
  document.body.append(link);
  link.click();
  link.remove();
}"""


def wire(ui: SimpleNamespace, sessions: Sessions, settings: AppSettings) -> None:
    """Connect the components of the tab, which `app.live_tab` lays out."""
    _wire_attention(ui, sessions)
    _wire_saving(ui, sessions, settings)

    def restart(request: gr.Request) -> dict:
        session_of(sessions, request).forget_live()
        return {
            ui.people: views.note(views.LIVE_HINT),
            ui.heads: views.note(live_view.HEADS_HINT),
            ui.sequences: figures.message(live_view.MAP_HINT),
            ui.between: figures.message(live_view.MAP_HINT),
            ui.pair: views.note(live_view.PAIR_HINT),
            ui.tokens: figures.message(ASK_A_CELL),
            ui.saved: "",
            ui.file: gr.update(value=None, visible=False),
        }

    shown = [ui.people, ui.heads, ui.sequences, ui.between, ui.pair, ui.tokens, ui.saved, ui.file]
    ui.restart.click(restart, None, shown, **_QUIET)


def _wire_attention(ui: SimpleNamespace, sessions: Sessions) -> None:
    def chosen(layer: str, request: gr.Request) -> tuple:
        attention = session_of(sessions, request).attention
        attention.choose(number_of(layer), attention.choice.head)
        return _shown(attention)

    def enlarged(event: gr.EventData, layer: str, request: gr.Request) -> tuple:
        attention = session_of(sessions, request).attention
        attention.choose(number_of(layer), None if event.head is None else int(event.head))
        return _shown(attention)

    def picked(event: gr.EventData, request: gr.Request) -> str:
        attention = session_of(sessions, request).attention
        found = attention.pick(str(event.looks), str(event.seen), event.window)
        if found is None:
            return views.note(live_view.PAIR_GONE)
        return live_view.pair(found, attention.choice.within(attention.shown))

    def pointed(event: gr.EventData, request: gr.Request) -> object:
        attention = session_of(sessions, request).attention
        shown = attention.window(event.window)
        if shown is None:
            return gr.skip()
        choice = attention.choice.within(shown.attention)
        weights = shown.attention.select(choice.layer, choice.head)
        return scene_data.window(shown.recording, shown.log, shown.key, shown.attention, weights)

    @sessions.threads.exploring
    def inside(request: gr.Request) -> object:
        return tokens_of(session_of(sessions, request).attention, sessions.engine)

    def drawn_anew(event: gr.EventData, request: gr.Request) -> tuple:
        return newest_maps(session_of(sessions, request).attention, plots=bool(event.plots))

    def show(wanted: bool, request: gr.Request) -> object:
        session_of(sessions, request).attention.wanted = bool(wanted)
        return gr.update(visible=bool(wanted))

    drawn = [ui.heads, ui.sequences, ui.between]
    newest = {"trigger_mode": "always_last", **_QUIET}
    looking = {"api_visibility": "private", "show_progress": "minimal", "queue": False}
    for event, answer in ((ui.layer.input, chosen), (ui.link.enlarge, enlarged)):
        event(answer, ui.layer, drawn, **newest).then(inside, None, ui.tokens, **_QUIET)
    ui.link.pick(picked, None, ui.pair, **newest).then(inside, None, ui.tokens, **looking)
    ui.link.point(pointed, None, ui.window, **newest)
    ui.link.draw(drawn_anew, None, [*drawn, ui.layer], **newest)
    ui.wanted.input(show, ui.wanted, ui.maps, **newest)


def _shown(attention: LiveAttention) -> tuple:
    """What the page shows, by the new choice; the next frames follow it."""
    shown = attention.shown
    if shown is None:
        return (gr.skip(),) * 3
    return maps(shown, attention.choice.within(shown), attention.known, attention.tips)


def newest_maps(attention: LiveAttention, *, plots: bool) -> tuple:
    """Heads, the two maps and the layers to choose from, as they are now.

    Args:
        plots: the page is scrolled to a map; else only the heads come anew.
    """
    shown = attention.shown
    choice = attention.choice.within(shown)
    if plots:
        heads, *drawn = maps(shown, choice, attention.known, attention.tips)
    else:
        heads, *drawn = attention_view.heads(shown, choice, attention.known), gr.skip(), gr.skip()
    nothing = views.note(live_view.NOT_YET if attention.somebody else live_view.NOBODY)
    return heads or nothing, *drawn, gr.skip() if shown is None else _layers(attention, shown)


def _layers(attention: LiveAttention, shown: Attention) -> object:
    """The layers of the model; told once, since who is choosing would be disturbed."""
    count = shown.weights.shape[0]
    if attention.told == count:
        return gr.skip()
    attention.told = count
    return gr.update(choices=numbered(count))


def _wire_saving(ui: SimpleNamespace, sessions: Sessions, settings: AppSettings) -> None:
    def save(request: gr.Request) -> tuple[str, object]:
        nothing = gr.update(value=None, visible=False)
        try:
            written = session_of(sessions, request).save_live()
        except OSError as error:
            _LOG.exception("a live session could not be saved")
            reason = error.strerror or "the disk refused"
            return views.note(f"The session cannot be saved: {reason}.", "problem"), nothing
        if written is None:
            return views.note(live_view.NOTHING_KEPT), nothing
        path, session = written
        told = live_view.saved(session, path.stat().st_size)
        return told, gr.update(value=str(path), visible=True)

    ui.save.click(
        save,
        None,
        [ui.saved, ui.file],
        show_progress="minimal",
        show_progress_on=ui.saved,
        api_visibility="private",
        concurrency_limit=settings.jobs,
    ).then(None, ui.file, None, js=_DOWNLOAD, **_QUIET)
