"""Labels of somebody else's session: shown as they are written, and never a part of the page."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from app import attention_view, figures, scene_data, teach_view, views, what_if_view
from app.attention_view import Choice
from app.live import LiveView
from app.opening import open_skeletons
from app.settings import AppSettings
from app.timeline_view import timeline
from skeletr.actions import Actions
from skeletr.overlay import draw_actions
from skeletr.pipeline import Result
from skeletr.recognizer import Recognizer
from skeletr.replay import recognize_recording
from skeletr.subtitles import actions_vtt
from skeletr.taught_head import LeaveOneOut
from skeletr.teach import TaughtActions
from skeletr.video import VideoLimits
from tests.app.fakes import untrained
from tests.app.hostile import LABELS, NAME, WARNING, save_session
from tests.app.test_video_page import drop, results
from tests.synthetic import scene

_OURS = ("div", "span", "p", "h2", "h3", "b", "table", "thead", "tbody", "tr", "th", "td", "ul")
_HARMLESS = {*_OURS, "li", "button", "img", "svg", "path", "circle", "line", "g", "rect"}
_ADDRESSES = ("src", "href", "srcdoc", "formaction", "xlink:href")


class Page(HTMLParser):
    """What a browser makes of a piece of HTML: its tags, and all text that can be read."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.faults: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        bad = [k for k, v in attrs if k.startswith("on") or k == "autofocus" or _leads_out(k, v)]
        if bad or tag not in _HARMLESS:
            self.faults.append(f"<{tag}> with {bad}")
        self.text += " ".join(f" {value}" for _, value in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


def _leads_out(name: str, value: str | None) -> bool:
    return name in _ADDRESSES and not (value or "").startswith("data:image/png;base64,")


def check_html(html: str, *expected: str) -> None:
    """All of `expected` can be read in it, and nothing of it was taken for markup."""
    page = Page(html)
    assert not page.faults and expected
    assert [text for text in expected if text not in page.text] == []


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "theirs.npz"
    save_session(path)
    return path


@pytest.fixture(scope="module")
def result(file: Path) -> Result:
    return open_skeletons(file, file.name, VideoLimits()).result()


def test_the_check_of_these_tests_finds_each_of_them() -> None:
    for label in LABELS[:2] + LABELS[4:]:
        assert Page(f"<p>{label}</p>").faults
    assert Page(f'<p title="{LABELS[2]}">').faults and Page(f"<p title='{LABELS[3]}'>").faults


def test_the_verdict_and_the_table_of_people(result: Result) -> None:
    best = [name for name, _ in result.log.overall()[:5]]
    check_html(views.verdict(result), NAME, WARNING, *best)
    firsts = [result.log.summary(track)[0][0] for track in result.log.people.values()]
    check_html(views.people(result), *firsts)


def test_what_a_camera_shows(result: Result) -> None:
    for person, track in result.log.people.items():
        for said in track.predictions:
            actions = Actions(0.0, None, {person: said}, said)
            check_html(views.live_people(LiveView(None, actions, 9.0, 0.1, WARNING)), said.label)


def test_an_answer_to_what_if_and_what_is_said_to_it(result: Result) -> None:
    before, after = result.log, recognised_by_another(result)
    check_html(what_if_view.answer(before, before, LABELS[1]), *LABELS[:2])
    check_html(what_if_view.remark(before, after.log), LABELS[0])


def recognised_by_another(result: Result) -> Result:
    return recognize_recording(result.recording, Recognizer(untrained(AppSettings())))


def test_taught_names() -> None:
    one, actions = scene([100], np.arange(20) / 10), TaughtActions()
    names = [label[:40] for label in LABELS]
    for name in names:
        actions = actions.add(name, one).add(name, one)
    answers = {a: {a: 1, b: 1} for a, b in zip(names, names[::-1], strict=True)}
    tried = LeaveOneOut(dict.fromkeys(names, 0.5), answers)
    check_html(teach_view.summary(tried, actions), *names[:3])
    for name in names:
        check_html(teach_view._action(name, actions, tried), name)


def test_figures_take_them_for_text(result: Result) -> None:
    """Plotly takes some tags in texts for markup."""
    key, attention = attention_view.nearest(result.log, 4.0)
    told = attention_view.told(result.log, attention)
    for figure in (
        timeline(result.log),
        timeline(result.log, labels=LABELS[:1]),
        figures.sequence_heatmap(attention, None, None, told),
        figures.message(" ".join(LABELS)),
    ):
        texts = list(_texts(json.loads(figure.to_json())))
        shown = [text for text in texts if "window.hit" in text or "top.hit" in text]
        assert shown
        for text in shown:
            assert not Page(text.replace("<br>", " ").replace("<extra></extra>", "")).faults
            assert not any(label in text for label in LABELS if "<" in label)
    check_html(
        attention_view.heads(attention, Choice(key), attention_view.characters(result.log)),
        "Head 1",
    )


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in _texts(part)]


def test_what_the_scripts_of_the_page_read_cannot_end_an_element(result: Result) -> None:
    key, attention = attention_view.nearest(result.log, 4.0)
    log, recording = result.log, result.recording
    window = scene_data.window(recording, log, key, attention, attention.select())
    for told in (window, scene_data.scene(recording, log), scene_data.arcs(log, None, None)):
        assert "<" not in told and json.loads(told)
    labels = {spot["label"] for spot in json.loads(window)["spots"]}
    assert labels & set(LABELS)


def test_subtitles_have_no_markup(result: Result) -> None:
    vtt = actions_vtt(result.log)
    cues = [line for line in vtt.splitlines() if "hit" in line]
    assert len(cues) > 4 and "<" not in vtt
    assert not any("-->" in cue for cue in cues)


def test_they_are_drawn_into_the_picture_as_text(result: Result) -> None:
    frame = list(result.recording.frames())[60]
    people, scene_says = result.log.at(frame.time)[:2]
    canvas = np.zeros((480, 640, 3), np.uint8)
    assert draw_actions(canvas, list(frame.people), people, scene_says).any()


def test_a_hostile_session_does_nothing_in_the_page(open_page, browser, file: Path) -> None:
    page = open_page(browser)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    drop(page, file)
    results(page)
    assert page.locator("#video-verdict h2").inner_text() in LABELS
    assert NAME in page.locator("#video-verdict").inner_text()
    page.locator("#video-only-labels input").click()
    options = page.get_by_role("option").all_inner_texts()
    assert {text.removeprefix("✓").strip() for text in options} <= set(LABELS) and options
    page.keyboard.press("Escape")
    page.locator("#video-attention").scroll_into_view_if_needed()
    page.locator("#video-attention .nsewdrag").click()
    said = page.locator("#video-pair .sk-said")
    said.first.wait_for()
    assert any(label in said.first.inner_text() for label in LABELS)
    page.locator("#video-attention .nsewdrag").hover(position={"x": 60, "y": 60})
    page.locator("#video-attention .hoverlayer .hovertext").first.wait_for()
    page.locator("#video-timeline").scroll_into_view_if_needed()
    page.locator("#video-timeline .nsewdrag").hover()
    page.locator("#video-without").get_by_label("Person 1", exact=True).check()
    page.locator("#video-what-if .sk-note").get_by_text("The model of today").wait_for()
    assert page.evaluate("window.hit") is None and not dialogs
    made = "img[src=x], iframe[srcdoc], [onerror], [onload], [onmouseover], [onfocus]"
    assert page.locator(made).count() == 0
    assert page.locator("a[href^=javascript]").count() == 0
