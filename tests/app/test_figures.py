"""Figures and pieces of the page."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from app import figures, views
from app.live import LiveView
from app.timeline_view import rows, shown_labels, timeline
from skeletr.actions import (
    ActionLog,
    Actions,
    Attention,
    Prediction,
    Status,
    Track,
    nothing,
)
from skeletr.overlay import person_hex
from skeletr.token_attention import PairAttention

LABELS = ("walk", "<b>run</b>")


def says(index: int, score: float = 0.8) -> Prediction:
    scores = np.full(2, 1 - score)
    scores[index] = score
    return Prediction(Status.OK, scores, LABELS[index], score)


def track(*predictions: Prediction) -> Track:
    times = np.arange(len(predictions)) * 0.5
    return Track(times, predictions, 0.0, max(len(predictions) * 0.5, 0.1))


def attention(count: int = 4) -> Attention:
    weights = np.random.default_rng(0).dirichlet(np.ones(count), size=(2, 8, count))
    person = np.sort(np.arange(count) % 2 + 1)
    return Attention(weights.astype(np.float32), np.arange(count) / 2, person)


def test_the_timeline_covers_the_whole_video_row_by_row() -> None:
    seen = Track(np.array([1.0, 1.5]), (says(0, 0.6), says(1, 0.9)), 1.0, 1.5)
    log = ActionLog(LABELS, 0.5, {1: seen, 2: track()}, track(*[says(0)] * 6))
    whole, person = rows(log)
    assert (whole.person, person.person) == (None, 1)
    assert [s.text for s in person.steps] == ["not in view", "walk", "<b>run</b>", "not in view"]
    for row in (whole, person):
        assert row.steps[0].start == log.scene.start and row.steps[-1].end == log.scene.end
        assert all(a.end == b.start for a, b in pairwise(row.steps))


def test_timeline_shows_label_confidence_and_reasons() -> None:
    unsure = nothing(Status.TOO_FEW_JOINTS, LABELS)
    guess = replace(says(0, 0.6), status=Status.UNKNOWN)
    people = {1: track(says(0, 0.75), says(1)), 2: track(unsure, guess), 3: track()}
    log = ActionLog(LABELS, 0.5, people, track(says(0), says(0)))
    found = timeline(log)
    assert list(found.layout.meta["rows"]) == [None, 1, 2]
    assert person_hex(1) in found.layout.yaxis.ticktext[1]
    heights, told = found.data[1], found.data[3].customdata
    assert heights.width[2] / heights.width[3] == pytest.approx(0.75 / 0.8)
    assert heights.width[4] == 0  # too little was seen to be sure of anything
    assert heights.marker.color[0] == heights.marker.color[2] != heights.marker.color[3]
    assert list(told[2][:2]) == [0.0, 1] and "walk 75%" in told[2][2] and "25%" in told[2][2]
    assert "too few joints" in told[4][2] and "unknown; the guesses" in told[5][2]
    assert "<b>run" not in found.to_json().replace("\\u003c", "<")


def test_timeline_can_be_filtered() -> None:
    people = {1: track(says(0), says(1)), 2: track(says(1), says(1))}
    log = ActionLog(LABELS, 0.5, people, track(says(1), says(1)))
    assert shown_labels(log) == ["<b>run</b>", "walk"]
    assert list(timeline(log, people=[2]).layout.meta["rows"]) == [None, 2]
    only, every = (timeline(log, labels=labels).data[1].marker.color for labels in (["walk"], []))
    assert [a == b for a, b in zip(only, every, strict=True)] == [False] * 2 + [True] + [False] * 3


def test_an_empty_timeline_says_what_to_do() -> None:
    empty = ActionLog(LABELS, 0.5, {}, Track(np.zeros(0), (), 0.0, 0.0))
    assert "Try a video" in timeline(empty).layout.annotations[0].text


def test_heatmaps_name_sequences_and_people() -> None:
    found = figures.sequence_heatmap(attention(), layer=1, head=3)
    assert list(found.data[0].x) == attention().names
    assert np.allclose(found.data[0].z, attention().weights[1, 3], atol=1e-5)
    between = figures.people_heatmap(attention())
    assert list(between.data[0].y) == ["Person 1", "Person 2"]
    assert np.allclose(np.sum(between.data[0].z, axis=1), 1, atol=1e-3)


def test_cells_say_who_when_and_what() -> None:
    told = [f"Person {i}: <i>" for i in range(4)]
    found = figures.sequence_heatmap(attention(), told=told).data[0]
    assert list(found.customdata[1][2]) == ["Person 1: &lt;i&gt;", "Person 2: &lt;i&gt;"]


def test_tokens_of_a_pair_are_named() -> None:
    names = ("global", "t=1.00 s", "left arm")
    pair = PairAttention(np.arange(9).reshape(3, 3) / 36, names, names)
    found = figures.token_heatmap(pair, "P(1.0, 1)", "P(2.0, 2)")
    assert np.allclose(found.data[0].z, pair.weights, atol=1e-5)
    assert tuple(found.data[0].y) == names
    assert "P(2.0, 2)" in found.layout.xaxis.title.text


@pytest.mark.parametrize("count", [0, 1, 100])
def test_heatmaps_of_any_size(count: int) -> None:
    for make in (figures.sequence_heatmap, figures.people_heatmap):
        make(attention(count)).to_json()
    make(None).to_json()


def test_user_strings_are_escaped() -> None:
    name = "<script>alert(1)</script>.mp4"
    for html in (views.note(name, "problem"), views.progress(name, "Reading", 0.5, 3.0)):
        assert "<script>" not in html and "&lt;script&gt;" in html
    actions = Actions(0.0, None, {1: says(1)}, says(1))
    view = LiveView(np.zeros((2, 2, 3), np.uint8), actions, 10.0, 0.05)
    assert "<b>run" not in views.live_people(view)
    assert "10" in views.badge(view) and "50" in views.badge(view)
