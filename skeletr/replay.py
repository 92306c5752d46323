"""A recording goes the road without its video: recognised again, and drawn on a blank canvas."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from skeletr.overlay import OverlayStyle, draw_actions
from skeletr.pipeline import Cancelled, Progress, Result, StageTimer
from skeletr.pyskl_export import frame_rate
from skeletr.recognizer import Recognizer
from skeletr.recording import Frame, Person, Recording
from skeletr.video import VideoInfo, VideoWriter

_LONGEST = 960  # pixels of a canvas: skeletons need no more, and half the time of 1280
_SMALLEST = 16  # pixels that an encoder needs
_USUAL_RATE = 25.0  # frames per second, where a recording does not tell


def recording_info(recording: Recording, name: str = "") -> VideoInfo:
    """Facts of a recording as of a video; `name` is its source if not given."""
    width, height = recording.image_size
    return VideoInfo(
        name=name or recording.source,
        width=int(width),
        height=int(height),
        duration=recording.end - recording.start,
        fps=frame_rate(recording) or _USUAL_RATE,
        frames=len(recording.frame_times),
        codec="skeletons",
    )


def recognize_recording(
    recording: Recording,
    recognizer: Recognizer,
    *,
    name: str = "",
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Result:
    """Recognise people who are tracked already; the recogniser is reset first.

    Args:
        name: what to call the recording, its source if not given.

    Raises:
        Cancelled: `cancel` was set.
    """
    timer, begin = StageTimer(), time.perf_counter()
    recognizer.reset()
    for frame in _watched(recording, progress, cancel, "Recognising"):
        with timer.stage("recognise"):
            recognizer.step(frame.people, frame.time, recording.image_size)
    with timer.stage("recognise"):
        log = recognizer.finish()
    timing = {**timer.seconds, "total": time.perf_counter() - begin}
    return Result(recording_info(recording, name), recording, log, timing)


def replay_video(
    result: Result,
    out: str | os.PathLike[str],
    *,
    style: OverlayStyle | None = None,
    longest: int = _LONGEST,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> dict[str, float]:
    """Write an MP4 of the skeletons and labels on a plain background, as `annotate_video` does.

    Args:
        style: its `picture` does not matter: there is none.
        longest: pixels of the longer side; larger recordings are scaled down.

    Returns:
        Seconds spent in each stage.

    Raises:
        Cancelled: `cancel` was set. ValueError: the recording has no frames.
    """
    style = replace(style or OverlayStyle(), picture="skeletons only")
    recording, timer = result.recording, StageTimer()
    scale = min(1.0, longest / max(recording.image_size))
    size = tuple(max(_SMALLEST, round(side * scale)) for side in recording.image_size)
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    with VideoWriter(out, size, result.info.fps) as writer:
        for frame in _watched(recording, progress, cancel, "Drawing"):
            with timer.stage("draw"):
                people = [_scaled(p, scale) for p in frame.people]
                image = draw_actions(canvas, people, *result.log.at(frame.time), style=style)
            with timer.stage("encode"):
                writer.write(image, frame.time)
    return dict(timer.seconds)


def _watched(
    recording: Recording, progress: Progress | None, cancel: threading.Event | None, what: str
) -> Iterator[Frame]:
    """The frames; stops on request and reports each frame once it is dealt with."""
    count = len(recording.frame_times)
    for index, frame in enumerate(recording.frames(), start=1):
        if cancel is not None and cancel.is_set():
            raise Cancelled("stopped on request")
        yield frame
        if progress is not None:
            progress(index / count, what)


def _scaled(person: Person, scale: float) -> Person:
    if scale == 1:
        return person
    keypoints = person.keypoints * np.array([scale, scale, 1], np.float32)
    return Person(keypoints, person.box * np.float32(scale), person.id)
