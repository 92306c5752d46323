"""The results and the Live tab in dark mode and on a phone: what can be read, and what fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from app.examples import example_names
from tests.app.conftest import START

PHONE = {"width": 390, "height": 844}
_LEAST = 4.5  # of text to what lies behind it, WCAG AA
# The main texts: titles, labels, hints, buttons, numbers of people.
_TEXTS = (
    "h1, h2, h3, .sk-header p, .sk-state, .sk-title p, .sk-note, .sk-meta, .sk-label, .sk-score, "
    ".sk-people td, .sk-people th, .sk-chip, .sk-head b, .sk-head span, .sk-body b, .sk-said, "
    ".sk-quiet, .sk-footer span, .sk-stored summary, .sk-what-if td, .sk-what-if th, .sk-change, "
    "[role=tab], button.primary, button.secondary, label > span, .xtick text, .ytick text, "
    ".annotation-text"
)
# Text whose contrast to what lies behind it is too low, as [text, contrast]. Backgrounds that are
# not opaque are laid on what is behind them.
_FAINT = """([texts, least]) => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[3] * top[i] + (1 - top[3]) * below[i]);
  const behind = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] > 0) layers.push(color);
      if (color[3] === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const bright = (color) => {
    const [r, g, b] = color.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92
      : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  for (const node of document.querySelectorAll(texts)) {
    const text = node.textContent.trim();
    const shown = node.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    if (!text || !shown || !node.getBoundingClientRect().width || node.disabled) continue;
    const style = getComputedStyle(node);
    const ground = behind(node);
    const paint = rgba(node instanceof SVGElement ? style.fill : style.color);
    const [high, low] = [bright(over(paint, ground)), bright(ground)].sort((a, b) => b - a);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < least) found.push([text.slice(0, 60), Math.round(100 * contrast) / 100]);
  }
  return found;
}"""
# By how many pixels something is wider than the page: to be scrolled to, or cut off by a container.
_WIDER = """() => {
  const all = document.querySelectorAll(".block, .sk-card, .sk-note, button, h1, h3, p, table");
  const right = [...all].filter((node) => node.checkVisibility() && !node.closest("svg"))
    .map((node) => node.getBoundingClientRect()).filter((box) => box.width > 1)
    .map((box) => box.right);
  const { scrollWidth, clientWidth } = document.documentElement;
  return Math.round(Math.max(scrollWidth, ...right) - clientWidth);
}"""


@pytest.fixture(params=["light", "dark"])
def phone(app_url: str, browser, request: pytest.FixtureRequest) -> Iterator:
    """The page on a phone whose owner likes it light or dark."""
    context = browser.new_context(viewport=PHONE, color_scheme=request.param)
    page = context.new_page()
    page.set_default_timeout(START)
    page.goto(f"{app_url}/?__theme={request.param}")
    page.locator(".sk-state.sk-ready").wait_for()
    dark = page.evaluate("document.body.classList.contains('dark')")
    assert dark == (request.param == "dark")
    yield page
    context.close()


def faint(page) -> list:
    return page.evaluate(_FAINT, [_TEXTS, _LEAST])


def wait_for_results(page) -> None:
    page.get_by_role("button", name=example_names()[0], exact=True).click()
    page.locator("#video-attention .heatmaplayer image").wait_for(state="attached")
    page.locator("#video-without").get_by_label("Person 1", exact=True).check()
    page.locator("#video-what-if .sk-what-if").wait_for()


def test_on_a_phone_everything_fits_and_can_be_read(phone) -> None:
    assert phone.evaluate(_WIDER) <= 0 and not faint(phone)
    wait_for_results(phone)
    assert phone.evaluate(_WIDER) <= 0
    assert not faint(phone)
    phone.get_by_role("tab", name="Live").click()
    phone.locator("#live-maps").wait_for()
    assert phone.evaluate(_WIDER) <= 0
    assert not faint(phone)


def test_faint_text_and_what_is_too_wide_are_found(phone) -> None:
    """The test above can fail."""
    phone.evaluate(
        "document.querySelector('h1').style.color = 'rgb(120 120 120 / 60%)';"
        "document.querySelector('.sk-header p').style.width = '500px'"
    )
    assert [text for text, _ in faint(phone)] == ["SkeleTR Live"]
    assert phone.evaluate(_WIDER) > 50


def test_the_whole_screen_shows_what_is_drawn_on_the_video(open_page: Callable, browser) -> None:
    page = open_page(browser)
    page.get_by_role("button", name=example_names()[0], exact=True).click()
    page.wait_for_function("document.querySelector('#video-annotated video')?.videoWidth > 0")
    page.locator("#video-annotated canvas.sk-sheet").wait_for()
    page.evaluate("document.querySelector('#video-annotated video').pause()")
    fill(page)
    page.wait_for_function(
        "document.fullscreenElement?.contains(document.querySelector('canvas.sk-sheet'))"
    )
    page.wait_for_function(
        "document.querySelector('canvas.sk-sheet').clientWidth >= innerWidth - 1"
        " || document.querySelector('canvas.sk-sheet').clientHeight >= innerHeight - 1"
    )
    fill(page)
    page.wait_for_function("!document.fullscreenElement")


def fill(page) -> None:
    """Press the button of the player, which is shown while the mouse is over the video."""
    page.mouse.move(5, 5)
    page.locator("#video-annotated video").hover()
    page.locator("#video-annotated [aria-label=full-screen]").click()
