"""A part of what was recognised, as if it had begun there; of a camera that ran for long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from skeletr.actions import ActionLog, Attention, Track
from skeletr.recording import Frame, Recording
from skeletr.session import Session

_CLOSE = 1e-6  # seconds


def excerpt(
    frames: Sequence[Frame],
    image_size: tuple[int, int],
    log: ActionLog,
    windows: Sequence[tuple[float, Attention]] = (),
    name: str = "",
) -> Session:
    """A session of some frames of a stream; its times begin at 0.

    Args:
        frames: in order of time, at least one.
        image_size: (width, height) in pixels.
        log: what was recognised in the stream, these frames or more.
        windows: attention with the seconds of its key frame. A window is left out where it looks
            back to before the first frame, as there is nothing to show of that.
    """
    start, end = frames[0].time, frames[-1].time
    moved = (replace(frame, time=frame.time - start) for frame in frames)
    people = {
        person: _cut(track, start, end)
        for person, track in log.people.items()
        if track.end >= start - _CLOSE and track.start <= end + _CLOSE
    }
    kept = tuple(
        (key - start, replace(attention, times=attention.times - start))
        for key, attention in windows
        if key <= end + _CLOSE and attention.times.min() >= start - _CLOSE
    )
    cut = replace(log, people=people, scene=_cut(log.scene, start, end), attention=kept)
    return Session(Recording.from_frames(moved, image_size, source=name), cut, name=name)


def _cut(track: Track, start: float, end: float) -> Track:
    kept = (track.times >= start - _CLOSE) & (track.times <= end + _CLOSE)
    return Track(
        track.times[kept] - start,
        tuple(p for p, keep in zip(track.predictions, kept, strict=True) if keep),
        max(track.start, start) - start,
        max(min(track.end, end), start) - start,
    )
