"""The *Teach* tab in a real browser with a fake camera: taught, saved, loaded and recognised."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from skeletr.teach import TaughtActions
from tests.app.test_live_page import FAKE
from tests.synthetic import scene

NAME = "wobble <b>&"
_ATTEMPTS = 6  # a busy machine may see too few frames in a take


def open_camera(page, tab: str) -> None:
    page.get_by_role("tab", name=tab).click()
    camera = page.locator(f"#{tab.lower()}-camera")
    camera.get_by_text("Click to Access Webcam").click()
    camera.get_by_label("capture photo").first.click()


def stop_camera(page, tab: str) -> None:
    page.locator(f"#{tab.lower()}-camera").get_by_label("capture photo").first.click()


def teach(page, people: int, count: int) -> None:
    """One more example; recorded again where the page says why it could not be learned from."""
    for _ in range(_ATTEMPTS):
        record(page, people)
        learned = page.locator("#teach-examples .sk-example").nth(count - 1)
        problem = page.locator("#teach-told .sk-problem")
        learned.or_(problem).first.wait_for()
        if learned.is_visible():
            return
    raise AssertionError(f"not learned in {_ATTEMPTS} attempts: {problem.inner_text()}")


def record(page, people: int) -> None:
    page.locator("#teach-record").click()
    page.locator("#teach-now .sk-take b").wait_for()
    page.locator("#teach-now .sk-recording").wait_for()
    if people > 1:
        pictures = page.locator("#teach-question [data-pick] svg")
        pictures.first.or_(page.locator("#teach-told .sk-problem")).first.wait_for()
        if not pictures.count():
            return
        assert pictures.count() <= people
        page.locator("#teach-question [data-pick=all]").click()


def test_taught_with_the_camera_and_recognised_by_it(
    open_page, launch_browser, few_people: tuple[Path, int], tmp_path: Path
) -> None:
    path, people = few_people
    with launch_browser(*FAKE, f"--use-file-for-fake-video-capture={path}") as browser:
        page = open_page(browser)
        open_camera(page, "Teach")
        page.locator("#teach-people li").nth(people - 1).wait_for()
        page.locator("#teach-record").click()
        page.locator("#teach-told").get_by_text("Give the action a name first.").wait_for()
        page.locator("#teach-name input, #teach-name textarea").fill(NAME)
        for count in (1, 2, 3):
            teach(page, people, count)
        card = page.locator("#teach-examples .sk-action")
        assert card.locator("h3").inner_text() == NAME
        assert "of 3 recognised when left out" in card.inner_text()
        page.locator("#teach-people .sk-label", has_text=NAME).first.wait_for()

        with page.expect_download() as download:
            page.locator("#teach-save").click()
        file = tmp_path / "saved.npz"
        download.value.save_as(file)
        assert TaughtActions.load(file).count(NAME) == 3

        stop_camera(page, "Teach")
        open_camera(page, "Live")
        page.locator("#live-people .sk-label", has_text=NAME).first.wait_for()
        page.get_by_role("tab", name="Teach").click()
        page.locator("#teach-use input").uncheck()
        page.get_by_role("tab", name="Live").click()
        page.wait_for_function(
            "name => { const rows = document.querySelector('#live-people').innerText;"
            " return rows && !rows.includes(name); }",
            arg=NAME,
        )
        stop_camera(page, "Live")


def test_loaded_deleted_and_refused(open_page, browser, tmp_path: Path) -> None:
    own, double = tmp_path / "own.npz", tmp_path / "double.npz"
    recording = scene([150], np.arange(50) / 25)
    TaughtActions().add(NAME, recording).add(NAME, recording).save(own)
    TaughtActions().add("walk", recording).save(double)
    page = open_page(browser)
    page.get_by_role("tab", name="Teach").click()
    page.get_by_text("is gone when you close or reload it").wait_for()
    load = page.get_by_test_id("Load a saved set-upload-button")
    load.set_input_files(own)
    page.locator("#teach-examples .sk-example").nth(1).wait_for()
    load.set_input_files(double)
    page.locator("#teach-told .sk-problem").get_by_text("knows “walk” already").wait_for()
    page.locator("#teach-examples [data-remove='0']").click()
    page.wait_for_function(
        "() => document.querySelectorAll('#teach-examples .sk-example').length === 1"
    )
    page.locator("#teach-forget").click()
    page.locator("#teach-examples").get_by_text("Nothing was taught yet").wait_for()


def test_clips_show_how_far_they_are_and_can_be_stopped(open_page, browser, make_video) -> None:
    still = [(np.full((240, 320, 3), i % 200, np.uint8) for i in range(500)) for _ in range(2)]
    clips = [str(make_video(f"still {i}.mp4", frames)) for i, frames in enumerate(still)]
    page = open_page(browser)
    page.get_by_role("tab", name="Teach").click()
    page.get_by_text("Name an action above").wait_for()
    drop = page.locator("#teach-clips input[type=file]")
    drop.set_input_files(clips)
    page.locator("#teach-told .sk-problem").get_by_text("Give the action a name first.").wait_for()
    page.locator("#teach-cancel").wait_for(state="hidden")
    page.locator("#teach-name input, #teach-name textarea").fill(NAME)
    drop.set_input_files(clips)
    page.locator("#teach-told .sk-progress").get_by_text("still 0.mp4 (1 of 2)").wait_for()
    page.locator("#teach-cancel").click()
    page.locator("#teach-told").get_by_text("0.mp4 was stopped. 1 more left out").wait_for()
    page.locator("#teach-cancel").wait_for(state="hidden")
