"""Nothing of a closed page stays in memory, neither of ours nor what Gradio keeps of it."""

from __future__ import annotations

import gc
import platform
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import numpy as np
import psutil
import pytest

from app import sessions as sessions_module
from app.engine import Engine
from app.freed_memory import GrownMemory, give_back
from app.sessions import Sessions
from app.settings import AppSettings
from app.ui import build, launch_options, stop
from app.vault import Vault
from tests.app.fakes import FakePose, untrained
from tests.app.protocol import Page, camera_picture


def engine() -> Engine:
    made = Engine(AppSettings(), untrained, lambda options: FakePose())
    made.wait(60)
    return made


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gr.Blocks]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("files")))
        page = build(AppSettings(), engine())
        options = launch_options(AppSettings(), page)
        page.launch(prevent_thread_lock=True, quiet=True, **options)
        yield page
        stop(page)


def wait_until(true, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert true()


def camera_seen(served: gr.Blocks, page: Page) -> list[weakref.ref]:
    """Show the camera of `page` one picture; what the server has of the page by then."""
    step = next(f for f in served.fns.values() if f.name == "step")
    page.join("step", [camera_picture(), *(getattr(b, "value", None) for b in step.inputs[1:])])
    wait_until(lambda: len(served.sessions) and served.sessions.get(page.key)._live is not None)
    session = served.sessions.get(page.key)
    known = (session, session._live, served.state_holder.session_data[page.key])
    return [weakref.ref(thing) for thing in known]


@pytest.mark.parametrize("goodbye", [Page.close, Page.vanish], ids=["closed", "vanished"])
def test_nothing_of_a_closed_page_stays_in_memory(served: gr.Blocks, goodbye) -> None:
    page = Page(served)
    kept = camera_seen(served, page)
    goodbye(page)

    def gone() -> bool:
        gc.collect()
        return not any(reference() for reference in kept)

    wait_until(gone)


def test_gradio_notes_no_visitors(served: gr.Blocks) -> None:
    for _ in range(3):
        page = Page(served)
        camera_seen(served, page)
        page.close()
    assert len(served._queue.event_analytics) <= 1


def test_freed_memory_goes_back_when_a_page_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    monkeypatch.setattr(sessions_module, "_SWEEP", 0.01)
    monkeypatch.setattr(sessions_module, "give_back", lambda: given.append(len(sessions)))
    sessions = Sessions(engine(), Vault(tmp_path, 3600))
    sessions.get("a")
    sessions.start()
    time.sleep(0.1)
    assert not given  # while nothing is closed, nothing is given back
    sessions.close("a")
    wait_until(lambda: given)
    sessions.close_all()
    assert given == [0]


def test_memory_is_given_back_where_glibc_is() -> None:
    assert give_back() == (platform.libc_ver()[0] == "glibc")


def _megabytes() -> float:
    return psutil.Process().memory_info().rss / 2**20


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps free pieces so")
def test_what_lies_free_between_what_is_kept_goes_back_while_pages_are_open() -> None:
    """A camera leaves such holes at every key frame, and no page is closed meanwhile."""
    give_back()  # what earlier tests left would be taken first
    grown = GrownMemory()
    assert not grown.look()
    pieces = [np.ones(12_000) for _ in range(3000)]  # 96 kB each: from the heap, not mapped
    kept = pieces[::20]
    full = _megabytes()
    del pieces
    assert _megabytes() > full - 30  # free, but this process has it
    assert grown.look()
    assert _megabytes() < full - 150 and all(piece.sum() == 12_000 for piece in kept)
    assert not grown.look()


def test_the_app_looks_for_grown_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    monkeypatch.setattr(sessions_module, "_SWEEP", 0.01)
    monkeypatch.setattr(GrownMemory, "look", lambda self: looks.append(1))
    sessions = Sessions(engine(), Vault(tmp_path, 3600))
    sessions.start()
    wait_until(lambda: len(looks) > 1)
    sessions.close_all()
