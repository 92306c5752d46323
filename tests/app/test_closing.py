"""What a page holds is freed when it is closed, seen from inside the server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest

from app.engine import Engine
from app.settings import AppSettings
from app.ui import build, launch_options
from tests.app.fakes import FakePose, untrained


@pytest.fixture
def served() -> Iterator[gr.Blocks]:
    """The app in this process, with an untrained model and a fake pose frontend."""
    FakePose.open = 0
    settings = AppSettings()
    page = build(settings, Engine(settings, untrained, lambda options: FakePose()))
    page.launch(prevent_thread_lock=True, quiet=True, **launch_options(settings, page))
    yield page
    page.close()


def test_closing_the_page_frees_its_camera(
    served: gr.Blocks, launch_browser, camera_file: tuple[Path, int]
) -> None:
    camera = f"--use-file-for-fake-video-capture={camera_file[0]}"
    fake = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
    with launch_browser(*fake, camera) as browser:
        page = browser.new_page()
        page.goto(served.local_url)
        page.locator(".sk-state.sk-ready").wait_for()
        page.get_by_role("tab", name="Live").click()
        page.get_by_text("Click to Access Webcam").click()
        page.get_by_label("capture photo").first.click()
        page.locator("#live-people li").first.wait_for()
        assert len(served.sessions) == 1 and FakePose.open == 1
        page.get_by_label("capture photo").first.click()  # stop: no frame comes too late
        page.wait_for_timeout(1000)
        page.close()
        wait_for_nobody(served)
    assert FakePose.open == 0


def wait_for_nobody(served: gr.Blocks) -> None:
    deadline = time.monotonic() + 60
    while len(served.sessions) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not len(served.sessions)
