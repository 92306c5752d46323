"""What the page does when something in the results is chosen, without a browser."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from inspect import iscoroutine
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from app.attention_updates import tokens
from app.attention_view import Choice
from app.engine import Engine
from app.exploration import Explorations
from app.outcome import Files, Outcome
from app.results import Results, results_view
from app.settings import AppSettings
from app.threads import Threads
from app.what_if_view import shifts
from skeletr.explore import Explorer
from skeletr.model import SkeleTR, SkeleTRConfig
from skeletr.recognizer import Recognizer, RecognizerConfig
from skeletr.replay import recognize_recording
from skeletr.session import Session
from tests.app.fakes import FakePose, untrained
from tests.app.loops import run
from tests.synthetic import scene

MODEL = untrained(AppSettings())
INSTANT = SimpleNamespace(session_hash="one")


class Shown:
    """The results of three people, with the functions behind them by name."""

    def __init__(self) -> None:
        recording = scene([120, 320, 520], np.arange(90) / 15)
        keeps = Recognizer(MODEL, RecognizerConfig(keep_tokens=True))
        result = recognize_recording(recording, keeps, name="made.npz")
        self.explorer = Explorer(MODEL, keeps.evidence())
        files = Files(*(Path(f"{n}.x") for n in ("video", "session", "csv", "json", "npz", "vtt")))
        # A session, as far as the results look at it.
        self.page = SimpleNamespace(outcome=Outcome(result, files), exploration=None)
        engine = Engine(AppSettings(), lambda _: MODEL, lambda _: FakePose())
        engine.start()
        parts = {"engine": engine, "threads": Threads(1)}
        sessions = SimpleNamespace(**parts, get=lambda key: self.page)
        with gr.Blocks() as self.blocks:
            self.results: Results = results_view(sessions)
        self.log = result.log
        self.engine = engine

    def call(self, name: str, *values: object) -> object:
        """Call a function of the page; components in its answer by their names."""
        function = next(f.fn for f in self.blocks.fns.values() if f.name == name)
        answer = function(*values, INSTANT)
        return self.named(run(answer) if iscoroutine(answer) else answer)

    def named(self, answer: object) -> object:
        names = {id(c): name for name, c in vars(self.results._ui).items()}
        if not isinstance(answer, dict):
            return answer
        return {names[id(component)]: value for component, value in answer.items()}


@pytest.fixture(scope="module")
def shown() -> Iterator[Shown]:
    made = Shown()
    yield made
    if made.page.exploration is not None:
        made.page.exploration.stop(60)


def event(**data: object) -> gr.EventData:
    return gr.EventData(None, data)


def heat(figure: object) -> np.ndarray:
    return np.array(figure.data[0].z)


def test_showing_an_outcome_fills_everything(shown: Shown) -> None:
    answer = shown.results.show(shown.page.outcome)
    assert set(answer) == {c for c in shown.results.outputs}
    found = {n: answer[c] for n, c in vars(shown.results._ui).items() if isinstance(c, gr.Plot)}
    assert set(found) == {"timeline", "sequences", "between", "tokens"}
    windows = shown.log.attention
    middle = windows[len(windows) // 2][1]
    assert np.allclose(heat(found["sequences"]), middle.select(), atol=1e-5)
    assert "Click a cell" in found["tokens"].layout.annotations[0].text
    downloads = shown.results._ui.downloads
    assert not answer[downloads["pyskl"]]["visible"] and answer[downloads["csv"]]["visible"]


def test_where_nobody_was_seen_there_is_nothing_to_explore(shown: Shown) -> None:
    assert shown.results.show(shown.page.outcome)[shown.results._ui.explorer]["visible"]
    empty = recognize_recording(scene([], np.arange(90) / 15), Recognizer(MODEL))
    answer = shown.results.show(Outcome(empty, shown.page.outcome.files))
    assert not answer[shown.results._ui.explorer]["visible"]
    assert "Nobody was found" in answer[shown.results._ui.verdict]


def test_a_moment_of_the_video_is_looked_at(shown: Shown) -> None:
    time, attention = shown.log.attention[3]
    answer = shown.call("seen", event(time=time + 0.2), "Mean", None, None)
    assert answer["moment"] == pytest.approx(time, abs=1e-3)
    assert np.allclose(heat(answer["sequences"]), attention.select(), atol=1e-5)
    assert json.loads(answer["window"])["key"] == pytest.approx(time, abs=1e-3)


def test_one_head_of_one_layer_is_enlarged(shown: Shown) -> None:
    time, attention = shown.log.attention[-1]
    answer = shown.call("enlarged", event(head=5), time, "2", None)
    assert answer["head"] == 5
    assert np.allclose(heat(answer["sequences"]), attention.weights[1, 5], atol=1e-5)
    people, weights = attention.between_people(1, 5)
    assert np.allclose(heat(answer["between"]), weights, atol=1e-5)
    arcs = json.loads(answer["arcs"])
    assert arcs["people"][-1] == people and np.allclose(arcs["weights"][-1], weights, atol=1e-3)
    beyond = shown.call("enlarged", event(head=99), time, "2", None)
    assert np.allclose(heat(beyond["sequences"]), attention.select(1), atol=1e-5)


def test_a_cell_opens_its_pair_and_keeps_it_while_it_is_there(shown: Shown) -> None:
    time, attention = shown.log.attention[-1]
    spots = [[float(attention.times[i]), int(attention.person[i])] for i in (1, 7)]
    answer = shown.call("picked", event(looks=spots[0], seen=spots[1]), time, "1", 2)
    expected = shown.explorer.attention(time).tokens[0, 2, 1, :, 7]
    assert np.allclose(heat(answer["tokens"]), expected, atol=1e-4)
    pair = answer["pair"]
    assert [list(spot) for spot in pair] == spots
    assert shown.call("chosen", time, "2", 4, pair)["pair"] == pair
    assert shown.call("chosen", shown.log.attention[0][0], "2", 4, pair)["pair"] is None


def test_inside_a_pair_another_model_is_told(shown: Shown) -> None:
    key, attention = shown.log.attention[-1]
    window = shown.explorer.attention(key)
    pair = tuple((float(attention.times[i]), int(attention.person[i])) for i in (1, 7))
    choice = Choice(key, 0, 2, pair)
    share = float(attention.select(0, 2)[1, 7])
    title = tokens(window, choice, share).layout.xaxis.title.text
    assert "model of today" not in title
    other = tokens(window, choice, share + 0.2)
    assert f"{share:.1%} and not {share + 0.2:.1%}" in other.layout.xaxis.title.text
    elsewhere = tokens(window, Choice(key, 0, 2, (pair[0], (99.0, 1))), share)
    assert "both short sequences" in elsewhere.layout.annotations[0].text.replace("<br>", " ")
    assert "does not attend" in tokens(None, choice).layout.annotations[0].text.replace("<br>", " ")


def test_inside_a_pair_a_model_with_other_heads_is_told(
    shown: Shown, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    result = shown.page.outcome.result
    few = SkeleTRConfig(instance_classes=2, scene_classes=2, layers=1, heads=4)
    other = replace(MODEL, model=SkeleTR(few).eval())
    path = tmp_path / "of another model.npz"
    Session.of(recognize_recording(result.recording, Recognizer(other))).save(path)
    opened = Session.load(path).result()
    monkeypatch.setattr(shown.page, "outcome", Outcome(opened, shown.page.outcome.files))
    time, attention = opened.log.attention[-1]
    spots = [[float(attention.times[i]), int(attention.person[i])] for i in (1, 7)]
    answer = shown.call("picked", event(looks=spots[0], seen=spots[1]), time, "1", 2)
    told = answer["tokens"].layout.annotations[0].text.replace("<br>", " ")
    assert told == (
        "The model of today has other layers or heads than the one that this was saved with."
    )
    kept = shown.call("chosen", time, "1", 2, answer["pair"])  # the maps are those of the file
    assert np.allclose(heat(kept["sequences"]), attention.weights[0, 2], atol=1e-5)


def asked(shown: Shown, *question: object) -> str:
    """The answer, however long it takes."""
    answer = shown.call("asked", *question)
    while "answer" not in answer or "sk-progress" in answer["answer"]:
        time.sleep(0.05)
        answer |= shown.call("asked_lately")
    assert not answer["timer"].active and not answer["give_up"]["visible"]
    return answer["answer"]


def test_what_if_answers_with_the_numbers_of_the_library(shown: Shown) -> None:
    answer = asked(shown, [1], None, None)
    found = shifts(shown.explorer.without(), shown.explorer.without([1]))
    assert set(found) == {None, 0, 2}
    for rows in found.values():
        assert all(f"{s.before:.1%}" in answer and f"{s.after:.1%}" in answer for s in rows)
    assert asked(shown, [], None, None) == ""
    assert "sk-problem" in asked(shown, [], 5, 2)
    assert "sk-what-if" in asked(shown, [], 2, 3)


def test_a_long_answer_shows_how_far_it_is_and_can_be_given_up(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    exploration = Explorations(shown.engine).of(shown.page)
    assert exploration.ready.wait(60) and exploration.share > 0.9
    exploration._thread.join(60)
    exploration._related.clear()  # as if nothing had been looked at ahead
    begun, go_on = threading.Semaphore(0), threading.Semaphore(0)
    relate = exploration.explorer().without

    def slow(*question: object, **during: object) -> object:
        begun.release()
        assert go_on.acquire(timeout=60)
        return relate(*question, **during)

    monkeypatch.setattr(exploration.explorer(), "without", slow)
    going = shown.call("asked", [1], None, None)
    assert going["timer"].active and going["give_up"]["visible"]
    assert 'aria-valuenow="0"' in going["answer"] and "without person 1" in going["answer"]
    assert begun.acquire(timeout=60)
    go_on.release()
    assert begun.acquire(timeout=60)
    share = int(re.search(r'aria-valuenow="(\d+)"', shown.call("asked_lately")["answer"]).group(1))
    assert 0 < share < 100
    shown.call("give_up")
    go_on.release()
    assert exploration.question.wait(60)
    answer = shown.call("asked_lately")
    assert "Stopped" in answer["answer"] and not answer["timer"].active
    assert not begun.acquire(blocking=False)  # it did not go on
    assert set(shown.call("asked_lately")) == {"timer"}  # said once


def test_a_question_gives_up_the_one_before_and_ends_with_the_page(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    exploration = Explorations(shown.engine).of(shown.page)
    monkeypatch.setattr(exploration, "ready", threading.Event())  # not yet
    shown.call("asked", [1], None, None)
    first = exploration.question
    shown.call("asked", [2], None, None)
    assert first.wait(60) and "Stopped" in first.told
    second = exploration.question
    monkeypatch.setattr(exploration, "share", 0.5)
    while "50 %" not in second.bar:
        time.sleep(0.05)
    going = shown.call("asked_lately")["answer"]
    assert "Getting ready to see it without person 2" in going and "left" in going
    exploration.ended.set()
    assert second.wait(60)
    exploration.ended.clear()


def test_nothing_is_shown_before_a_video(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown.page, "outcome", None)
    assert "first" in asked(shown, [1], None, None)
    assert (
        "first"
        in shown.call("chosen", 1.0, "Mean", None, None)["sequences"].layout["annotations"][0].text
    )
    assert shown.call("picked", event(looks=[0, 1], seen=[0, 2]), 1.0, "Mean", None) == {
        "pair": None
    }


def test_a_session_without_attention_asks_the_model_for_it(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = shown.page.outcome.result
    bare = replace(result, log=replace(shown.log, attention=()))
    monkeypatch.setattr(shown.page, "outcome", Outcome(bare, shown.page.outcome.files))
    times = shown.log.scene.times  # the middle one is shown first
    attention = dict(shown.log.attention)[times[len(times) // 2]]
    answer = shown.call("ready")
    assert np.allclose(heat(answer["sequences"]), attention.select(), atol=1e-4)
