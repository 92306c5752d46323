"""Plotly figures in the style of the page: who the model looks at, at three grains."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from textwrap import wrap

import numpy as np
import plotly.graph_objects as go

from skeletr.actions import Attention
from skeletr.overlay import person_hex
from skeletr.token_attention import PairAttention

CLEAR = "rgba(0,0,0,0)"
TEXT = "#808894"  # read on light and on dark
_GRID = "rgba(128,136,150,0.22)"
_NOBODY = "No attention here yet: somebody must be in view for a second and a half."
_ROW = 13  # pixels per sequence that its name needs
_LINE = 38  # characters of a line that a phone has room for
_NUMBERED = 8  # people up to which the shares are written into the map


def sequence_heatmap(
    attention: Attention | None,
    layer: int | None = None,
    head: int | None = None,
    told: Sequence[str] | None = None,
) -> go.Figure:
    """Attention between short sequences: rows look at columns, named P(time, person).

    Args:
        told: per sequence what to say about it under the mouse; its name if not given.
    """
    if attention is None or not len(attention.times):
        return message(_NOBODY)
    names = attention.names
    heat = _heat(attention.select(layer, head), names, names) | (_told(told) if told else {})
    marked = [f"{n} {bullet(p)}" for n, p in zip(names, attention.person.tolist(), strict=True)]
    axis = _names(names, marked) | {"tickfont": {"size": 11}}
    return figure(
        [heat],
        x=axis | {"title": {"text": "looked at: P(time in s, person)"}, "tickangle": -60},
        y=axis | {"title": {"text": "looks"}, "autorange": "reversed"},
        height=max(420, 170 + _ROW * len(names)),
        shapes=_dividers(attention.person),
        meta=_window(attention),
    )


def people_heatmap(
    attention: Attention | None, layer: int | None = None, head: int | None = None
) -> go.Figure:
    """Attention summed up by person: rows look at columns."""
    if attention is None or not len(attention.times):
        return message(_NOBODY)
    people, weights = attention.between_people(layer, head)
    names = [person_name(p) for p in people]
    heat = _heat(weights, names, names)
    if len(people) <= _NUMBERED:
        heat |= {"texttemplate": "%{z:.0%}", "textfont": {"size": 13}, "showscale": False}
    axis = _names(names, [f"{n} {bullet(p)}" for n, p in zip(names, people, strict=True)])
    return figure(
        [heat],
        x=axis | {"title": {"text": "looked at"}},
        y=axis | {"title": {"text": "looks"}, "autorange": "reversed"},
        meta=_window(attention),
    )


def token_heatmap(pair: PairAttention, looks: str, seen: str) -> go.Figure:
    """Attention inside one pair of sequences: the whole body, moments and body parts.

    Args:
        looks, seen: names of the sequence that looks and of the one looked at.
    """
    heat = _heat(pair.weights, list(pair.seen), list(pair.looks))
    axis = {"type": "category", "tickfont": {"size": 11}}
    return figure(
        [heat],
        x=axis | {"title": {"text": f"looked at: {escape(seen)}"}, "tickangle": -60},
        y=axis
        | {"title": {"text": f"looks: {escape(looks)}", "standoff": 14}, "autorange": "reversed"},
    )


def message(text: str) -> go.Figure:
    """An empty figure that says what will be here."""
    lines = "<br>".join(escape(line) for line in wrap(text, _LINE))  # a plot does not break them
    note = {"text": lines, "showarrow": False, "font": {"size": 14}, "x": 0.5, "y": 0.5}
    hidden = {"visible": False, "range": [0, 1]}
    return figure([], x=hidden, y=hidden, height=220, annotations=[note])


def person_name(person: int) -> str:
    """What a person is called in a map."""
    return f"Person {person}"


def bullet(person: int) -> str:
    """A dot in the colour of a person, for the text of a figure."""
    return f'<span style="color:{person_hex(person)}">●</span>'


def figure(data: list[dict], x: dict, y: dict, height: int = 420, **layout: object) -> go.Figure:
    """A figure in the style of the page; made in one go, as each later change is slow."""
    common = {"zeroline": False, "automargin": True}
    style = {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 40, "b": 8},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": TEXT},
        "template": {},
        "modebar": {
            "remove": ["lasso2d", "select2d", "autoScale2d", "zoom2d", "pan2d"],
            "bgcolor": CLEAR,
            "color": TEXT,
        },
        "dragmode": False,
        "hoverlabel": {"align": "left"},
        "xaxis": common | {"gridcolor": _GRID} | x,
        "yaxis": common | {"gridcolor": CLEAR} | y,
    }
    return go.Figure(data=data, layout=style | layout)


def newest(attention: Attention) -> float:
    """Seconds of the newest short sequence: which window it is, for whoever clicks its map."""
    return round(float(attention.times.max()), 3)


def _window(attention: Attention) -> dict:
    return {"newest": newest(attention)}


def _names(names: list[str], shown: list[str]) -> dict:
    return {"type": "category", "tickmode": "array", "tickvals": names, "ticktext": shown}


def _heat(weights: np.ndarray, columns: list[str], rows: list[str]) -> dict:
    return {
        "type": "heatmap",
        "z": np.round(weights, 5).tolist(),
        "x": columns,
        "y": rows,
        "hovertemplate": "%{y} looks at %{x}: %{z:.1%}<extra></extra>",
        "colorscale": "Viridis",
        "zmin": 0,
        "zmax": float(max(weights.max(), 1e-6)),
        "colorbar": {"thickness": 10, "outlinewidth": 0, "tickformat": ".2~p", "nticks": 5},
        "xgap": 1,
        "ygap": 1,
    }


def _told(sequences: Sequence[str]) -> dict:
    """What is said about a cell: who looks, who is looked at, and the weight."""
    told = [escape(t) for t in sequences]
    return {
        "customdata": [[[looks, seen] for seen in told] for looks in told],
        "hovertemplate": "%{customdata[0]}<br>looks at<br>%{customdata[1]}<br>"
        "<b>%{z:.1%}</b><extra></extra>",
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
