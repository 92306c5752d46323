"""Gradio's own line: how long it may get, what is said then, and which files lie in it.

Tried with the version in requirements.txt.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gradio as gr

from app.neighbours import group_of_request, share_of
from app.settings import AppSettings

# Events that may wait for each page that may be open: a video, and what a page asks for when it is
# opened. Each holds what was sent with it until its turn.
_PER_PAGE = 4
_FULL = "Too many visitors wait for this app just now. Try again in a minute."
_SHARE_TAKEN = (
    "Too much was asked from your network address just now. Close other pages of this app, or try "
    "again in a minute."
)


def bound(page: gr.Blocks, settings: AppSettings) -> None:
    """Let nobody past the line, and no more into it than it may hold. Gradio makes a new line.

    Without that whoever asks an event's own address is served at once, beside all who wait.
    """
    page.queue(api_open=False, max_size=_PER_PAGE * settings.max_sessions)
    push = page._queue.push

    async def pushed(
        body: object, request: object, username: str | None
    ) -> tuple[bool, object, str]:
        # Gradio's page has words of its own for that state; its client for programs needs it.
        full = "queue_full" if _is_for_programs(page, body) else "error"
        if _has_its_share(page, body, request, settings):
            return False, _SHARE_TAKEN, full
        done, told, state = await push(body, request, username)
        return (done, _FULL, full) if state == "queue_full" else (done, told, state)

    page._queue.push = pushed


def _has_its_share(page: gr.Blocks, body: object, request: object, settings: AppSettings) -> bool:
    """Whether the address that asks has as many events here, or cameras, as one may have."""
    group = group_of_request(request)
    if not group:
        return False
    working = [event for job in page._queue.active_jobs for event in job or ()]
    theirs = [e for e in (*working, *_waiting(page)) if group_of_request(e.request) == group]
    asked = page.fns.get(getattr(body, "fn_index", None))
    if asked is not None and asked.connection == "stream":
        cameras = sum(event.streaming for event in theirs)
        return cameras >= share_of(settings.streams, settings.address_share)
    most = share_of(page._queue.max_size, settings.address_share)
    return sum(not event.streaming for event in theirs) >= most


def _is_for_programs(page: gr.Blocks, body: object) -> bool:
    asked = page.fns.get(getattr(body, "fn_index", None))
    return asked is not None and asked.api_visibility == "public"


def files_in_line(page: gr.Blocks) -> list[Path]:
    """Files of events that wait for their turn, also of programs, which have no session before.

    Paths are as they were sent: nobody has checked them yet.
    """
    events = _waiting(page)
    return [Path(path) for event in events if event.data for path in _paths(event.data.data)]


def _waiting(page: gr.Blocks) -> list:
    lines = list(page._queue.event_queue_per_concurrency_id.values())
    return [event for line in lines for event in list(line.queue)]


def _paths(value: object) -> Iterator[str]:
    """The paths of all files in what was sent."""
    if isinstance(value, dict):
        if isinstance(value.get("path"), str):
            yield value["path"]
    elif isinstance(value, list):
        for part in value:
            yield from _paths(part)
