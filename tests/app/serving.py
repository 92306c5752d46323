"""The app in this process: an untrained model, a fake pose frontend, real HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import gradio as gr
import httpx
import pytest

from app import live_frames
from app.engine import Engine
from app.settings import AppSettings, UserOptions
from app.ui import build, launch_options, stop
from tests.app.fakes import FakePose, untrained
from tests.app.protocol import Page

# What the page offers, in the order in which it sends it.
OPTIONS = ["mediapipe", 6, False, 0.3, "as it is", UserOptions.smoothing]


@contextmanager
def serving(settings: AppSettings, folder: Path) -> Iterator[gr.Blocks]:
    """The page, served until it is no longer needed. folder: for visitors' files."""
    FakePose.open = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        patch.setattr(live_frames, "_LINE_PACE", 0.05)
        page = build(settings, Engine(settings, untrained, lambda options: FakePose()))
        page.launch(prevent_thread_lock=True, quiet=True, **launch_options(settings, page))
        try:
            yield page
        finally:
            stop(page)


@contextmanager
def pages(served: gr.Blocks) -> Iterator[Callable[[], Page]]:
    """Opens pages, and closes all of them."""
    opened: list[Page] = []

    def open_one() -> Page:
        opened.append(Page(served))
        return opened[-1]

    yield open_one
    for page in opened:
        page.close()
    wait_until(lambda: not len(served.sessions))


def wait_until(true, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert true()


def uploaded(page: Page, video: Path, name: str = "film.mp4") -> dict:
    answer = page.upload(video, name)
    assert answer.status_code == 200, answer.text
    return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}


def ask_at_once(served: gr.Blocks, page: Page, function: str, data: list) -> httpx.Response:
    """Ask for a function of the page by its own address, which does not go through the line."""
    named = [i for i, f in served.fns.items() if f.name == function]
    index = next(i for i in named if len(served.fns[i].inputs) == len(data))
    body = {"fn_index": index, "data": data, "session_hash": page.key}
    return httpx.post(f"{served.local_url}gradio_api/run/predict", json=body, timeout=120)
