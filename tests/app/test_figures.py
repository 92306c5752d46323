"""Figures and pieces of the page."""

from __future__ import annotations

import numpy as np
import pytest

from app import figures, views
from app.live import LiveView
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


def test_spans_join_equal_labels_and_keep_changes() -> None:
    found = figures.spans(track(says(0, 0.6), says(0, 0.9), says(1), says(0)), 0.5)
    assert [s.prediction.label for s in found] == ["walk", "<b>run</b>", "walk"]
    assert found[0].prediction.score == 0.9
    assert [s.start for s in found[1:]] == [s.end for s in found[:-1]]


def test_timeline_has_a_row_per_person_and_escapes_labels() -> None:
    unsure = nothing(Status.TOO_FEW_JOINTS, LABELS)
    people = {1: track(says(0), says(1)), 2: track(unsure), 3: track()}
    log = ActionLog(LABELS, 0.5, people, track(says(0)))
    figure = figures.timeline(log)
    assert [trace.y[0] for trace in figure.data] == ["Scene", "Person 1", "Person 2"]
    assert figure.data[1].marker.color[0] == person_hex(1)
    assert "<b>run" not in figure.to_json().replace("\\u003c", "<")


def test_heatmaps_name_sequences_and_people() -> None:
    found = figures.sequence_heatmap(attention(), layer=1, head=3)
    assert list(found.data[0].x) == attention().names
    assert np.allclose(found.data[0].z, attention().weights[1, 3], atol=1e-5)
    between = figures.people_heatmap(attention())
    assert list(between.data[0].y) == ["Person 1", "Person 2"]
    assert np.allclose(np.sum(between.data[0].z, axis=1), 1, atol=1e-3)


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
