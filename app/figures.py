"""Plotly figures: labels over time, and who the model looks at."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import plotly.graph_objects as go

from skeletr.actions import ActionLog, Attention, Prediction, Status, Track
from skeletr.overlay import person_color
from skeletr.overlay.palette import Color, text_color

_CLEAR = "rgba(0,0,0,0)"
_GRID = "rgba(128,136,150,0.22)"
_UNSURE = "rgba(128,136,150,0.30)"
_SCENE: Color = (91, 100, 114)
_TEXT = "#808894"  # read on light and on dark


@dataclass(frozen=True)
class Span:
    """The same label for a while: start and end in seconds."""

    start: float
    end: float
    prediction: Prediction


def spans(track: Track, interval: float) -> list[Span]:
    """Key frames of one track with the same label, joined, with the best of their scores.

    Args:
        interval: seconds between key frames; each key frame stands for half of it either way.
    """
    found: list[Span] = []
    for time, prediction in zip(track.times.tolist(), track.predictions, strict=True):
        start = max(time - interval / 2, track.start)
        end = min(time + interval / 2, max(track.end, start))
        last = found[-1] if found else None
        if last and last.prediction.text == prediction.text and start - last.end < interval / 2:
            best = max(last.prediction, prediction, key=lambda p: p.score)
            found[-1] = Span(last.start, end, best)
        else:
            found.append(Span(start, end, prediction))
    return found


def timeline(log: ActionLog) -> go.Figure:
    """A row per person, and one for the scene, with the label of every moment."""
    rows = [("Scene", _SCENE, log.scene)]
    rows += [(f"Person {i}", person_color(i), t) for i, t in log.people.items() if len(t.times)]
    names = [name for name, _, _ in rows]
    return _figure(
        [_bars(name, color, spans(track, log.interval)) for name, color, track in rows],
        x={"title": {"text": "Time (s)"}, "range": [log.scene.start, max(log.scene.end, 0.1)]},
        y={"autorange": "reversed", "categoryorder": "array", "categoryarray": names},
        height=96 + 44 * len(rows),
        barmode="overlay",
        bargap=0.28,
    )


def _bars(name: str, color: Color, row: list[Span]) -> dict:
    sure = [s.prediction.status is Status.OK for s in row]
    ink = _hex(text_color(color))
    return {
        "type": "bar",
        "orientation": "h",
        "y": [name] * len(row),
        "base": [s.start for s in row],
        "x": [s.end - s.start for s in row],
        "marker": {
            "color": [_hex(color) if ok else _UNSURE for ok in sure],
            "line": {"width": 1, "color": "rgba(255,255,255,0.55)"},
        },
        "text": [escape(s.prediction.text) for s in row],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "constraintext": "inside",
        "textangle": 0,
        "insidetextfont": {"size": 12, "color": [ink if ok else _TEXT for ok in sure]},
        "customdata": [[s.start, s.end, _told(s.prediction)] for s in row],
        "hovertemplate": f"{name}<br>%{{customdata[2]}}<br>"
        "%{customdata[0]:.1f} to %{customdata[1]:.1f} s<extra></extra>",
        "showlegend": False,
    }


def _hex(color: Color) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


def _told(prediction: Prediction) -> str:
    if prediction.status is Status.OK:
        return escape(f"{prediction.label} ({prediction.score:.0%})")
    guess = f", perhaps {prediction.label} ({prediction.score:.0%})" if prediction.label else ""
    return escape(f"{prediction.status.value}{guess}")


def sequence_heatmap(
    attention: Attention | None, layer: int | None = None, head: int | None = None
) -> go.Figure:
    """Attention between short sequences: rows look at columns, named P(time, person)."""
    if attention is None or not len(attention.times):
        return message("No attention yet")
    names = attention.names
    axis = {"type": "category", "tickfont": {"size": 11}}
    return _figure(
        [_heat(attention.select(layer, head), names)],
        x=axis | {"title": {"text": "looked at: P(time in s, person)"}, "tickangle": -60},
        y=axis | {"title": {"text": "looks"}, "autorange": "reversed"},
        shapes=_dividers(attention.person),
    )


def people_heatmap(
    attention: Attention | None, layer: int | None = None, head: int | None = None
) -> go.Figure:
    """Attention summed up by person: rows look at columns."""
    if attention is None or not len(attention.times):
        return message("No attention yet")
    people, weights = attention.between_people(layer, head)
    names = [f"Person {p}" for p in people]
    heat = _heat(weights, names)
    if len(people) <= 8:
        heat |= {"texttemplate": "%{z:.0%}", "textfont": {"size": 13}, "showscale": False}
    axis = {"type": "category"}
    return _figure(
        [heat],
        x=axis | {"title": {"text": "looked at"}},
        y=axis | {"title": {"text": "looks"}, "autorange": "reversed"},
    )


def message(text: str) -> go.Figure:
    """An empty figure that says what will be here."""
    note = {"text": escape(text), "showarrow": False, "font": {"size": 14}, "x": 0.5, "y": 0.5}
    hidden = {"visible": False, "range": [0, 1]}
    return _figure([], x=hidden, y=hidden, height=220, annotations=[note])


def _heat(weights: np.ndarray, names: list[str]) -> dict:
    return {
        "type": "heatmap",
        "z": np.round(weights, 5).tolist(),
        "x": names,
        "y": names,
        "hovertemplate": "%{y} looks at %{x}: %{z:.1%}<extra></extra>",
        "colorscale": "Viridis",
        "zmin": 0,
        "zmax": float(max(weights.max(), 1e-6)),
        "colorbar": {"thickness": 10, "outlinewidth": 0, "tickformat": ".0%", "nticks": 5},
        "xgap": 1,
        "ygap": 1,
    }


def _dividers(person: np.ndarray) -> list[dict]:
    """Lines between the sequences of one person and those of the next."""
    line = {"type": "line", "line": {"width": 1.5, "color": "#ffffff"}}
    shapes = []
    for position in (np.flatnonzero(np.diff(person)) + 0.5).tolist():
        across = {"x0": position, "x1": position, "y0": 0, "y1": 1, "yref": "paper"}
        along = {"y0": position, "y1": position, "x0": 0, "x1": 1, "xref": "paper"}
        shapes += [line | across, line | along]
    return shapes


def _figure(data: list[dict], x: dict, y: dict, height: int = 420, **layout: object) -> go.Figure:
    """A figure in the style of the page; made in one go, as each later change is slow."""
    common = {"zeroline": False, "automargin": True}
    style = {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 40, "b": 8},
        "paper_bgcolor": _CLEAR,
        "plot_bgcolor": _CLEAR,
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": _TEXT},
        "template": {},
        "modebar": {
            "remove": ["lasso2d", "select2d", "autoScale2d", "zoom2d", "pan2d"],
            "bgcolor": _CLEAR,
            "color": _TEXT,
        },
        "dragmode": False,
        "xaxis": common | {"gridcolor": _GRID} | x,
        "yaxis": common | {"gridcolor": _CLEAR} | y,
    }
    return go.Figure(data=data, layout=style | layout)
