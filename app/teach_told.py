"""What the *Teach* tab shows once something was learned, or could not be."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import SimpleNamespace

import gradio as gr

from app import teach_view, views
from app.engine import NotReady
from app.teaching import Teaching
from skeletr.teach import TeachError

_LOG = logging.getLogger(__name__)


def tell(do: Callable[[], str | None]) -> str:
    """What came of it, as HTML."""
    try:
        told = do()
    except (TeachError, NotReady) as error:
        return views.note(str(error), "problem")
    return views.note(told) if told else ""


def shown(ui: SimpleNamespace, teaching: Teaching, told: str) -> dict:
    """Updates of `ui.shown`; told: what came of it, as HTML."""
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
