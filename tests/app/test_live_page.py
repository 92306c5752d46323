"""The *Live* tab in a real browser with a fake camera."""

from __future__ import annotations

from pathlib import Path

FAKE = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


def start_camera(page) -> None:
    page.get_by_role("tab", name="Live").click()
    page.get_by_text("Click to Access Webcam").click()


def test_camera_shows_labelled_people_and_a_moving_heatmap(
    open_page, launch_browser, camera_file: tuple[Path, int]
) -> None:
    path, people = camera_file
    with launch_browser(*FAKE, f"--use-file-for-fake-video-capture={path}") as browser:
        page = open_page(browser)
        start_camera(page)
        page.get_by_label("capture photo").first.click()
        rows = page.locator("#live-people li")
        rows.nth(people - 1).wait_for()
        assert page.locator("#live-overlay img").get_attribute("src").startswith("data:image/jpeg")
        if people > 1:  # of the portrait, too little is seen for a label
            rows.locator(".sk-label").nth(people - 1).wait_for()
            assert rows.count() == people
            check_the_heatmap_moves(page)
        assert "frames/s" in page.locator("#live-badge").inner_text()
        page.get_by_label("capture photo").first.click()  # now it says stop


def check_the_heatmap_moves(page) -> None:
    ticks = page.locator("#live-attention .xtick text")
    ticks.first.wait_for()
    before = ticks.all_text_contents()
    assert before[0].startswith("P(")
    page.wait_for_function(
        "old => { const now = [...document.querySelectorAll('#live-attention .xtick text')]"
        ".map(t => t.textContent); return now.length && now.join() !== old; }",
        arg=",".join(before),
    )


def test_a_camera_that_is_refused_is_explained(open_page, launch_browser) -> None:
    with launch_browser("--deny-permission-prompts") as browser:
        page = open_page(browser)
        start_camera(page)
        page.locator("#camera-note.sk-problem").wait_for()
        assert "camera" in page.locator("#camera-note").inner_text().lower()
