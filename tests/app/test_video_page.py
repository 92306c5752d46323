"""The *Video* tab in a real browser."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from skeletr.recording import Recording
from skeletr.video import VideoReader


def drop(page, path: Path) -> None:
    """Give the page a file, as dropping it does."""
    clear = page.locator("#video-file").get_by_label("Clear")
    if clear.count():  # what that does arrives before the next file, which it would take away too
        with page.expect_response(lambda answer: "/run/predict" in answer.url):
            clear.first.click()
    page.locator("#video-file input[type=file]").set_input_files(str(path))


def results(page) -> None:
    """Wait for the result of a video."""
    page.locator("#video-annotated video").wait_for()
    page.locator("#video-attention .heatmaplayer image").wait_for(state="attached")


def download(page, name: str, folder: Path) -> Path:
    """Press a download button and keep what comes."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name, exact=True).or_(
            page.get_by_role("link", name=name, exact=True)
        ).first.click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_a_video_ends_with_labels_overlay_and_heatmap(
    open_page, browser, people_video: Path, tmp_path: Path
) -> None:
    page = open_page(browser)
    drop(page, people_video)
    page.locator(".sk-progress").wait_for()
    results(page)
    assert page.locator("#video-verdict h2").inner_text().strip()
    assert page.locator("#video-verdict .sk-bar").count() >= 2
    assert page.locator("#video-people .sk-chip").count() >= 1
    assert page.locator("#video-timeline .bars .point").count() >= 1
    ticks = page.locator("#video-attention .xtick text").all_text_contents()
    assert ticks and all(t.startswith("P(") for t in ticks)
    ends = page.locator("#video-moment").inner_text()
    assert "0000" not in ends and "9999" not in ends  # no sums of binary fractions
    check_downloads(page, people_video, tmp_path)
    check_choice_of_head(page)
    check_pausing_moves_the_moment(page)


def check_downloads(page, video: Path, folder: Path) -> None:
    result = json.loads(download(page, "JSON", folder).read_text())
    assert result["schema_version"] == 1 and result["people"]
    assert download(page, "CSV", folder).read_text().startswith("time,person")
    recording = Recording.load(download(page, "Recording", folder))
    original = [f for f in VideoReader(video)]
    annotated = [f for f in VideoReader(download(page, "Annotated MP4", folder))]
    assert len(annotated) == len(original) == len(recording.frame_times)
    times = [[f.time for f in frames] for frames in (annotated, original)]
    assert np.allclose(*times, atol=1e-3)
    last = np.abs(annotated[-1].image.astype(int) - original[-1].image).max(axis=2)
    assert (last > 60).mean() > 0.002  # boxes, skeletons and labels were drawn


def check_choice_of_head(page) -> None:
    before = page.locator("#video-attention .heatmaplayer image").get_attribute("href")
    page.locator("#video-heads .sk-head[data-head='2']").click()
    page.wait_for_function(
        "old => document.querySelector('#video-attention .heatmaplayer image')"
        "?.getAttribute('href') !== old",
        arg=before,
    )


def check_pausing_moves_the_moment(page) -> None:
    moment = page.locator("#video-moment input[type=number]")
    before = moment.input_value()
    page.evaluate("document.querySelector('#video-annotated video').pause()")
    page.evaluate(
        """async () => {
            const video = document.querySelector('#video-annotated video');
            video.currentTime = 0;
            await video.play();
            video.pause();
        }"""
    )
    page.wait_for_function(
        "old => document.querySelector('#video-moment input[type=number]').value !== old",
        arg=before,
    )


def test_bad_files_give_one_sentence_and_disturb_nobody(
    open_page, browser, people_video: Path, portrait_video: Path, sound_only: Path, tmp_path: Path
) -> None:
    other = open_page(browser)
    drop(other, people_video)
    other.locator(".sk-progress").wait_for()
    page = open_page(browser)
    text, empty = tmp_path / "<img src=x> text.mp4", tmp_path / "empty.mp4"
    notes = tmp_path / "notes.txt"
    for path in (text, notes):
        path.write_text("this is not a video")
    empty.touch()
    for path, said in (
        (text, "not a video"),
        (notes, "not a video"),
        (sound_only, "only sound"),
        (empty, "empty"),
    ):
        drop(page, path)
        sentence = f"{path.stem.split()[-1]}{path.suffix}"
        problem = page.locator("#video-status .sk-problem").filter(has_text=sentence)
        problem = problem.filter(has_text=said)
        problem.wait_for()
        assert problem.inner_text().count(". ") == 0  # one sentence
        assert page.locator("#video-status img").count() == 0
        assert not page.locator("#video-results").is_visible()
    results(other)
    drop(page, portrait_video)
    results(page)


def test_a_running_video_can_be_stopped(open_page, browser, make_video, tmp_path: Path) -> None:
    still = (np.full((240, 320, 3), i % 200, np.uint8) for i in range(1500))
    page = open_page(browser)
    drop(page, make_video("long.mp4", still))
    page.locator(".sk-progress").wait_for()
    page.locator("#video-cancel").click()
    page.locator("#video-status").get_by_text("was stopped. Press Recognise").wait_for()
    assert not page.locator("#video-cancel").is_visible()


def test_a_video_without_people_says_so(open_page, browser, moving_video: Path) -> None:
    page = open_page(browser)
    drop(page, moving_video)
    page.locator("#video-verdict").get_by_text("Nobody was found").wait_for()
    page.locator("#video-verdict").get_by_text("Try one in which people").wait_for()
    assert page.locator("#video-annotated video").is_visible()
