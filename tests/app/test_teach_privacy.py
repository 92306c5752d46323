"""What is shown of people in *Teach* is what they chose, wherever in the page they chose it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import gradio as gr
import numpy as np
import pytest

from app.settings import AppSettings
from skeletr.overlay import PICTURES
from skeletr.overlay.draw import _PLAIN as PLAIN
from tests.app.protocol import Page, camera_picture
from tests.app.serving import OPTIONS, pages, serving
from tests.app.test_live_page import FAKE
from tests.app.test_teach_page import open_camera, stop_camera

_PICTURE = OPTIONS.index("as it is")
_AROUND = (60, 40)  # only the camera's picture; the person of the fake pose model is mirrored
_INSIDE = (60, 134)
# The colours, of three channels, of everything in the picture of an element.
_PIXELS = """(name) => {
  const image = document.querySelector(`${name} img`);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  return [...context.getImageData(0, 0, canvas.width, canvas.height).data];
}"""
_BACKGROUND = 0.6  # share of a picture that it takes where only skeletons are shown


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gr.Blocks]:
    with serving(AppSettings(), tmp_path_factory.mktemp("files")) as page:
        page.engine.wait(60)
        yield page


def striped() -> dict:
    """A camera picture of fine stripes, which no blur leaves as they are."""
    image = np.zeros((120, 160, 3), np.uint8)
    image[:, ::4] = image[:, 1::4] = 255
    data = cv2.imencode(".png", image)[1]
    return camera_picture() | {"url": "data:image/png;base64," + base64.b64encode(data).decode()}


def you(page: Page, picture: str) -> np.ndarray:
    """The picture *You* for such a choice, (H, W) gray."""
    options = [*OPTIONS[:_PICTURE], picture, *OPTIONS[_PICTURE + 1 :]]
    page.join("watch", [striped(), *options])
    for message in page.messages():
        if message["msg"] in ("process_streaming", "process_completed"):
            told = json.dumps(message["output"])
            data = re.search(r"data:image/jpeg;base64,([^\"]+)", told).group(1)
            return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), 0)
    raise AssertionError("there was no answer")


def contrast(image: np.ndarray, place: tuple[int, int]) -> float:
    """How much of the stripes is left around a place."""
    row, column = place
    return float(np.ptp(image[row - 4 : row + 4, column - 8 : column + 8].mean(axis=0)))


@pytest.mark.parametrize("picture", PICTURES)
def test_the_picture_you_is_what_was_chosen(served: gr.Blocks, picture: str) -> None:
    with pages(served) as open_page:
        shown = you(open_page(), picture)
    around = contrast(shown, _AROUND)
    assert around < 10 if picture == "skeletons only" else around > 150
    if picture == "people blurred":
        assert contrast(shown, _INSIDE) < around / 2


def test_what_is_chosen_in_one_tab_holds_in_the_others(
    open_page, launch_browser, few_people: tuple[Path, int]
) -> None:
    path, people = few_people
    with launch_browser(*FAKE, f"--use-file-for-fake-video-capture={path}") as browser:
        page = open_page(browser)
        page.get_by_role("tab", name="Live").click()
        page.locator("button:visible", has_text="Settings").click()
        page.locator(".sk-option-picture input >> visible=true").click()
        page.get_by_role("option", name="Skeletons only").click()
        open_camera(page, "Teach")
        page.locator("#teach-people li").nth(people - 1).wait_for()
        pixels = np.array(page.evaluate(_PIXELS, "#teach-overlay"), np.uint8).reshape(-1, 4)
        plain = np.abs(pixels[:, :3].astype(int) - PLAIN).max(axis=1) < 12
        assert plain.mean() > _BACKGROUND
        seen = page.locator("#teach-camera video").evaluate("v => getComputedStyle(v).opacity")
        assert seen == "0"  # nor does the browser's own picture show anybody
        stop_camera(page, "Teach")
