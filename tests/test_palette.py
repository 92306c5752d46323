"""The colours of people: ten that differ for everybody, on light and on dark."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from app.settings import AppSettings
from app.views import number
from skeletr.overlay.palette import DARK, LIGHT, PALETTE, Color, contrast, person_color, text_color

# What is left of linear RGB where a kind of cone is missing (Machado, Oliveira and Fernandes 2009).
_SIGHT = {
    "everybody": np.eye(3),
    "without red": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "without green": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}
_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_APART = 17.0  # in CIE Lab, where 2.3 is just seen
_PAGES = ((255, 255, 255), (30, 41, 59))  # what lies behind them, light and dark


def lab(color: Color, sight: np.ndarray) -> np.ndarray:
    """(3,) CIE Lab under D65, as seen with these cones."""
    share = np.array(color) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = _XYZ @ np.clip(sight @ linear, 0, 1) / [0.95047, 1.0, 1.08883]
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("sight", _SIGHT)
def test_any_two_people_differ_for(sight: str) -> None:
    seen = [lab(color, _SIGHT[sight]) for color in PALETTE]
    closest = min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2))
    assert closest > _APART


def test_there_is_a_colour_for_each_person_that_may_be_followed() -> None:
    most = AppSettings().max_people
    assert len({person_color(i) for i in range(1, most + 1)}) == most == len(PALETTE)


@pytest.mark.parametrize("id", range(1, len(PALETTE) + 1))
def test_a_colour_is_seen_on_light_and_dark_and_its_number_is_read(id: int) -> None:
    color = person_color(id)
    assert all(contrast(color, page) >= 2 for page in _PAGES)
    assert contrast(text_color(color), color) >= 4.5
    chip = number(id)
    assert "#{:02x}{:02x}{:02x}".format(*text_color(color)) in chip


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast((255, 255, 255), (0, 0, 0)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)
    assert text_color((255, 255, 0)) == DARK and text_color((0, 0, 90)) == LIGHT
