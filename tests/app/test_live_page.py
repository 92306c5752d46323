"""The *Live* tab in a real browser with a fake camera."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from skeletr.session import Session
from tests.app.test_results_page import POINT, click
from tests.app.test_video_page import drop, results

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
            check_the_heatmap_rests_out_of_sight(page)
        badge = page.locator("#live-badge").inner_text()
        assert re.search(r"\d+ frames/s +\d+ ms each +\d+ dropped", badge)
        page.get_by_label("capture photo").first.click()  # now it says stop
        page.locator("#live-badge").wait_for(state="hidden")  # nothing goes any more
        assert rows.count()  # and what was seen last stays


def check_the_heatmap_moves(page) -> None:
    page.locator("#live-attention").scroll_into_view_if_needed()
    ticks = page.locator("#live-attention .xtick text")
    ticks.first.wait_for()
    before = ticks.all_text_contents()
    assert before[0].startswith("P(")
    page.wait_for_function(
        "old => { const now = [...document.querySelectorAll('#live-attention .xtick text')]"
        ".map(t => t.textContent); return now.length && now.join() !== old; }",
        arg=",".join(before),
    )


_MAP = "document.querySelector('#live-attention .js-plotly-plot').layout.meta.newest"
_VERSION = "Number(document.querySelector('#live-badge [data-maps]').dataset.maps)"


def check_the_heatmap_rests_out_of_sight(page) -> None:
    def two_more() -> None:
        page.wait_for_function(f"old => {_VERSION} >= old + 2", arg=page.evaluate(_VERSION))

    page.set_viewport_size({"width": 1280, "height": 600})
    page.evaluate("window.scrollTo(0, 0)")
    two_more()  # one may have been on its way
    before = page.evaluate(_MAP)
    two_more()
    assert page.evaluate(_MAP) == before
    page.locator("#live-attention").scroll_into_view_if_needed()
    page.wait_for_function(f"old => {_MAP} !== old", arg=before)


# Where the last two short sequences of two people meet, as those stay in the map for longest; and
# what the plot says about the cell when it is clicked.
_CELL = """() => {
  const plot = () => document.querySelector("#live-attention .js-plotly-plot");
  const names = plot().data[0].x, person = (name) => name.split(", ")[1];
  const watch = () => {
    if (!plot()?.on || plot().watched) return;
    plot().watched = true;
    plot().on("plotly_click", (data) => {
      const { x, y, z } = data.points[0];
      window.clickedCell = { x, y, z };
    });
  };
  watch();
  setInterval(watch, 20); // the plot may come anew before the click
  const row = names.findIndex((name) => person(name) !== person(names[0])) - 1;
  return [names.length - 1, row];
}"""


def test_a_head_and_a_cell_are_chosen_live_and_the_session_is_kept(
    open_page, launch_browser, camera_file: tuple[Path, int], tmp_path: Path
) -> None:
    path, people = camera_file
    if people < 2:
        pytest.skip("nobody looks at anybody in the portrait; SKELETR_TEST_VIDEOS has more people")
    with launch_browser(*FAKE, f"--use-file-for-fake-video-capture={path}") as browser:
        page = open_page(browser)
        start_camera(page)
        page.get_by_label("capture photo").first.click()
        page.locator("#live-people li").nth(people - 1).wait_for()
        choose_a_head(page)
        check_a_cell(page)
        check_inside_the_pair(page)
        check_pointing(page)
        check_the_keyboard(page)
        page.locator("#live-wanted input").uncheck()
        page.locator("#live-maps").wait_for(state="hidden")
        page.get_by_label("capture photo").first.click()  # now it says stop
        with page.expect_download() as waiting:
            page.locator("#live-save").click()
        saved = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(saved)
        assert len(Session.load(saved).recording.people) >= people
        page.locator("#live-saved").get_by_text("without pictures").wait_for()
        page.get_by_role("tab", name="Video").click()
        drop(page, saved)
        results(page)
        assert page.locator("#video-people .sk-chip").count() >= people
        assert page.locator("#video-heads .sk-head").count() == 9


def choose_a_head(page) -> None:
    page.locator("#live-heads .sk-head").nth(8).wait_for()
    page.locator("#live-layer").get_by_text("2", exact=True).click()
    head = page.locator("#live-heads .sk-head[data-head='4']")
    head.click()
    page.locator("#live-heads .sk-head[data-head='4'][aria-pressed=true]").wait_for()
    page.wait_for_function(
        "document.querySelector(\"#live-heads [data-head='4'] span\").textContent.length > 3"
    )


def check_a_cell(page) -> None:
    """It names the people of the cell and its share, and the page goes to the picture."""
    page.locator("#live-attention").scroll_into_view_if_needed()  # else it does not come anew
    page.wait_for_function(  # at first everybody is alone, or nobody is there
        "new Set((document.querySelector('#live-attention .js-plotly-plot').data[0]?.x || [])"
        ".map(name => name.split(', ')[1])).size > 1"
    )
    click(page, "live-attention", *page.evaluate(_CELL))
    card = page.locator(".sk-live-pair")
    card.wait_for()
    cell = page.evaluate("window.clickedCell")
    person = [re.search(r", (\d+)\)", cell[axis]).group(1) for axis in ("y", "x")]
    told = card.inner_text()
    assert [card.get_attribute("data-looks"), card.get_attribute("data-seen")] == person
    share = float(re.search(r"([\d.]+)%", told).group(1))
    assert share == pytest.approx(100 * cell["z"], abs=0.06) and "head 5 of layer 2" in told
    page.wait_for_function(
        "(() => { const { top, bottom } = document.querySelector('#live-overlay')"
        ".getBoundingClientRect(); return top >= 0 && bottom <= innerHeight; })()"
    )


def check_inside_the_pair(page) -> None:
    """What was clicked is opened into tokens, which add up to the cell."""
    page.locator("#live-tokens .heatmaplayer image").wait_for(state="attached")
    rows = page.evaluate(
        "document.querySelector('#live-tokens .js-plotly-plot').data[0].z"
        ".map(row => [...row].reduce((a, b) => a + b, 0))"
    )
    share = page.evaluate("window.clickedCell.z")
    assert sum(rows) / len(rows) == pytest.approx(share, abs=2e-3)
    card = page.locator(".sk-live-pair")
    page.locator("#live-bodies").scroll_into_view_if_needed()  # the click went to the picture
    bodies = page.locator("#live-bodies .sk-body")
    bodies.nth(1).wait_for()
    people = bodies.evaluate_all("nodes => nodes.map(n => n.dataset.person)")
    assert people == [card.get_attribute("data-looks"), card.get_attribute("data-seen")]
    drawn = page.locator("#live-bodies .sk-limbs").first.get_attribute("d")
    page.wait_for_function(  # they move
        "was => document.querySelector('#live-bodies .sk-limbs').getAttribute('d') !== was",
        arg=drawn,
    )


def check_pointing(page) -> None:
    """Both skeletons are shown, and what the two people do is said, without a click."""
    page.locator("#live-attention").scroll_into_view_if_needed()
    # In every window: the first cell, of one person who looks at the same moment.
    for _ in range(20):  # the map is drawn anew every two seconds, also under the mouse
        left, top = page.evaluate(POINT, ["live-attention", 0, 0])
        page.mouse.move(left - 2, top - 2)
        page.mouse.move(left, top)
        people = page.locator("#live-bodies .sk-body").evaluate_all(
            "nodes => nodes.map(n => n.dataset.person)"
        )
        tip = page.locator("#live-attention .hoverlayer").text_content()
        if len(set(people)) == 1 and "looks at" in tip and f"Person {people[0]} at" in tip:
            return
        page.wait_for_timeout(300)
    raise AssertionError(f"people {people}, tip {tip!r}")


def check_the_keyboard(page) -> None:
    """Arrows and Enter choose a cell as well, while the maps go on."""
    page.locator("#live-people-attention").focus()
    page.keyboard.press("ArrowRight")
    said = page.locator("#live-people-attention .sk-map-said", has_text="looks at Person")
    said.wait_for()
    page.keyboard.press("Enter")
    looks, seen = re.findall(r"Person (\d+)", said.inner_text())
    page.locator(f".sk-live-pair[data-looks='{looks}'][data-seen='{seen}']").wait_for()


def test_a_camera_that_is_refused_is_explained(open_page, launch_browser) -> None:
    with launch_browser("--deny-permission-prompts") as browser:
        page = open_page(browser)
        start_camera(page)
        page.locator(".sk-camera-note.sk-problem >> visible=true").wait_for()
        assert "camera" in page.locator(".sk-camera-note >> visible=true").inner_text().lower()


def test_a_camera_that_is_pulled_out_is_said(open_page, launch_browser) -> None:
    with launch_browser(*FAKE) as browser:
        page = open_page(browser)
        start_camera(page)
        page.wait_for_function("document.querySelector('#live-camera video')?.srcObject")
        # What the browser does when the device is gone: the track has ended and says so.
        page.evaluate(
            "document.querySelector('#live-camera video').srcObject.getTracks()"
            ".forEach(t => { t.stop(); t.dispatchEvent(new Event('ended')); })"
        )
        note = page.locator(".sk-camera-note.sk-problem >> visible=true")
        note.wait_for()
        assert "disconnected" in note.inner_text()
