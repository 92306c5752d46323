"""Two cameras and one place, in a real browser: the second waits, says so, and gets in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.serving import App, running_app
from tests.app.conftest import START
from tests.app.test_live_page import FAKE, start_camera


@pytest.fixture
def app(pose_model: None, tmp_path: Path) -> Iterator[App]:
    """The app with one place at the camera."""
    with running_app(tmp_path, SKELETR_MAX_LIVE="1") as started:
        yield started


def open_camera(browser, app: App):
    """A page of its own visitor whose camera runs, and what its console says is wrong."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(START)
    faults: list[str] = []
    page.on("console", lambda told: faults.append(told.text) if told.type == "error" else None)
    page.goto(app.local_url)
    page.locator(".sk-state.sk-ready").wait_for()
    start_camera(page)
    page.get_by_label("capture photo").first.click()
    return page, faults


def test_the_second_camera_waits_and_gets_in_when_the_first_leaves(
    app: App, launch_browser: Callable, camera_file: tuple[Path, int]
) -> None:
    camera, _ = camera_file
    with launch_browser(*FAKE, f"--use-file-for-fake-video-capture={camera}") as browser:
        first, first_faults = open_camera(browser, app)
        first.locator("#live-people li").first.wait_for()
        second, second_faults = open_camera(browser, app)
        second.locator("#live-people").get_by_text("You are 1st in line").wait_for()
        assert second.locator("#live-overlay img").count() == 0
        figures = app.metrics()
        assert (figures["live_served"], figures["live_waiting"]) == (1, 1)
        first.locator("#live-people li").first.wait_for()  # is still served
        first.context.close()
        second.locator("#live-people li").first.wait_for()
        assert second.locator("#live-overlay img").get_attribute("src").startswith("data:image")
        assert second.get_by_text("in line").count() == 0
        assert app.metrics()["live_waiting"] == 0
        assert not first_faults and not second_faults
