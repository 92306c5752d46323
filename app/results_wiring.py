"""What the results do when something in them is chosen, clicked or asked."""

from __future__ import annotations

from types import SimpleNamespace

import gradio as gr

from app import scene_data, what_if_busy, what_if_view
from app.attention_updates import inside, looked_at, moments, number_of, shown_first
from app.attention_view import Choice, Spot
from app.exploration import Explorations
from app.outcome import Outcome
from app.page import QUIET, session_of
from app.sessions import Session, Sessions
from app.timeline_view import timeline
from app.views import note

_PATIENCE = 60.0  # seconds to wait until the model can be asked
_QUIET = QUIET | {"queue": False}


def wire(ui: SimpleNamespace, sessions: Sessions, explorations: Explorations) -> None:
    """Connect the components of the results, which `app.results` lays out."""
    _wire_attention(ui, sessions, explorations)
    _wire_timeline(ui, sessions)
    _wire_what_if(ui, sessions, explorations)


def _wire_attention(ui: SimpleNamespace, sessions: Sessions, explorations: Explorations) -> None:
    def look(session: Session, choice: Choice) -> dict:
        return looked_at(ui, session.outcome, explorations.of(session), choice)

    def ready(request: gr.Request) -> dict:
        session = session_of(sessions, request)
        exploration = explorations.of(session)
        if exploration is None or session.outcome.result.log.attention:
            return {ui.tokens: gr.skip()}
        exploration.ready.wait(_PATIENCE)  # saved without attention: the model is asked for it
        if session.exploration is not exploration:  # the page shows something else by now
            return {ui.tokens: gr.skip()}
        return look(session, Choice(shown_first(exploration.outcome.result.log)))

    def chosen(
        moment: float, layer: str, head: int | None, pair: tuple | None, request: gr.Request
    ) -> dict:
        session = session_of(sessions, request)
        choice = Choice(moment, number_of(layer), head, pair)
        return look(session, choice) | _arcs(ui, session.outcome, choice)

    def seen(
        event: gr.EventData, layer: str, head: int | None, pair: tuple | None, request: gr.Request
    ) -> dict:
        session = session_of(sessions, request)
        time = _key(session.outcome, float(event.time))
        shown = look(session, Choice(time, number_of(layer), head, pair))
        return {ui.moment: round(time, 3)} | shown

    def enlarged(
        event: gr.EventData, moment: float, layer: str, pair: tuple | None, request: gr.Request
    ) -> dict:
        head = None if event.head is None else int(event.head)
        return {ui.head: head} | chosen(moment, layer, head, pair, request)

    def picked(
        event: gr.EventData, moment: float, layer: str, head: int | None, request: gr.Request
    ) -> dict:
        session = session_of(sessions, request)
        if session.outcome is None or session.outcome.result is None:
            return {ui.pair: None}
        choice = Choice(moment, number_of(layer), head, (_spot(event.looks), _spot(event.seen)))
        return inside(ui, session.outcome, explorations.of(session), choice)

    shown = [ui.heads, ui.sequences, ui.between, ui.window, ui.tokens, ui.pair]
    newest = {"trigger_mode": "always_last", **_QUIET}
    apart = sessions.threads.exploring
    # Without the slider, which may still hold a moment of what was shown before.
    ui.link.ready(apart(ready), None, shown, **newest)
    for control in (ui.moment, ui.layer):
        inputs = [ui.moment, ui.layer, ui.head, ui.pair]
        control.input(apart(chosen), inputs, [*shown, ui.arcs], **newest)
    chosen_by = [ui.layer, ui.head, ui.pair]
    ui.link.look(apart(seen), chosen_by, [ui.moment, *shown], **newest)
    chosen_by = [ui.moment, ui.layer, ui.pair]
    ui.link.enlarge(apart(enlarged), chosen_by, [ui.head, *shown, ui.arcs], **newest)
    chosen_by = [ui.moment, ui.layer, ui.head]
    ui.link.pick(apart(picked), chosen_by, [ui.tokens, ui.pair], **newest)


def _wire_timeline(ui: SimpleNamespace, sessions: Sessions) -> None:
    def filtered(people: list[int], labels: list[str], request: gr.Request) -> object:
        outcome = session_of(sessions, request).outcome
        if outcome is None or outcome.result is None:
            return gr.skip()
        return timeline(outcome.result.log, people, labels)

    only = [ui.only_people, ui.only_labels]
    for control in only:
        control.input(filtered, only, ui.timeline, trigger_mode="always_last", **_QUIET)


def _wire_what_if(ui: SimpleNamespace, sessions: Sessions, explorations: Explorations) -> None:
    def asked(
        people: list[int], start: float | None, end: float | None, request: gr.Request
    ) -> dict:
        exploration = explorations.of(session_of(sessions, request))
        if exploration is None:
            return what_if_busy.answered(ui, note("Recognise a video first."))
        if not people and start is None and end is None:
            what_if_busy.stop(exploration)
            exploration.question = None
            return what_if_busy.answered(ui, "")
        try:
            left_out = what_if_view.interval(start, end, exploration.outcome.result.log)
        except ValueError as error:
            return what_if_busy.answered(ui, note(str(error), "problem"))
        return what_if_busy.ask(ui, exploration, people, left_out)

    def asked_lately(request: gr.Request) -> dict:
        return what_if_busy.progress(ui, session_of(sessions, request).exploration)

    def give_up(request: gr.Request) -> None:
        what_if_busy.stop(session_of(sessions, request).exploration)

    inputs = [ui.without, ui.start, ui.end]
    shown = [ui.answer, ui.timer, ui.give_up]
    for control in inputs:
        apart = sessions.threads.exploring(asked)
        control.input(apart, inputs, shown, trigger_mode="always_last", **_QUIET)
    ui.timer.tick(asked_lately, None, shown, **_QUIET)
    ui.give_up.click(give_up, None, None, **_QUIET)


def _arcs(ui: SimpleNamespace, outcome: Outcome | None, choice: Choice) -> dict:
    if outcome is None or outcome.result is None:
        return {}
    log = outcome.result.log
    choice = choice.within(log.attention[0][1] if log.attention else None)
    return {ui.arcs: scene_data.arcs(log, choice.layer, choice.head)}


def _key(outcome: Outcome | None, moment: float) -> float:
    """The key frame nearest to a moment of the video, in seconds."""
    if outcome is None or outcome.result is None:
        return moment
    return min(moments(outcome.result.log), key=lambda t: abs(t - moment))


def _spot(given: list) -> Spot:
    time, person = given
    return float(time), int(person)
