"""What people do as subtitles (WebVTT): one cue per person, or scene, and label."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from skeletr.actions import ActionLog, Status, Track
from skeletr.files import atomic_path


@dataclass(frozen=True)
class Cue:
    """A line of text from `start` to `end`, in seconds; `scene` = not of one person."""

    start: float
    end: float
    text: str
    scene: bool = False


def write_vtt(log: ActionLog, path: str | os.PathLike[str]) -> None:
    """`actions_vtt` as a file that appears whole."""
    with atomic_path(path) as partial:
        partial.write_text(actions_vtt(log), encoding="utf-8")


def actions_vtt(log: ActionLog) -> str:
    """WebVTT text in order of time: people at the bottom, the scene at the top."""
    cues = [*_cues("Scene", log.scene, log.interval, scene=True)]
    for person, track in log.people.items():
        cues += _cues(f"Person {person}", track, log.interval)
    blocks = ["WEBVTT"]
    for cue in sorted(cues, key=lambda c: (c.start, not c.scene)):
        place = " line:5%" if cue.scene else ""
        blocks.append(f"{_stamp(cue.start)} --> {_stamp(cue.end)}{place}\n{_escape(cue.text)}")
    return "\n\n".join(blocks) + "\n"


def _cues(who: str, track: Track, interval: float, scene: bool = False) -> Iterator[Cue]:
    """Neighbouring steps with the same label, joined; each stands for half an interval either
    way. Where there is no sure label there is no subtitle."""
    open_cue: Cue | None = None
    for time, prediction in zip(track.times.tolist(), track.predictions, strict=True):
        if prediction.status is not Status.OK:
            continue
        start = max(time - interval / 2, track.start, 0.0)
        end = max(min(time + interval / 2, track.end), start)
        text = f"{who}: {prediction.label}"
        if open_cue and open_cue.text == text and start - open_cue.end < interval / 4:
            open_cue = Cue(open_cue.start, end, text, scene)
            continue
        if open_cue:
            yield open_cue
        open_cue = Cue(start, end, text, scene)
    if open_cue:
        yield open_cue


def _stamp(seconds: float) -> str:
    """hh:mm:ss.mmm"""
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"


def _escape(text: str) -> str:
    """One line without markup; "-->" cannot be in it."""
    line = " ".join(text.split())
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
