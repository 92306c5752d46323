"""What the page shows of attention: the heads side by side, one map, and what the mouse needs."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import cv2
import numpy as np

from skeletr.actions import ActionLog, Attention, Prediction, Status
from skeletr.heads import HeadCharacter, head_character
from skeletr.token_attention import PairAttention, WindowAttention

Spot = tuple[float, int]  # a short sequence: seconds of its key frame, and its person
_NEAR = 1e-3  # seconds
JUDGED = 40  # windows whose heads are looked at

Judged = list[HeadCharacter]  # of all heads, in one window
# (layer, head) -> an example of what it does mostly, and the share of windows like it.
Known = dict[tuple[int, int], tuple[HeadCharacter, float]]


@dataclass(frozen=True)
class Choice:
    """What is looked at.

    moment: seconds. layer, head: numbered from 0, None for the mean over all.
    pair: the sequence that looks and the one that is looked at, if one was chosen.
    """

    moment: float
    layer: int | None = None
    head: int | None = None
    pair: tuple[Spot, Spot] | None = None

    def within(self, attention: Attention | None) -> Choice:
        """The same without a layer or head that this attention does not have."""
        counts = (0, 0) if attention is None else attention.weights.shape[:2]
        kept = (
            n if n is not None and 0 <= n < count else None
            for n, count in zip((self.layer, self.head), counts, strict=True)
        )
        return Choice(self.moment, *kept, self.pair)


def nearest(log: ActionLog, moment: float) -> tuple[float, Attention] | None:
    """The window of the key frame nearest to `moment`, with its time; None if none is kept.

    Only the newest windows of a long video are kept, so it must also be about that moment.
    """
    found = min(log.attention, key=lambda w: abs(w[0] - moment), default=None)
    outside = log.attention and moment < log.attention[0][0] - log.interval
    return None if outside else found


def place(attention: Attention, spot: Spot) -> int | None:
    """The number of a sequence in a window; None if it is not there."""
    near = (np.abs(attention.times - spot[0]) < _NEAR) & (attention.person == spot[1])
    return int(near.argmax()) if near.any() else None


def pair_tokens(window: WindowAttention, choice: Choice) -> PairAttention | None:
    """The tokens inside the chosen pair; the mean where no layer or head is chosen."""
    if choice.pair is None:
        return None
    looks, seen = (place(window.sequences, spot) for spot in choice.pair)
    if looks is None or seen is None:
        return None
    tokens = window.tokens[:, :, looks, :, seen]
    tokens = tokens if choice.layer is None else tokens[[choice.layer]]
    tokens = tokens if choice.head is None else tokens[:, [choice.head]]
    return PairAttention(tokens.mean(axis=(0, 1)), window.names[looks], window.names[seen])


def told(log: ActionLog, attention: Attention) -> list[str]:
    """Per sequence: person, time and label."""
    return [
        f"Person {p} at {t:.1f} s: {_label(said(log, p, t))}"
        for t, p in zip(attention.times.tolist(), attention.person.tolist(), strict=True)
    ]


def said(log: ActionLog, person: int, time: float) -> Prediction | None:
    """What was decided about a sequence."""
    track = log.people.get(person)
    return track.at(time, log.interval / 2) if track else None


def _label(prediction: Prediction | None) -> str:
    if prediction is None:
        return "not judged"
    sure = prediction.status is Status.OK
    return f"{prediction.label} ({prediction.score:.0%})" if sure else prediction.text


def characters(log: ActionLog) -> Known:
    """What each head does mostly."""
    windows = [a for _, a in log.attention if len(a.times) > 1]
    picked = windows[:: max(1, -(-len(windows) // JUDGED))]
    return mostly([judge(attention) for attention in picked])


def judge(attention: Attention) -> Judged:
    """What each head does in one window; empty where there is nobody and no moment to choose."""
    return head_character(attention) if len(attention.times) > 1 else []


def mostly(windows: Sequence[Judged]) -> Known:
    """What each head does mostly in these windows."""
    found: dict[tuple[int, int], list[HeadCharacter]] = {}
    for character in (c for judged in windows for c in judged):
        found.setdefault((character.layer, character.head), []).append(character)
    return {key: _most_common(measured) for key, measured in found.items()}


def _most_common(measured: Sequence[HeadCharacter]) -> tuple[HeadCharacter, float]:
    label, count = Counter(m.label for m in measured).most_common(1)[0]
    return next(m for m in measured if m.label == label), count / len(measured)


def heads(
    attention: Attention | None,
    choice: Choice,
    known: Known,
) -> str:
    """A small map per head of the chosen layer, with its character, as buttons."""
    if attention is None or not len(attention.times):
        return ""
    count = attention.weights.shape[1]
    maps = [attention.select(choice.layer, head) for head in (None, *range(count))]
    top = max(float(m.max()) for m in maps)
    buttons = [_button("All heads", None, "their mean", "", maps[0], top, choice)]
    for head in range(count):
        label, why = _character(known, choice.layer, head)
        buttons.append(_button(f"Head {head + 1}", head, label, why, maps[head + 1], top, choice))
    return f'<div class="sk-heads" role="group" aria-label="Heads">{"".join(buttons)}</div>'


def _character(known: Known, layer: int | None, head: int) -> tuple[str, str]:
    """In two words, and how that was measured."""
    if layer is None:
        own = [c.label for (_, h), (c, _) in sorted(known.items()) if h == head]
        return ", then ".join(dict.fromkeys(own)), "layer by layer"
    if (layer, head) not in known:
        return "", ""
    character, share = known[layer, head]
    why = (
        f"in {share:.0%} of the moments; for example {character.within:.0%} of its attention goes "
        f"to the same person at other times, {character.linked:.0%} to others at the same time, "
        f"{character.itself:.0%} to itself (evenly spread it would be "
        f"{character.uniform_within:.0%}, {character.uniform_linked:.0%} and "
        f"{character.uniform_itself:.0%})"
    )
    return character.label, why


def _button(
    name: str,
    head: int | None,
    label: str,
    why: str,
    weights: np.ndarray,
    top: float,
    choice: Choice,
) -> str:
    pressed = "true" if head == choice.head else "false"
    number = "" if head is None else str(head)
    return (
        f'<button type="button" class="sk-head" data-head="{number}" aria-pressed="{pressed}" '
        f'title="{escape(f"{label} {why}".strip())}"><img alt="" src="{_picture(weights, top)}">'
        f"<b>{escape(name)}</b><span>{escape(label)}</span></button>"
    )


def _picture(weights: np.ndarray, top: float) -> str:
    """A map as a tiny PNG, a pixel per cell; the root makes what is weak visible."""
    shade = (255 * np.sqrt(weights / max(top, 1e-9))).round().astype(np.uint8)
    _, png = cv2.imencode(".png", cv2.applyColorMap(shade, cv2.COLORMAP_VIRIDIS))
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
