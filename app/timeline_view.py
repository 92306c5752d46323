"""The timeline: a row per person and one for the whole video, with the label of every moment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from app.figures import CLEAR, TEXT, bullet, figure, message
from skeletr.actions import ActionLog, Prediction, Status, Track

WHOLE = "Whole video"
_TOP = 5
_HEIGHT = 0.84  # of a row
# Paul Tol's "light" palette: told apart by colour-blind people, and black text is read on it.
_LABELS = ("#77aadd", "#ee8866", "#eedd88", "#44bb99", "#ffaabb", "#99ddff", "#bbcc33", "#aaaa00")
_NONE = "#9aa3b0"
_WEAK = 0.28  # opacity behind the height that shows how sure the model is
_ABSENT = "not in view"


@dataclass(frozen=True)
class Step:
    """One key frame of a row: from `start` to `end` in seconds, with what was decided.

    prediction: None where the person was not in view.
    """

    start: float
    end: float
    time: float
    prediction: Prediction | None

    @property
    def text(self) -> str:
        """The label, or why there is none."""
        return _ABSENT if self.prediction is None else self.prediction.text


@dataclass(frozen=True)
class Row:
    """person: None for the whole video."""

    person: int | None
    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        """As it is called beside the row."""
        return WHOLE if self.person is None else f"Person {self.person}"


def rows(log: ActionLog, people: Collection[int] = ()) -> list[Row]:
    """The whole video, then people (all if none are named) who were in view for a key frame."""
    shown = [p for p, t in log.people.items() if len(t.times) and (not people or p in people)]
    return [
        Row(person, tuple(_steps(track, log)))
        for person, track in [(None, log.scene), *((p, log.people[p]) for p in shown)]
    ]


def shown_labels(log: ActionLog) -> list[str]:
    """The labels that the timeline shows, the most frequent first."""
    texts = [s.text for row in rows(log) for s in row.steps if _sure(s)]
    return sorted(set(texts), key=lambda text: (-texts.count(text), text))


def timeline(
    log: ActionLog, people: Collection[int] = (), labels: Collection[str] = ()
) -> go.Figure:
    """Labels over time: the colour says which, the height how sure the model is.

    Args:
        people, labels: only these; everything if none are named. Other labels stay as outlines,
            so that one sees where they were.
    """
    found = rows(log, people)
    if not any(row.steps for row in found):
        return message("Nothing was recognised. Try a video in which people are seen whole.")
    palette = {name: _LABELS[i % len(_LABELS)] for i, name in enumerate(shown_labels(log))}
    ticks = [r.name if r.person is None else f"{r.name} {bullet(r.person)}" for r in found]
    return figure(
        _bars(found, log, palette, labels),
        x={"title": {"text": "Time (s)"}, "range": [log.scene.start, max(log.scene.end, 0.1)]},
        y={
            "range": [0.5 - len(found), 0.5],
            "tickmode": "array",
            "tickvals": [-i for i in range(len(found))],
            "ticktext": ticks,
            "fixedrange": True,
        },
        height=96 + 48 * len(found),
        barmode="overlay",
        bargap=0,
        dragmode="zoom",
        uniformtext={"mode": "hide", "minsize": 10},
        uirevision=f"{log.scene.start} {log.scene.end}",  # another video, another zoom
        meta={"rows": [r.person for r in found], "interval": log.interval},
    )


def _steps(track: Track, log: ActionLog) -> list[Step]:
    """Steps without gaps from the start of the video to its end."""
    half, end = log.interval / 2, log.scene.end
    found: list[Step] = []
    at = log.scene.start
    for time, prediction in zip(track.times.tolist(), track.predictions, strict=True):
        start = time - half
        if start > at + half:
            found.append(Step(at, start, (at + start) / 2, None))
            at = start
        found.append(Step(at, max(min(time + half, end), at), time, prediction))
        at = found[-1].end
    if end > at + half:
        found.append(Step(at, end, (at + end) / 2, None))
    elif found:  # the last key frame stands for the rest
        found[-1] = replace(found[-1], end=end)
    return found


def _sure(step: Step) -> bool:
    return step.prediction is not None and step.prediction.status is Status.OK


def _bars(
    found: Sequence[Row], log: ActionLog, palette: dict[str, str], labels: Collection[str]
) -> list[dict]:
    """Spans behind, the height of every step, names, and what the mouse meets in front."""
    steps = [(i, row, s) for i, row in enumerate(found) for s in row.steps]
    spans = [(i, row, s) for i, row in enumerate(found) for s in _joined(row.steps)]
    colors = [_color(s, palette, labels) for _, _, s in steps]
    return [
        _along(spans)
        | {
            "marker": {
                "color": [_color(s, palette, labels) for _, _, s in spans],
                "opacity": _WEAK,
                "pattern": {"shape": ["" if _sure(s) else "/" for _, _, s in spans], "size": 6},
                "line": {"width": 0},
            },
        },
        _high(steps, [_confidence(s) for _, _, s in steps])
        | {"marker": {"color": colors, "line": {"width": 0}}, "hoverinfo": "skip"},
        _along(spans)
        | {
            "marker": {"color": CLEAR, "line": {"width": 1, "color": "rgba(128,136,150,0.6)"}},
            "text": ["" if _hidden(s, labels) else escape(s.text) for _, _, s in spans],
            "textposition": "inside",
            "insidetextanchor": "middle",
            "constraintext": "inside",
            "textangle": 0,
            "insidetextfont": {"size": 12, "color": TEXT},
        },
        _high(steps, [_HEIGHT] * len(steps))
        | {
            "marker": {"color": CLEAR, "line": {"width": 0}},
            "customdata": [
                [s.time, row.person, f"<b>{row.name}</b>, {s.time:.1f} s<br>{_told(s, log)}"]
                for _, row, s in steps
            ],
            "hovertemplate": "%{customdata[2]}<extra></extra>",
        },
    ]


def _along(spans: Sequence[tuple[int, Row, Step]]) -> dict:
    return {
        "type": "bar",
        "orientation": "h",
        "y": [-i for i, _, _ in spans],
        "base": [s.start for _, _, s in spans],
        "x": [s.end - s.start for _, _, s in spans],
        "width": _HEIGHT,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _high(steps: Sequence[tuple[int, Row, Step]], heights: Sequence[float]) -> dict:
    """Bars that stand on the floor of their row; along, as upright ones would set the ticks."""
    found = [(i, s, h) for (i, _, s), h in zip(steps, heights, strict=True)]
    return {
        "type": "bar",
        "orientation": "h",
        "y": [-i - (_HEIGHT - h) / 2 for i, _, h in found],
        "width": list(heights),
        "base": [s.start for _, s, _ in found],
        "x": [s.end - s.start for _, s, _ in found],
        "showlegend": False,
    }


def _joined(steps: Sequence[Step]) -> list[Step]:
    """Neighbours with the same label as one."""
    if not steps:
        return []
    cuts = [i for i, (a, b) in enumerate(pairwise(steps), 1) if a.text != b.text]
    edges = [0, *cuts, len(steps)]
    return [
        Step(steps[a].start, steps[b - 1].end, steps[a].time, steps[a].prediction)
        for a, b in pairwise(edges)
    ]


def _color(step: Step, palette: dict[str, str], labels: Collection[str]) -> str:
    if _hidden(step, labels):
        return CLEAR
    return palette[step.text] if _sure(step) else _NONE


def _hidden(step: Step, labels: Collection[str]) -> bool:
    return bool(labels) and step.text not in labels


def _confidence(step: Step) -> float:
    return _HEIGHT * (step.prediction.score if step.prediction else 0.0)


def _told(step: Step, log: ActionLog) -> str:
    """The top five, or why there are none."""
    if step.prediction is None or not step.prediction.scores.any():
        return escape(step.text)
    best = np.argsort(-step.prediction.scores)[:_TOP]
    lines = [f"{escape(log.labels[i])} {step.prediction.scores[i]:.0%}" for i in best]
    title = [] if _sure(step) else [escape(f"{step.text}; the guesses:")]
    return "<br>".join([*title, *lines])
