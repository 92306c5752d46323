"""The results in a real browser: what a click shows is checked against the model's own numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from app import what_if_view
from app.attention_view import nearest
from app.examples import example, example_names
from app.timeline_view import rows
from skeletr.actions import ActionLog, Attention
from skeletr.checkpoint import Checkpoint
from skeletr.explore import Explorer
from skeletr.recognizer import Recognizer, RecognizerConfig

# Where a point of a plot lies on the screen, given in units of its axes; categories by number.
POINT = """([id, x, y]) => {
  const plot = document.querySelector(`#${id} .js-plotly-plot`);
  const { xaxis, yaxis } = plot._fullLayout;
  const box = plot.getBoundingClientRect();
  const left = box.left + xaxis._offset + xaxis.l2p(x);
  return [left, box.top + yaxis._offset + yaxis.l2p(y)];
}"""
_EXAMPLE = max(example_names(), key=lambda name: len(example(name).people))
_TIME = "document.querySelector('#video-annotated video').currentTime"


@dataclass(frozen=True)
class Expected:
    """What the model says about the example that the page shows."""

    log: ActionLog
    explorer: Explorer

    @property
    def window(self) -> tuple[float, Attention]:
        """What the page shows at first."""
        windows = self.log.attention
        return windows[len(windows) // 2]


@pytest.fixture(scope="module")
def expected(checkpoint: Path) -> Expected:
    loaded = Checkpoint.from_pretrained(checkpoint)
    recording = example(_EXAMPLE)
    recognizer = Recognizer(loaded, RecognizerConfig(keep_tokens=True))
    for frame in recording.frames():
        recognizer.step(frame.people, frame.time, recording.image_size)
    log = recognizer.finish()
    return Expected(log, Explorer(loaded, recognizer.evidence()))


@pytest.fixture
def page(open_page: Callable, browser):
    """The page with the results of the example with most people."""
    found = open_page(browser)
    found.get_by_role("button", name=_EXAMPLE, exact=True).click()
    found.locator("#video-attention .heatmaplayer image").wait_for(state="attached")
    found.wait_for_function("document.querySelector('#video-annotated video')?.videoWidth > 0")
    return found


def click(page, plot: str, x: float, y: float) -> None:
    """Click a point of a plot, given in units of its axes."""
    page.locator(f"#{plot}").scroll_into_view_if_needed()
    page.mouse.move(*page.evaluate(POINT, [plot, x, y]))
    page.mouse.click(*page.evaluate(POINT, [plot, x, y]))


def marked(page, plot: str) -> dict[str, tuple[int, float]]:
    """Who is marked in a plot: role -> person and time."""
    marks = page.locator(f"#{plot} .sk-mark[data-role]")
    found = marks.evaluate_all(
        "nodes => nodes.map(n => [n.dataset.role, +n.dataset.person, +n.dataset.time])"
    )
    return {role: (person, time) for role, person, time in found}


def wait_for_time(page, time: float) -> None:
    page.wait_for_function(f"Math.abs({_TIME} - {time}) < 0.02")
    assert page.evaluate("document.querySelector('#video-annotated video').paused")


def test_a_cell_goes_to_its_moment_and_marks_its_people(page, expected: Expected) -> None:
    key, attention = expected.window
    assert nearest(expected.log, float(page.locator("#video-moment input").first.input_value()))[
        0
    ] == pytest.approx(key, abs=1e-3)
    ticks = page.locator("#video-attention .xtick text").all_text_contents()
    assert [t.split(" ●")[0] for t in ticks] == attention.names
    others = attention.person[:, None] != attention.person[None]
    row, column = np.unravel_index((attention.select() * others).argmax(), others.shape)
    click(page, "video-attention", float(column), float(row))
    wait_for_time(page, float(attention.times[column]))
    pair = {
        role: (int(attention.person[i]), pytest.approx(float(attention.times[i]), abs=1e-3))
        for role, i in (("looks", row), ("seen", column))
    }
    for plot in ("video-attention", "video-timeline"):
        page.locator(f"#{plot} .sk-mark[data-role=seen]").wait_for(state="attached")
        assert marked(page, plot) == pair
    bodies = page.locator("#video-pair .sk-body")
    shown = bodies.evaluate_all("nodes => nodes.map(n => +n.dataset.person)")
    assert shown == [pair["looks"][0], pair["seen"][0]]
    share = page.locator("#video-pair .sk-meta").inner_text()
    assert float(share.split("%")[0]) == pytest.approx(
        100 * float(attention.select()[row, column]), abs=0.06
    )
    check_inside_the_pair(page, expected, row, column)
    check_one_head(page, attention)


def test_a_cell_is_chosen_by_keyboard(page, expected: Expected) -> None:
    _, attention = expected.window
    names = attention.names
    row, column = 2, len(names) - 1
    the_map = page.locator("#video-attention")
    assert "Arrow keys" in the_map.get_attribute("aria-label")
    the_map.focus()
    page.keyboard.press("ArrowUp")  # the edge holds
    for key, times in (("ArrowDown", row), ("ArrowRight", column + 1)):
        for _ in range(times):
            page.keyboard.press(key)
    share = 100 * float(attention.select()[row, column])
    said = f"{names[row]} looks at {names[column]}: {share:.1f}%"
    the_map.locator(".sk-map-said", has_text=said).wait_for()
    the_map.locator(".sk-mark-cursor").wait_for()
    bodies = page.locator("#video-pair .sk-body")
    people = [int(attention.person[i]) for i in (row, column)]
    assert bodies.evaluate_all("nodes => nodes.map(n => +n.dataset.person)") == people
    page.keyboard.press("Enter")
    wait_for_time(page, float(attention.times[column]))
    page.locator("#video-attention .sk-mark[data-role=seen]").wait_for(state="attached")
    assert marked(page, "video-attention")["looks"][0] == people[0]
    page.locator("#video-people-attention").focus()
    the_map.locator(".sk-mark-cursor").wait_for(state="detached")


def test_pointing_at_two_people_shows_their_strongest_sequences(page, expected: Expected) -> None:
    _, attention = expected.window
    theirs = (attention.person == 3)[:, None] & (attention.person == 1)[None]
    row, column = np.unravel_index(np.where(theirs, attention.select(), -1).argmax(), theirs.shape)
    people = sorted(set(attention.person.tolist()))
    page.locator("#video-people-attention").scroll_into_view_if_needed()
    cell = page.evaluate(
        POINT, ["video-people-attention", float(people.index(1)), float(people.index(3))]
    )
    page.mouse.move(cell[0] - 3, cell[1] - 3)
    page.mouse.move(*cell)
    bodies = page.locator("#video-pair .sk-body")
    bodies.first.wait_for()
    shown = bodies.evaluate_all("nodes => nodes.map(n => [+n.dataset.person, +n.dataset.seek])")
    times = [float(attention.times[i]) for i in (row, column)]
    assert [p for p, _ in shown] == [3, 1]
    assert [t for _, t in shown] == pytest.approx(times, abs=1e-3)
    page.mouse.move(5, 5)
    bodies.first.wait_for(state="detached")


def check_inside_the_pair(page, expected: Expected, row: int, column: int) -> None:
    """The tokens are those of the model, added up to the cell that was clicked."""
    page.locator("#video-tokens .heatmaplayer image").wait_for(state="attached")
    shown = np.array(
        page.evaluate(
            "document.querySelector('#video-tokens .js-plotly-plot').data[0].z.map(r => [...r])"
        )
    )
    key, attention = expected.window
    tokens = expected.explorer.attention(key).tokens[:, :, row, :, column].mean(axis=(0, 1))
    assert np.allclose(shown, tokens, atol=1e-4)
    assert shown.sum(axis=1).mean() == pytest.approx(float(attention.select()[row, column]), 1e-2)


def check_one_head(page, attention: Attention) -> None:
    """One of the small maps becomes the large one, with what was marked still marked."""
    before = marked(page, "video-attention")
    page.locator("#video-heads .sk-head[data-head='4']").click()
    page.locator("#video-heads .sk-head[data-head='4'][aria-pressed=true]").wait_for()
    expected = np.round(attention.select(None, 4), 5)
    page.wait_for_function(
        "top => Math.max(...document.querySelector('#video-attention .js-plotly-plot')"
        ".data[0].z.flatMap(r => [...r])).toFixed(3) === top",
        arg=f"{expected.max():.3f}",
    )
    assert marked(page, "video-attention") == before


def test_the_timeline_goes_where_it_is_clicked(page, expected: Expected) -> None:
    found = rows(expected.log)
    at = next(i for i, row in enumerate(found) if row.person == 2)
    step = found[at].steps[1]
    click(page, "video-timeline", step.time, -at + 0.3)
    wait_for_time(page, step.time)
    key, _ = nearest(expected.log, step.time)
    page.wait_for_function(
        "key => Math.abs(document.querySelector('#video-moment input').value - key) < 0.01",
        arg=key,
    )
    assert page.locator("#video-timeline .sk-mark-now").count() == 1


def test_what_if_shows_the_numbers_of_the_model(page, expected: Expected) -> None:
    page.locator("#video-without").get_by_label("Person 2", exact=True).check()
    table = page.locator("#video-what-if .sk-what-if")
    table.wait_for()
    found = what_if_view.shifts(expected.explorer.without(), expected.explorer.without([2]))
    shown = table.locator("td.sk-score > span").all_inner_texts()
    numbers = [f"{n:.1%}" for shifts in found.values() for s in shifts for n in (s.before, s.after)]
    assert [round(float(s[:-1]), 1) for s in shown] == pytest.approx(
        [float(n[:-1]) for n in numbers], abs=0.11
    )
    assert table.locator(".sk-chip").all_inner_texts() == [str(p) for p in found if p is not None]
    jump = table.locator("[data-seek]").first
    if jump.count():
        jump.click()
        wait_for_time(page, float(jump.get_attribute("data-seek")))


def test_keys_play_pause_and_step(page) -> None:
    page.evaluate("document.querySelector('#video-annotated video').pause()")
    page.evaluate("document.querySelector('#video-annotated video').currentTime = 1")
    page.locator("h1").click()
    page.keyboard.press("Shift+ArrowRight")
    wait_for_time(page, 2.0)
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"{_TIME} < 1.99 && {_TIME} > 1.8")
    page.keyboard.press("Space")
    page.wait_for_function("!document.querySelector('#video-annotated video').paused")
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('#video-annotated video').paused")


def test_people_and_labels_can_be_picked_in_the_timeline(page, expected: Expected) -> None:
    rows_shown = page.locator("#video-timeline .ytick text")
    assert rows_shown.count() == len(rows(expected.log))
    page.locator("#video-only-people input").click()
    page.get_by_role("option", name="Person 3").click()
    page.wait_for_function("document.querySelectorAll('#video-timeline .ytick text').length === 2")
    assert any("Person 3" in text for text in rows_shown.all_text_contents())
