"""What each attention head does, measured: follow one person, link people, or neither."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from skeletr.actions import Attention

Character = Literal[
    "follows one person",
    "links people",
    "looks at itself",
    "singles out moments",
    "spreads evenly",
    "mixed",
]
# A share this many times that of uniform attention is a habit.
MORE_THAN_UNIFORM = 1.25
# Entropy, of that of uniform attention, from which on attention is spread evenly.
EVEN = 0.97
# Focus from which on all look at the same few moments, whoever's they are.
SINGLED_OUT = 0.1
_SAME_MOMENT = 0.5  # of the seconds between two neighbouring key frames


@dataclass(frozen=True)
class HeadCharacter:
    """One head over one window; shares are means over the sequences that look, between 0 and 1.

    within: of the attention, to the same person at other times. linked: to other people at about
    the same time. itself: to the sequence that looks. entropy: 1 = as even as can be.
    focus: 0 = every sequence is looked at as much as any other, 1 = all look at the same one.
    uniform_*: the same shares if attention were uniform. label: `character` in plain words.
    """

    layer: int
    head: int
    within: float
    linked: float
    itself: float
    entropy: float
    focus: float
    uniform_within: float
    uniform_linked: float
    uniform_itself: float
    label: Character

    @property
    def within_ratio(self) -> float:
        """`within` in units of uniform attention; 0 where there is nothing to follow."""
        return _ratio(self.within, self.uniform_within)

    @property
    def linked_ratio(self) -> float:
        """`linked` in units of uniform attention; 0 where there is nobody else."""
        return _ratio(self.linked, self.uniform_linked)


def head_character(attention: Attention, tolerance: float | None = None) -> list[HeadCharacter]:
    """The character of every head, layer by layer.

    A head "spreads evenly" from an entropy of `EVEN` on. Otherwise it "follows one person" or
    "links people" where that share is at least `MORE_THAN_UNIFORM` times what it would be if
    attention were uniform, whichever is more so; else it "looks at itself" by the same measure;
    else it "singles out moments" from a focus of `SINGLED_OUT` on; else it is "mixed".

    Args:
        tolerance: seconds, "about the same time"; half of the smallest difference if not given.
    """
    same = attention.person[:, None] == attention.person[None]
    apart = np.abs(attention.times[:, None] - attention.times[None])
    itself = np.eye(len(attention.times), dtype=bool)
    near = apart <= (_tolerance(apart) if tolerance is None else tolerance)
    masks = (same & ~itself, ~same & near, itself)
    layers, heads = attention.weights.shape[:2]
    return [
        _character(layer, head, attention.weights[layer, head], masks)
        for layer in range(layers)
        for head in range(heads)
    ]


def _tolerance(apart: np.ndarray) -> float:
    steps = apart[apart > 1e-6]
    return float(steps.min()) * _SAME_MOMENT if len(steps) else 0.0


def _character(
    layer: int, head: int, weights: np.ndarray, masks: tuple[np.ndarray, ...]
) -> HeadCharacter:
    within, linked, itself = (float((weights * m).sum(axis=1).mean()) for m in masks)
    uniform = [float(m.mean()) for m in masks]
    entropy = _entropy(weights)
    focus = 1 - _entropy(weights.mean(axis=0, keepdims=True))
    label = _label((within, linked, itself), uniform, entropy, focus)
    return HeadCharacter(layer, head, within, linked, itself, entropy, focus, *uniform, label)


def _entropy(weights: np.ndarray) -> float:
    """Mean entropy of the rows, 1 = that of uniform attention; 1 for a single sequence."""
    count = weights.shape[1]
    if count < 2:
        return 1.0
    safe = np.maximum(weights.astype(np.float64), 1e-12)
    return float(-(weights * np.log(safe)).sum(axis=1).mean() / np.log(count))


def _label(
    shares: tuple[float, ...], uniform: list[float], entropy: float, focus: float
) -> Character:
    if entropy >= EVEN:
        return "spreads evenly"
    within, linked, itself = (_ratio(s, u) for s, u in zip(shares, uniform, strict=True))
    if max(within, linked) >= MORE_THAN_UNIFORM:
        return "follows one person" if within >= linked else "links people"
    if itself >= MORE_THAN_UNIFORM:
        return "looks at itself"
    return "singles out moments" if focus >= SINGLED_OUT else "mixed"


def _ratio(share: float, uniform: float) -> float:
    return share / uniform if uniform > 0 else 0.0
