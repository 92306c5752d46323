"""Which files lie in Gradio's own line; tried with the version in requirements.txt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gradio as gr


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
