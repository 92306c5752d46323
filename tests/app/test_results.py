"""What the results show and answer, checked against the library's own numbers."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from app import attention_view, scene_data, what_if_view
from app.attention_updates import moments, shown_first
from app.attention_view import Choice
from app.engine import Engine, EngineState, NotReady
from app.exploration import Explorations
from app.metrics import Metrics
from app.outcome import Outcome
from app.session import Session
from app.settings import AppSettings
from app.vault import Vault
from skeletr.actions import ActionLog, Prediction
from skeletr.checkpoint import Calibration, Checkpoint
from skeletr.explore import Explorer, compare
from skeletr.model import SkeleTR, SkeleTRConfig
from skeletr.model.config import BackboneConfig
from skeletr.pipeline import Result
from skeletr.recognizer import Recognizer, RecognizerConfig
from skeletr.sequences import SequenceConfig
from skeletr.video import VideoInfo
from tests.app.fakes import FakePose
from tests.synthetic import scene

LABELS = ("<b>stand</b>", "<b>wave</b>", "<b>shake hands</b>")


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    torch.manual_seed(0)
    backbone = BackboneConfig((12, 24), (1, 2))
    model = SkeleTR(SkeleTRConfig(backbone=backbone, instance_classes=3, scene_classes=3)).eval()
    return Checkpoint(
        model, LABELS, SequenceConfig(), Calibration(2.0, 0.0), interactions=LABELS[2:]
    )


@pytest.fixture(scope="module")
def explorer(checkpoint: Checkpoint) -> Explorer:
    """Three people for seven seconds; person 2 is out of view for a while."""
    recording = scene([120, 320, 520], np.arange(105) / 15)
    gone = (recording.person == 2) & (recording.times > 2) & (recording.times < 5)
    rows = {n: getattr(recording, n)[~gone] for n in ("frame", "person", "keypoints", "boxes")}
    recognizer = Recognizer(checkpoint, RecognizerConfig(keep_tokens=True))
    recording = replace(recording, **rows)
    for frame in recording.frames():
        recognizer.step(frame.people, frame.time, recording.image_size)
    log = recognizer.finish()
    found = Explorer(checkpoint, recognizer.evidence())
    info = VideoInfo("made.mp4", 640, 480, 7.0, 15.0, 105, "h264")
    found.outcome = Outcome(Result(info, recording, log, {}))
    return found


@pytest.fixture(scope="module")
def result(explorer: Explorer) -> Result:
    return explorer.outcome.result


def test_the_page_is_told_where_everybody_is(result: Result) -> None:
    told = json.loads(scene_data.scene(result.recording, result.log))
    assert told["size"] == [640, 480] and set(told["people"]) == {"0", "1", "2"}
    for person, track in told["people"].items():
        rows = np.flatnonzero(result.recording.person == int(person))
        for index, box in enumerate(track["boxes"], track["first"]):
            distance = np.abs(result.recording.times[rows] - index * told["step"])
            if box is None:
                assert distance.min() > 0.15
            else:
                nearest = result.recording.boxes[rows[distance.argmin()]]
                assert np.abs(nearest - box).max() < 8
    assert None in told["people"]["2"]["boxes"]
    assert None not in told["people"]["1"]["boxes"]


def test_the_page_is_told_who_looks_at_whom(result: Result) -> None:
    for layer, head in ((None, None), (1, 3)):
        told = json.loads(scene_data.arcs(result.log, layer, head))
        for index, (time, attention) in enumerate(result.log.attention):
            people, weights = attention.between_people(layer, head)
            assert told["times"][index] == pytest.approx(time, abs=1e-3)
            assert told["people"][index] == people
            assert np.allclose(told["weights"][index], weights, atol=1e-3)


def test_the_page_is_told_the_sequences_of_a_window(result: Result) -> None:
    key, attention = attention_view.nearest(result.log, 4.4)
    weights = attention.select(0, 2)
    told = json.loads(scene_data.window(result.recording, result.log, key, attention, weights))
    assert told["key"] == pytest.approx(key, abs=1e-3)
    assert [s["person"] for s in told["spots"]] == attention.person.tolist()
    assert np.allclose([s["time"] for s in told["spots"]], attention.times, atol=1e-3)
    assert np.allclose(told["weights"], weights, atol=1e-4)
    for spot in told["spots"]:
        prediction = result.log.people[spot["person"]].at(spot["time"], 0.1)
        assert spot["label"] == prediction.text
        assert_same_shape(spot, result)
    empty = json.loads(scene_data.window(result.recording, result.log, 1.0, None, None))
    assert empty["spots"] == [] == empty["weights"]


def assert_same_shape(spot: dict, result: Result) -> None:
    """The pose in the middle is the skeleton of the key frame, moved and scaled."""
    recording = result.recording
    rows = np.flatnonzero(recording.person == spot["person"])
    row = rows[np.abs(recording.times[rows] - spot["time"]).argmin()]
    seen = recording.keypoints[row, :, 2] > 0
    middle = spot["poses"][len(spot["poses"]) // 2]
    assert [p is not None for p in middle] == seen.tolist()
    drawn = np.array([p for p in middle if p is not None], float)
    real = recording.keypoints[row, seen, :2]
    drawn, real = (points - points.mean(axis=0) for points in (drawn, real))
    scale = np.abs(drawn).sum() / np.abs(real).sum()
    assert np.allclose(drawn, real * scale, atol=1.5)


def test_what_is_told_is_harmless_in_a_page(result: Result) -> None:
    key, attention = attention_view.nearest(result.log, 4.4)
    told = scene_data.window(result.recording, result.log, key, attention, attention.select())
    assert "<" not in told and "<b>" in json.loads(told)["spots"][0]["label"]


def test_heads_are_shown_side_by_side_with_their_character(result: Result) -> None:
    _, attention = attention_view.nearest(result.log, 4.4)
    known = attention_view.characters(result.log)
    assert set(known) == {(a, b) for a in range(2) for b in range(8)}
    html = attention_view.heads(attention, Choice(4.4, 1, 3), known)
    assert html.count("<button") == 9 == html.count("data:image/png")
    pressed = [p for p in html.split("<button")[1:] if 'aria-pressed="true"' in p]
    assert len(pressed) == 1 and 'data-head="3"' in pressed[0]
    assert known[1, 3][0].label in pressed[0]
    assert attention_view.heads(None, Choice(0.0), known) == ""


def test_tokens_of_a_pair_are_those_of_its_cell(explorer: Explorer, result: Result) -> None:
    key, attention = attention_view.nearest(result.log, 4.4)
    window = explorer.attention(key)
    looks, seen = ((float(attention.times[i]), int(attention.person[i])) for i in (2, 8))
    for layer, head in ((1, 5), (0, None), (None, None)):
        pair = attention_view.pair_tokens(window, Choice(key, layer, head, (looks, seen)))
        cell = attention.select(layer, head)[2, 8]
        assert pair.share == pytest.approx(float(cell), abs=1e-5)
    assert attention_view.pair_tokens(window, Choice(key, 0, 0, (looks, (99.0, 1)))) is None
    assert attention_view.pair_tokens(window, Choice(key)) is None


def test_windows_that_are_not_kept_are_not_mistaken(result: Result) -> None:
    late = replace(result.log, attention=result.log.attention[-3:])
    assert attention_view.nearest(late, 0.0) is None
    assert attention_view.nearest(late, 99.0)[0] == result.log.attention[-1][0]
    assert attention_view.nearest(replace(late, attention=()), 3.0) is None


def test_what_if_shows_the_numbers_of_the_library(explorer: Explorer) -> None:
    before, after = explorer.without(), explorer.without([1])
    found = what_if_view.shifts(before, after)
    assert list(found) == [None, 0, 2]
    for change in compare(before, after):
        rows = {s.label: s for s in found[change.person]}
        track = before.scene if change.person is None else before.people[change.person]
        touched = np.abs(change.change).max(axis=1) > 1e-3
        steps = {round(t, 6): p for t, p in zip(track.times, track.predictions, strict=True)}
        mean = np.mean([steps[t].scores for t in change.times[touched].tolist()], axis=0)
        for index, label in enumerate(LABELS):
            assert rows[label].before == pytest.approx(float(mean[index]), abs=1e-6)
            assert rows[label].change == pytest.approx(
                float(change.change[touched, index].mean()), abs=1e-6
            )
            most = np.abs(change.change[touched, index]).max()
            at = int(np.flatnonzero(np.isclose(change.times, rows[label].time))[0])
            assert abs(change.change[at, index]) == pytest.approx(most)
    html = what_if_view.answer(before, after, what_if_view.named([1], None))
    assert f"{found[0][0].before:.1%}" in html and f"{found[0][0].after:.1%}" in html
    assert "Without person 1" in html and "<b>" not in html


def test_it_is_said_where_as_it_was_is_not_what_the_page_shows(
    explorer: Explorer, result: Result
) -> None:
    before = explorer.without()
    assert what_if_view.remark(result.log, before) == ""
    labels = (*LABELS, "<i>juggle</i>")  # taught when it was recorded
    people = {
        p: replace(t, predictions=tuple(with_one_more(x) for x in t.predictions))
        for p, t in result.log.people.items()
    }
    told = what_if_view.remark(replace(result.log, labels=labels, people=people), before)
    assert "“&lt;i&gt;juggle&lt;/i&gt;”" in told and "stand for that" in told
    assert "Teach" in told and "<i>" not in told
    other = {
        p: replace(t, predictions=tuple(shifted(x) for x in t.predictions))
        for p, t in result.log.people.items()
    }
    told = what_if_view.remark(replace(result.log, people=other), before)
    assert "the model of today" in told and "as they were saved" in told


def with_one_more(prediction: Prediction) -> Prediction:
    return replace(prediction, scores=np.append(prediction.scores, np.float32(0)))


def shifted(prediction: Prediction) -> Prediction:
    return replace(prediction, scores=np.roll(prediction.scores, 1))


def test_a_while_left_out_counts_where_it_matters(explorer: Explorer) -> None:
    before, after = explorer.without(), explorer.without([1], (0.0, 1.0))
    found = what_if_view.shifts(before, after)
    reach = 1.0 + 2 * explorer._checkpoint.sequences.window  # windows that hold one of them
    for change in compare(before, after):
        beyond = np.abs(change.change[change.times > reach])
        assert not (beyond > 1e-3).any()
        largest = max(abs(s.change) for s in found[change.person])
        assert largest >= np.abs(change.change.mean(axis=0)).max() - 1e-6  # not thinned out


def test_the_first_moments_of_a_long_video_can_be_looked_at(result: Result) -> None:
    late = replace(result.log, attention=result.log.attention[-3:])
    assert moments(late)[0] == pytest.approx(result.log.scene.times[0])
    assert shown_first(late) in [t for t, _ in late.attention]


def test_leaving_out_everybody_or_the_impossible_says_so(explorer: Explorer) -> None:
    before, after = explorer.without(), explorer.without([0, 1, 2])
    assert "Leave out less" in what_if_view.answer(before, after, "everybody")
    assert what_if_view.interval(None, None, before) is None
    assert what_if_view.interval(2, None, before) == (2.0, before.scene.end)
    with pytest.raises(ValueError, match="later"):
        what_if_view.interval(4, 2, before)


@pytest.fixture(scope="module")
def engine(checkpoint: Checkpoint) -> Engine:
    engine = Engine(AppSettings(), lambda _: checkpoint, lambda _: FakePose())
    engine.start()
    engine.wait(60)
    return engine


def page(outcome: Outcome | None) -> SimpleNamespace:
    """A session, as far as explorations look at it."""
    return SimpleNamespace(outcome=outcome, exploration=None)


def test_a_shown_result_can_be_asked_about(engine: Engine, explorer: Explorer) -> None:
    explorations = Explorations(engine)
    session = page(explorer.outcome)
    exploration = explorations.of(session)
    assert explorations.of(session) is exploration
    assert exploration.ready.wait(60)
    _, asked = exploration.without([1], None)
    expected = explorer.without([1])
    for person in (0, 2):
        for a, b in zip(
            asked.people[person].predictions, expected.people[person].predictions, strict=True
        ):
            assert np.allclose(a.scores, b.scores, atol=1e-5)
    assert exploration.attention(3.0).key == explorer.attention(3.0).key
    session.outcome = replace(explorer.outcome)
    assert explorations.of(session) is not exploration
    session.exploration.stop(60)
    session.outcome = None
    assert explorations.of(session) is None


def test_of_a_while_only_what_may_change_is_related(
    engine: Engine, explorer: Explorer, monkeypatch
) -> None:
    session = page(explorer.outcome)
    exploration = Explorations(engine).of(session)
    assert exploration.ready.wait(60)
    exploration.stop(60)  # what it foresees is not to be counted
    exploration.ended.clear()
    asked, ask = [], Explorer.without

    def counted(*args: object, **kwargs: object) -> ActionLog:
        asked.append(args)
        return ask(*args, **kwargs)

    monkeypatch.setattr(Explorer, "without", counted)
    left_out = (0.2, 0.4)
    before, after = exploration.without([1], left_out)
    start, end = explorer.reach(left_out)
    for found, whole in ((before, ask(explorer)), (after, ask(explorer, [1], left_out))):
        for person, track in whole.people.items():
            inside = (track.times >= start) & (track.times <= end)
            kept = [p.scores for p, i in zip(track.predictions, inside, strict=True) if i]
            assert np.allclose(found.people[person].times, track.times[inside])
            there = [p.scores for p in found.people[person].predictions]
            assert np.allclose(np.array(there), np.array(kept), atol=1e-5)
    assert before.scene.times[-1] < explorer.outcome.result.log.scene.times[-1] - 1
    first, asked[:] = len(asked), []
    exploration.without([1], left_out)
    assert len(asked) == 2 < first  # read out once each, not related part by part


def test_what_can_be_asked_ends_with_what_the_page_shows(
    engine: Engine, explorer: Explorer, tmp_path: Path
) -> None:
    session = Session(engine, Vault(tmp_path, 60.0), Metrics())
    asked = Explorations(engine)

    def running() -> set[threading.Thread]:
        return {t for t in threading.enumerate() if t.name == "exploration"}

    for end in (session.forget_video, session.close):
        others = running()
        session.outcome = explorer.outcome
        exploration = asked.of(session)
        mine = running() - others
        end()
        assert session.exploration is None
        if end == session.close:
            assert not mine & running()  # it is waited for
        exploration.ready.wait(60)


def test_what_cannot_be_asked_says_why(engine: Engine, explorer: Explorer) -> None:
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(NotReady, match="something else"):
        engine.explorer(explorer.outcome.result.recording, stopped)

    def broken(_: AppSettings) -> Checkpoint:
        raise ValueError("no weights here")

    failed = Engine(AppSettings(), broken, lambda _: FakePose())
    exploration = Explorations(failed).of(page(explorer.outcome))
    assert exploration.explorer(60) is None
    assert failed.state is EngineState.FAILED and exploration.problem == "no weights here"
