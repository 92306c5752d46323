"""What Gradio keeps in memory for itself, made less; tried with the version in requirements.txt."""

from __future__ import annotations

import gradio as gr

_IDLE_LOOK = 0.02  # seconds between two looks for work, where Gradio itself waits for none
_NEVER = 10**9  # events until the next statistics


def spare(page: gr.Blocks) -> None:
    """Leave out what this app does not use and what grows with every event.

    Gradio looks for work a thousand times a second, which takes a twentieth of a core, and makes
    statistics of the last ten thousand events after each of them, which takes up to 16 ms.
    """
    queue = page._queue
    queue.sleep_when_free = _IDLE_LOOK
    queue.ANALYTICS_MAX_EVENTS = 1
    queue.ANAYLTICS_CACHE_FREQUENCY = _NEVER  # spelt as Gradio spells it


def forget_page(page: gr.Blocks, key: str) -> None:
    """Drop what Gradio keeps of a page that was closed. Call it in the server's own thread.

    That is every component as that page last had it, with the last picture of its camera and what
    was drawn into it: a third of a megabyte and a visitor's picture, until ten thousand other
    pages have come. A page that comes back after all begins with empty ones.
    """
    page.state_holder.session_data.pop(key, None)
    page.state_holder.time_last_used.pop(key, None)
