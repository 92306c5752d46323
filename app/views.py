"""Pieces of the page as HTML; everything that comes from outside is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np

from app.engine import Engine, EngineState
from app.live import LiveView
from app.places import Place
from app.settings import AppSettings
from skeletr.actions import REASONS, Prediction, Status
from skeletr.export import result_dict
from skeletr.overlay import person_hex
from skeletr.overlay.palette import person_color, text_color
from skeletr.pipeline import Result
from skeletr.recording import Recording

VIDEO_HINT = "Drop a video or a saved session, or look at an example. The result appears here."
_DROPPED = "Camera pictures that were skipped because newer ones had come"
_WHOLE = "Try one in which people are seen whole and near, for two seconds or more."
_SLOW = 4  # frames per second below which a person cannot be followed from frame to frame
_AWAY = 0.5  # seconds between two sights from which on somebody was away
_MOST = 0.9  # share of the time between the first and the last sight that is as good as all of it
LIVE_HINT = "Start the camera. People, their labels and who looks at whom appear here."


def header(engine: Engine) -> str:
    """Title and the state of the models."""
    failed = engine.state in (EngineState.FAILED, EngineState.STOPPING)
    reason = note(engine.message, "problem") if failed else ""
    return (
        '<div class="sk-header"><div><h1>SkeleTR Live</h1>'
        "<p>Who does what, and whom the model looks at.</p></div>"
        f'<span class="sk-state sk-{engine.state.value}" role="status">'
        f"{'Not ready' if failed else escape(engine.message)}</span></div>{reason}"
    )


def note(text: str, kind: str = "hint") -> str:
    """One sentence in a frame; kind is hint, problem or warning."""
    role = "alert" if kind == "problem" else "status"
    return f'<div class="sk-note sk-{kind}" role="{role}">{escape(text)}</div>'


def progress(name: str, doing: str, share: float, remaining: float | None) -> str:
    """A bar with what is being done and how long it may take."""
    left = "" if remaining is None else f", about {_clock(remaining)} left"
    percent = round(100 * share)
    return (
        f'<div class="sk-progress" role="progressbar" aria-valuenow="{percent}" '
        f'aria-label="{escape(doing)} {escape(name)}">'
        f"<div><span>{escape(doing)} {escape(name)}</span>"
        f"<span>{percent} %{left}</span></div>"
        f'<div class="sk-track"><div style="width:{percent}%"></div></div></div>'
    )


def verdict(result: Result) -> str:
    """The video-level label with the runners-up, and what was worth a warning."""
    facts = result_dict(result)
    best = facts["video_labels"]
    frames, seconds = facts["video"]["frames_used"], result.timing.get("total", 0.0)
    pace = f"{frames} frames in {seconds:.0f} s" if seconds >= 1 else f"{frames} frames"
    warnings = "".join(note(w, "warning") for w in result.warnings)
    name = escape(result.info.name)
    meta = f'<p class="sk-meta">{name} · {_clock(result.info.duration)} · {pace}</p>'
    if not best:
        return warnings + note(_why_nothing(result)) + meta
    bars = "".join(_bar(x["label"], x["score"]) for x in best)
    title, remark = _headline(result, best[0]["label"])
    return f'{warnings}<div class="sk-card"><h2>{escape(title)}</h2>{remark}{bars}{meta}</div>'


def _headline(result: Result, best: str) -> tuple[str, str]:
    """The label of the whole video, and how often the model was sure about the scene."""
    seen = [p for p in result.log.scene.predictions if p.scores.any()]
    sure = sum(p.status is Status.OK for p in seen)
    people = [p for track in result.log.people.values() for p in track.predictions]
    if not any(p.status is Status.OK for p in (*seen, *people)):
        return "unknown", '<p class="sk-meta">The model is not sure; these are its guesses.</p>'
    share = f"Sure about the scene in {sure} of {len(seen)} steps; shares of the whole video below."
    return best, "" if sure == len(seen) else f'<p class="sk-meta">{share}</p>'


def _why_nothing(result: Result) -> str:
    if not result.log.people:
        return f"Nobody was found in this video. {_WHOLE}"
    return f"People were found, but too little of them was seen to say what they do. {_WHOLE}"


def people(result: Result) -> str:
    """A row per person: number, label, score, and when and for how long they were in view."""
    found = result_dict(result)["people"]
    long = [p for p in found if p["steps"]]
    if not long:
        return ""
    rows = "".join(
        f"<tr><td>{number(p['id'])}</td><td>{_label(p)}</td>"
        f'<td class="sk-time">{_in_view(p, result.recording)}</td></tr>'
        for p in long
    )
    head = "<tr><th>Person</th><th>Label</th><th>In view</th></tr>"
    brief = len(found) - len(long)
    more = f'<p class="sk-meta">{brief} more seen too briefly to say.</p>' if brief else ""
    return f'<div class="sk-card"><table class="sk-people">{head}{rows}</table>{more}</div>'


def _in_view(person: dict, recording: Recording) -> str:
    """From when to when, and for how long where that is clearly less."""
    first, last = person["start"], person["end"]
    whole = f"{_clock(first)} to {_clock(last)}"
    there = np.unique(recording.frame[recording.person == person["id"]])
    if len(there) < 2:
        return whole
    gaps = np.diff(recording.frame_times[there])
    seconds = float(gaps[gaps <= _AWAY].sum())
    return whole if seconds > _MOST * (last - first) else f"{whole}, {seconds:.0f} s of it"


def _label(person: dict) -> str:
    best = person["labels"][:1]
    sure = any(s["status"] == Status.OK.value for s in person["steps"])
    if best and sure:
        return _bar(best[0]["label"], best[0]["score"])
    if best:
        return _guess(best[0]["label"], best[0]["score"])
    return f'<span class="sk-quiet">{escape(person["steps"][-1]["status"])}</span>'


_ORDINALS = {1: "st", 2: "nd", 3: "rd"}


def in_line(place: Place) -> str:
    """Where a visitor who waits for the camera stands."""
    number = place.position
    ending = "th" if number // 10 % 10 == 1 else _ORDINALS.get(number % 10, "th")
    turn = "Your turn is over for now because others wait. " if place.ended else ""
    return note(
        f"{turn}All places at the camera are taken. You are {number}{ending} in line. Keep the "
        "camera running; this page goes on by itself.",
        "warning",
    )


def footer(versions: Mapping[str, str], settings: AppSettings) -> str:
    """What runs here, and what becomes of a visitor's files."""
    told = " · ".join(f"{name} {version}" for name, version in versions.items())
    kept = f"Your files are removed when you close the page, or after {settings.keep_minutes:g} min"
    return f'<div class="sk-footer"><span>{escape(told)}</span><span>{kept}.</span></div>'


def live_people(view: LiveView) -> str:
    """What each person in view does now, and what happened to the camera a moment ago."""
    return (note(view.note) if view.note else "") + _live_rows(view)


def _live_rows(view: LiveView) -> str:
    if not view.actions.people:
        return note(f"{REASONS[Status.NOBODY]} Step back until the camera sees shoulders and hips.")
    rows = "".join(
        f'<li>{number(i)}<div class="sk-grow">{_now(p)}</div></li>'
        for i, p in sorted(view.actions.people.items())
    )
    return f'<ul class="sk-live">{rows}</ul>'


def _now(prediction: Prediction) -> str:
    if prediction.status is Status.OK:
        return _bar(prediction.label, prediction.score)
    if prediction.label:
        return _guess(prediction.label, prediction.score)
    advice = " Step back a little." if prediction.status is Status.TOO_FEW_JOINTS else ""
    return f'<span class="sk-quiet">{escape(REASONS[prediction.status] + advice)}</span>'


def _guess(label: str, score: float) -> str:
    return f'<span class="sk-quiet">unknown, perhaps {escape(label)} ({score:.0%})</span>'


def badge(view: LiveView) -> str:
    """How fast it goes; for the page also which version of the maps there is."""
    slow = 0 < view.fps < _SLOW
    advice = f". Too slow: labels need {_SLOW} frames/s or more." if slow else ""
    return (
        f'<div class="sk-badge" data-maps="{view.maps}"><b>{view.fps:.0f}</b> frames/s '
        f"<b>{view.latency * 1000:.0f}</b> ms each "
        f'<span title="{_DROPPED}"><b>{max(view.dropped, 0)}</b> dropped</span>{advice}</div>'
    )


def _bar(label: str, score: float) -> str:
    return (
        f'<div class="sk-bar"><span class="sk-label">{escape(label)}</span>'
        f'<span class="sk-score">{score:.0%}</span>'
        f'<div class="sk-track"><div style="width:{score:.1%}"></div></div></div>'
    )


def number(id: int) -> str:
    """The number of a person on the person's colour."""
    ink = "#{:02x}{:02x}{:02x}".format(*text_color(person_color(id)))
    return f'<span class="sk-chip" style="background:{person_hex(id)};color:{ink}">{id}</span>'


def _clock(seconds: float) -> str:
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"
