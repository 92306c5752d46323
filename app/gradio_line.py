"""Gradio's own line: how long it may get, what is said then, and which files lie in it.

Tried with the version in requirements.txt.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gradio as gr

from app.settings import AppSettings

# Events that may wait for each page that may be open: a video, and what a page asks for when it is
# opened. Each holds what was sent with it until its turn.
_PER_PAGE = 4
_FULL = "Too many visitors wait for this app just now. Try again in a minute."


def bound(page: gr.Blocks, settings: AppSettings) -> None:
    """Let nobody past the line, and no more into it than it may hold. Gradio makes a new line.

    Without that whoever asks an event's own address is served at once, beside all who wait.
    """
    page.queue(api_open=False, max_size=_PER_PAGE * settings.max_sessions)
    push = page._queue.push

    async def pushed(*given: object, **named: object) -> tuple[bool, object, str]:
        done, told, state = await push(*given, **named)
        if state != "queue_full":
            return done, told, state
        body = named.get("body", given[0] if given else None)
        # Gradio's page has words of its own for that state; its client for programs needs it.
        return done, _FULL, state if _is_for_programs(page, body) else "error"

    page._queue.push = pushed


def _is_for_programs(page: gr.Blocks, body: object) -> bool:
    asked = page.fns.get(getattr(body, "fn_index", None))
    return asked is not None and asked.api_visibility == "public"


def files_in_line(page: gr.Blocks) -> list[Path]:
    """Files of events that wait for their turn, also of programs, which have no session before.

    Paths are as they were sent: nobody has checked them yet.
    """
    lines = list(page._queue.event_queue_per_concurrency_id.values())
    events = [event for line in lines for event in list(line.queue)]
    return [Path(path) for event in events if event.data for path in _paths(event.data.data)]


def _paths(value: object) -> Iterator[str]:
    """The paths of all files in what was sent."""
    if isinstance(value, dict):
        if isinstance(value.get("path"), str):
            yield value["path"]
    elif isinstance(value, list):
        for part in value:
            yield from _paths(part)
