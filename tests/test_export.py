"""Tables that a spreadsheet opens."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from app.settings import AppSettings
from skeletr.export import actions_csv
from skeletr.pipeline import Result
from skeletr.recognizer import Recognizer
from skeletr.replay import recognize_recording
from tests.app.fakes import untrained
from tests.synthetic import scene


def named(label: str) -> Result:
    """One person who does `label`, and another label, by a network that was taught nothing."""
    checkpoint = replace(untrained(AppSettings()), labels=(label, f"{label}2"))
    return recognize_recording(scene([100], np.arange(30) / 10), Recognizer(checkpoint))


def labels(result: Result) -> set[str]:
    """Those in the table that are no empty cell."""
    rows = list(csv.DictReader(io.StringIO(actions_csv(result))))
    return {row["label"] for row in rows} - {""}


@pytest.mark.parametrize("label", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_label_is_never_a_formula(label: str) -> None:
    found = labels(named(label))
    assert found and found <= {f"'{label}", f"'{label}2"}


@pytest.mark.parametrize("label", ["wave", "carry/hold (an object)", "a=b", "t-pose"])
def test_other_labels_stay_as_they_are(label: str) -> None:
    found = labels(named(label))
    assert found and found <= {label, f"{label}2"}


def test_boxes_are_those_of_the_nearest_observation_of_the_person() -> None:
    """One person, who is out of sight for a second in between, beside another."""
    times = np.arange(60) / 10
    whole = scene([100, 400], times)
    away = (whole.person == 1) & (whole.times > 2) & (whole.times < 3)
    columns = ("frame", "person", "keypoints", "boxes")
    recording = replace(whole, **{c: getattr(whole, c)[~away] for c in columns})
    recognizer = Recognizer(untrained(AppSettings()))
    rows = list(
        csv.DictReader(io.StringIO(actions_csv(recognize_recording(recording, recognizer))))
    )
    assert {row["person"] for row in rows} == {"0", "1"}
    for row in rows:
        own = np.flatnonzero(recording.person == int(row["person"]))
        nearest = own[np.abs(recording.times[own] - float(row["time"])).argmin()]
        found = [float(row[side]) for side in ("x1", "y1", "x2", "y2")]
        assert found == pytest.approx(recording.boxes[nearest], abs=0.06)
