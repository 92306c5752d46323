"""Sessions, examples and downloads in a real browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from skeletr.datasets.pyskl import read_pyskl
from skeletr.session import Session
from skeletr.video import VideoReader
from tests.app.test_video_page import download, drop, results


def test_a_session_is_saved_opened_again_and_the_same(
    open_page, browser, people_video: Path, tmp_path: Path
) -> None:
    page = open_page(browser)
    drop(page, people_video)
    results(page)
    saved = download(page, "Session", tmp_path)
    first = json.loads(download(page, "JSON", tmp_path).read_text())
    heading = page.locator("#video-verdict h2").inner_text()
    vtt = download(page, "Subtitles", tmp_path).read_text()
    assert vtt.startswith("WEBVTT\n\n") and " --> " in vtt
    (clip,) = read_pyskl(download(page, "PYSKL", tmp_path), {"train": "all"})
    assert clip.recording.people
    again = open_page(browser)  # another visitor, who has the session only
    drop(again, saved)
    results(again)
    again.locator("#video-status").get_by_text("as it was saved").wait_for()
    assert again.locator("#video-verdict h2").inner_text() == heading
    (tmp_path / "again").mkdir()
    second = json.loads(download(again, "JSON", tmp_path / "again").read_text())
    assert first == second
    recording = Session.load(saved).recording
    replay = VideoReader(download(again, "Annotated MP4", tmp_path / "again"))
    assert np.allclose([f.time for f in replay], recording.frame_times, atol=1e-3)


def test_an_example_is_shown_at_once_and_can_be_asked_again(open_page, browser) -> None:
    page = open_page(browser)
    page.get_by_role("button", name="A handshake").click()
    results(page)
    assert page.locator("#video-people .sk-chip").count() == 2
    assert "A handshake" in page.locator("#video-verdict").inner_text()
    page.get_by_role("button", name="Recognise", exact=True).click()
    page.locator(".sk-progress").or_(page.locator("#video-status .sk-note")).first.wait_for()
    results(page)
    assert page.locator("#video-people .sk-chip").count() == 2


def test_a_damaged_session_is_one_sentence(open_page, browser, tmp_path: Path) -> None:
    page = open_page(browser)
    path = tmp_path / "mine.npz"
    path.write_bytes(b"PK\x03\x04 and nothing else")
    drop(page, path)
    problem = page.locator("#video-status .sk-problem")
    problem.get_by_text("neither a session nor a recording").wait_for()
    assert problem.inner_text().count(". ") == 0
    assert not page.locator("#video-results").is_visible()


def test_the_page_says_what_is_stored_and_fits_a_phone(open_page, browser) -> None:
    page = open_page(browser)
    page.set_viewport_size({"width": 390, "height": 800})
    page.get_by_text("What is stored, where and for how long").click()
    told = page.locator(".sk-stored ul").inner_text()
    assert "60 minutes" in told and "never written to a disk" in told
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    boxes = [b.bounding_box() for b in page.locator("#video-examples button").all()]
    assert len(boxes) >= 4 and all(b["x"] >= 0 and b["x"] + b["width"] <= 390 for b in boxes)
    pictures = page.locator("#video-examples button").evaluate_all(
        "all => all.map(b => getComputedStyle(b, '::before').backgroundImage)"
    )
    assert all(re.match(r'url\("data:image/svg', p) for p in pictures)
