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
