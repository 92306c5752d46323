"""What if, while its page waits: at once where that is known, else with a bar and a way out."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import gradio as gr

from app import what_if_view
from app.engine import NotReady
from app.exploration import Exploration
from app.task import Task
from app.views import note
from skeletr.explore import Interval
from skeletr.pipeline import Cancelled

_MOMENT = 0.4  # seconds for which nothing is said of it
_LOOK = 0.2  # seconds between two looks at whether the result is ready to be asked about
_STOPPED = "Stopped. Choose once more whom to leave out to ask again."
_BUSY = "The model is busy; try again in a moment."


class Question(Task):
    """See `Task`; what it does is to answer."""

    fault = "This could not be answered because of a fault in this program; its log says more."


def ask(
    ui: SimpleNamespace, exploration: Exploration, people: Sequence[int], left_out: Interval | None
) -> dict:
    """Begin to answer, and give it a moment to end; what was asked before is given up.

    Returns:
        Updates of `ui.answer`, `ui.timer` and `ui.give_up`.
    """
    stop(exploration)

    def answer(task: Task) -> str:
        try:
            return _answer(task, exploration, people, left_out)
        except Cancelled:
            return note(_STOPPED)
        except NotReady as error:
            return note(str(error), "problem")

    question = exploration.question = Question(answer, exploration.ended)
    question.start()
    question.wait(_MOMENT)
    return progress(ui, exploration)


def progress(ui: SimpleNamespace, exploration: Exploration | None) -> dict:
    """The answer; how far it is, where it is not there yet."""
    question = exploration and exploration.question
    if not question:
        return {ui.timer: gr.Timer(active=False)}
    if not question.wait(0):
        return {
            ui.answer: question.bar,
            ui.timer: gr.Timer(active=True),
            ui.give_up: gr.update(visible=True),
        }
    exploration.question = None
    return answered(ui, question.told)


def answered(ui: SimpleNamespace, told: str) -> dict:
    """Updates that show what came of it, as HTML."""
    return {
        ui.answer: told,
        ui.timer: gr.Timer(active=False),
        ui.give_up: gr.update(visible=False),
    }


def stop(exploration: Exploration | None) -> None:
    """Give up what is asked, if anything is; it ends within a second or so."""
    if exploration is not None and exploration.question is not None:
        exploration.question.stop.set()


def _answer(
    task: Task, exploration: Exploration, people: Sequence[int], left_out: Interval | None
) -> str:
    name = f"without {what_if_view.named(people, left_out)}"

    def tell(doing: str, share: float) -> None:
        if task.stop.is_set():
            raise Cancelled("stopped on request")
        task.note(name, doing, share)

    while not exploration.ready.wait(_LOOK):
        tell("Getting ready to see it", exploration.share)
    tell("Working out what is seen", 0.0)
    found = exploration.without(
        people, left_out, lambda share: tell("Working out what is seen", share)
    )
    if found is None:
        return note(exploration.problem or _BUSY)
    told = what_if_view.remark(exploration.outcome.result.log, found[0])
    return told + what_if_view.answer(*found, what_if_view.named(people, left_out))
