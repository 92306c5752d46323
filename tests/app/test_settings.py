"""Limits from the environment, and that the documentation knows them all."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import pytest

from app.controls import option_controls, read
from app.environment import VARIABLES
from app.settings import AppSettings, UserOptions
from skeletr.cores import usable_cores
from skeletr.pose import USUAL_PEOPLE

HOSTING = Path(__file__).parents[2] / "docs" / "HOSTING.md"


def test_without_variables_there_are_defaults() -> None:
    assert AppSettings.from_environment({}) == AppSettings()
    assert AppSettings.from_environment({"SKELETR_JOBS": " "}) == AppSettings()


def test_variables_set_limits_and_arguments_take_precedence() -> None:
    environment = {
        "SKELETR_MAX_UPLOAD_MB": "20",
        "SKELETR_MAX_SECONDS": "12.5",
        "SKELETR_MAX_PIXELS": "1000",
        "SKELETR_MAX_LIVE": "3",
        "SKELETR_METRICS": "off",
        "SKELETR_LOG": "json",
    }
    found = AppSettings.from_environment(environment, max_live=5, device="cpu")
    assert (found.max_upload_mb, found.max_live, found.device) == (20, 5, "cpu")
    assert (found.limits.max_seconds, found.limits.max_pixels) == (12.5, 1000)
    assert found.limits.max_frames == AppSettings().limits.max_frames
    assert not found.metrics and found.log == "json"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MAX_LIVE", "many"),
        ("MAX_LIVE", "0"),
        ("MAX_LIVE", "2.5"),
        ("MAX_SECONDS", "-3"),
        ("MAX_SECONDS", "nan"),
        ("MAX_SECONDS", "inf"),
        ("METRICS", "perhaps"),
    ],
)
def test_what_cannot_be_read_names_the_variable(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"SKELETR_{name} is '{text}', expected"):
        AppSettings.from_environment({f"SKELETR_{name}": text})


def test_unknown_log_formats_are_refused() -> None:
    with pytest.raises(ValueError, match="expected one of text, json"):
        AppSettings.from_environment({"SKELETR_LOG": "xml"})


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda v: v.name)
def test_every_variable_is_documented_with_its_default(variable) -> None:
    settings = AppSettings()
    default = getattr(settings.limits if variable.video else settings, variable.field)
    rows = [r for r in HOSTING.read_text().splitlines() if r.startswith(f"| `{variable.name}` ")]
    assert len(rows) == 1
    if variable.field != "max_live":  # depends on the machine
        told = (
            {True: "on", False: "off"}.get(default, default)
            if variable.name.endswith("METRICS")
            else default
        )
        shown = rows[0].split("|")[2].strip().replace(",", "")
        assert shown == (f"{told:g}" if isinstance(told, float) else str(told))


@pytest.mark.parametrize(
    ("text", "most"), [("200000 100000", 2), ("50000 100000", 1), ("max 100000", 512), ("?", 512)]
)
def test_a_container_on_a_large_machine_knows_its_share(text: str, most: int, tmp_path) -> None:
    (tmp_path / "cpu.max").write_text(text)
    assert 1 <= usable_cores(tmp_path / "cpu.max") <= most


def test_live_places_follow_the_cores() -> None:
    assert AppSettings().max_live == 4 * usable_cores()


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_people": 0},
        {"threshold": 1.5},
        {"threshold": float("nan")},
        {"picture": "x"},
        {"smoothing": "x"},
        {"smoothing": ["light"]},
        {"smoothing": None},
    ],
)
def test_options_that_the_page_does_not_offer_are_refused(wrong: dict) -> None:
    with pytest.raises(ValueError):
        UserOptions("mediapipe", **wrong)


@pytest.mark.parametrize("smoothing", ["off", "light", "strong"])
def test_what_the_page_offers_is_read(smoothing: str) -> None:
    chosen = read(6, "mediapipe", 4, True, 0.5, "people blurred", smoothing)
    assert chosen == UserOptions("mediapipe", 4, 0.5, "people blurred", smoothing)
    assert read(6, "mediapipe", 4, False, 0.5, "as it is") == UserOptions("mediapipe", 4)


@pytest.mark.parametrize("most", [1, 2, 10])
def test_no_more_people_are_offered_than_the_limit_says(most: int) -> None:
    with gr.Blocks():
        controls = option_controls(AppSettings(max_people=most))
    slider = controls.max_people
    assert slider.value == AppSettings(max_people=most).usual_people == min(USUAL_PEOPLE, most)
    assert slider.maximum == most if slider.visible else most == 1
    values = [c.value for c in controls.inputs]
    assert read(most, *values) == UserOptions("mediapipe", min(USUAL_PEOPLE, most))


def test_more_people_than_the_limit_are_refused_by_its_name() -> None:
    with pytest.raises(ValueError, match="is 3, but the limit is 2; choose 2 or fewer"):
        read(2, "mediapipe", 3, False, 0.3, "as it is")


@pytest.mark.parametrize("people", [None, [2], float("inf"), float("nan"), "many"])
def test_people_that_are_no_number_are_refused(people: object) -> None:
    with pytest.raises(ValueError, match="expected numbers"):
        read(6, "mediapipe", people, False, 0.3, "as it is")
