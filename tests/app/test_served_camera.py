"""The camera over HTTP with the app's own protocol: what is decoded, and who waits."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import httpx
import pytest
from PIL import Image

from app.settings import AppSettings
from tests.app.fakes import FakePose
from tests.app.protocol import Page, camera_picture
from tests.app.serving import OPTIONS, ask_at_once, pages, serving, uploaded, wait_until


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gr.Blocks]:
    """The app with one place at the camera."""
    settings = AppSettings(max_live=1, max_upload_mb=2)
    with serving(settings, tmp_path_factory.mktemp("files")) as page:
        yield page


@pytest.fixture
def open_page(served: gr.Blocks) -> Iterator:
    with pages(served) as open_one:
        yield open_one


def test_values_that_the_page_does_not_offer_are_refused(
    open_page, moving_video: Path, served: gr.Blocks
) -> None:
    page = open_page()
    file = uploaded(page, moving_video)
    for place, value in (
        (0, "nobody"),
        (1, 10**9),
        (3, 55.0),
        (4, "<script>"),
        (5, "very strong"),
    ):
        options = [*OPTIONS[:2], True, *OPTIONS[3:]]
        options[place] = value
        done = page.call("recognise", [file, *options])
        assert not done["success"]


def test_a_picture_that_unpacks_to_a_huge_one_is_refused(open_page, monkeypatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)  # `launch.py` sets it from the settings
    assert "cannot be read" in shown_for(open_page(), camera_picture((160, 120)))


def shown_for(page: Page, picture: dict) -> str:
    """What the page shows of people for a picture of its camera."""
    page.join("step", [picture, True, False, *OPTIONS])
    for message in page.messages():
        if message["msg"] in ("process_streaming", "process_completed"):
            return json.dumps(message["output"])
    raise AssertionError("there was no answer")


def as_sent(kind: str, told: str) -> dict:
    """A picture of another format, as a page would send it."""
    file = io.BytesIO()
    Image.new("RGB", (160, 120)).save(file, kind)
    return {"url": f"data:image/{told};base64," + base64.b64encode(file.getvalue()).decode()}


@pytest.mark.parametrize("kind", ["TIFF", "JPEG2000", "ICNS", "PPM", "TGA", "GIF", "BMP"])
def test_only_what_cameras_send_is_decoded(served: gr.Blocks, open_page, kind: str) -> None:
    served.engine.wait(60)
    said = "JPEG, PNG or WebP"
    assert said in shown_for(open_page(), as_sent(kind, "jpeg"))
    page = open_page()
    # Gradio makes the camera anew for a page that changes it.
    assert ask_at_once(served, page, "<lambda>", [False]).status_code == 200
    assert said in shown_for(page, as_sent(kind, kind.lower()))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_cameras_send_is_recognised(served: gr.Blocks, open_page, kind: str) -> None:
    served.engine.wait(60)
    page = open_page()
    assert "data:image/jpeg" in shown_for(page, as_sent(kind, kind.lower()))
    page.close()
    wait_until(lambda: not served.sessions.places.served)


def test_an_upload_is_no_camera_picture(open_page, tmp_path: Path) -> None:
    path, page = tmp_path / "large.tiff", open_page()
    Image.new("RGB", (600, 500)).save(path)
    file = uploaded(page, path, path.name)
    assert "JPEG, PNG or WebP" in shown_for(page, file)


def test_a_page_that_sends_many_pictures_at_once_stops_nobody(
    served: gr.Blocks, open_page, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.engine.wait(60)
    begun, go_on, estimate = threading.Event(), threading.Event(), FakePose.estimate

    def slow(self: FakePose, image: object, moment: float) -> tuple:
        begun.set()
        assert go_on.wait(120)
        return estimate(self, image, moment)

    monkeypatch.setattr(FakePose, "estimate", slow)
    page, other = open_page(), open_page()
    dropped = served.sessions.metrics.total("frames_dropped_total")
    try:
        page.join("step", [camera_picture(), True, False, *OPTIONS])
        assert begun.wait(60)
        for _ in range(48):
            page.join("step", [camera_picture(), True, False, *OPTIONS])
        for path in ("health", "metrics"):
            assert httpx.get(f"{served.local_url}{path}", timeout=60).status_code == 200
        assert ask_at_once(served, other, "cancel", []).status_code == 200
        wait_until(lambda: served.sessions.metrics.total("frames_dropped_total") > dropped + 20)
    finally:
        go_on.set()


def stream(page: Page, seen: list[str]) -> str:
    """Start a camera; what the page shows of people is added to `seen`."""
    event = page.join("step", [camera_picture(), True, False, *OPTIONS])

    def listen() -> None:
        with contextlib.suppress(httpx.HTTPError, RuntimeError):
            for message in page.messages():
                for value in (message.get("output") or {}).get("data") or ():
                    if isinstance(value, str) and "sk-" in value:
                        seen.append(value)

    threading.Thread(target=listen, daemon=True).start()
    return event


def plays(page: Page, event: str, seen: list[str]) -> bool:
    """Send a picture more; whether people are shown by now."""
    page.push(event, [camera_picture(), True, False, *OPTIONS])
    return any("sk-live" in s for s in seen)


def test_a_second_camera_waits_in_line_and_gets_in(served: gr.Blocks, open_page) -> None:
    served.engine.wait(60)
    first, second = open_page(), open_page()
    seen_first: list[str] = []
    seen_second: list[str] = []
    event = stream(first, seen_first)
    wait_until(lambda: plays(first, event, seen_first))
    event = stream(second, seen_second)
    wait_until(lambda: any("1st in line" in s for s in seen_second))
    assert FakePose.open == 1 and served.sessions.places.waiting == 1
    first.close()  # its browser vanishes
    wait_until(lambda: plays(second, event, seen_second))
    assert FakePose.open == 1
    second.close()
    wait_until(lambda: FakePose.open == 0)
    total = served.sessions.metrics.total
    assert total("pose_streams_opened_total") == total("pose_streams_closed_total") > 0
    assert total("frames_total") > 2 and total("frames_received_total") > 2


def test_pictures_of_whoever_waited_are_not_written_to_the_disk(
    served: gr.Blocks, open_page
) -> None:
    served.engine.wait(60)
    first, second = open_page(), open_page()
    seen: list[str] = []
    event = stream(first, seen)
    wait_until(lambda: plays(first, event, seen))
    assert "1st in line" in shown_for(second, camera_picture())
    first.close()
    wait_until(lambda: not served.sessions.places.served)
    assert "data:image/jpeg" in shown_for(second, camera_picture())
    assert not [p for p in served.sessions.vault.root.rglob("image.*")]
