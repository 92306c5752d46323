"""A video file goes through the whole road: decode, pose, track, recognise; then draw.

The stages work at the same time, in threads with a few frames between them; no frame is left out.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TypeVar

from skeletr.actions import ActionLog
from skeletr.ahead import ahead
from skeletr.overlay import OverlayStyle, Veil, draw_actions, left_bare
from skeletr.pose.base import PoseFrontend
from skeletr.pose.late import Found, Late
from skeletr.recognizer import Recognizer
from skeletr.recording import Frame, Person, Recording
from skeletr.tracking import Tracker
from skeletr.video import VideoFrame, VideoInfo, VideoLimits, VideoReader, VideoWriter

# Seconds by which recognition stays behind tracking: a newcomer is confirmed after a few frames and
# then added to those. A file can wait; live, the newcomer appears when confirmed.
_HINDSIGHT = 0.5

# People with ids, and who was found and is not covered by them.
Seen = tuple[Frame, tuple[Person, ...]]
Timed = TypeVar("Timed", Seen, VideoFrame)

# Called with the share done (0..1) and what is being done, in words.
Progress = Callable[[float, str], None]


class Cancelled(Exception):
    """The user asked to stop; nothing was written."""


@dataclass
class StageTimer:
    """Seconds per stage of the pipeline; stages that work at the same time count each for itself.

    A stage is used by one thread at a time.
    """

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of the block under `name`."""
        begin = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += perf_counter() - begin

    def through(self, name: str, items: Iterator) -> Generator:
        """Pass items on, counting the time of making each under `name`."""
        while True:
            with self.stage(name):
                item = next(items, None)
            if item is None:
                return
            yield item


@dataclass(frozen=True)
class Result:
    """What was found in one video.

    timing: seconds spent in each stage, and in all of them, which run at the same time, as "total".
    warnings: sentences about damaged or missing parts.
    uncovered: who was found in a frame and would be seen if only the recording's people were
    blurred: seen too briefly to get a number, or not quite where smoothing puts them. For whoever
    draws on the video; never written to a file.
    """

    info: VideoInfo
    recording: Recording
    log: ActionLog
    timing: dict[str, float]
    warnings: tuple[str, ...] = ()
    uncovered: tuple[Frame, ...] = ()

    @property
    def frame_size(self) -> tuple[int, int]:
        """(width, height) of the frames as processed: the pixels of the recording."""
        return self.recording.image_size


def recognize_video(
    path: str | os.PathLike[str],
    frontend: PoseFrontend,
    recognizer: Recognizer,
    tracker: Tracker | None = None,
    *,
    limits: VideoLimits | None = None,
    name: str | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Result:
    """Recognise one video file; streaming, the video is never in memory as a whole.

    Frontend, tracker and recogniser are reset first, so they may be used again.

    Args:
        name: what to call the video in messages, its file name if not given.

    Raises:
        VideoError: the file cannot be used. Cancelled: `cancel` was set.
    """
    timer = StageTimer()
    begin = perf_counter()
    tracker = tracker or Tracker()
    reader = VideoReader(path, limits, name)
    for part in (frontend, tracker, recognizer):
        part.reset()
    uncovered: list[Frame] = []

    def recognised(seen: Iterator[Seen]) -> Iterator[Frame]:
        for frame, bare in _reported(seen, reader, progress, "Recognising"):
            if bare:
                uncovered.append(Frame(frame.time, bare))
            with timer.stage("recognise"):
                recognizer.step(frame.people, frame.time, reader.size)
            yield frame

    with _followed(reader, frontend, tracker, timer, cancel) as seen:
        recording = Recording.from_frames(recognised(seen), reader.size, source=reader.info.name)
    with timer.stage("recognise"):
        log = recognizer.finish()
    timing = {**timer.seconds, "total": perf_counter() - begin}
    warnings = tuple(reader.warnings)
    return Result(reader.info, recording, log, timing, warnings, tuple(uncovered))


def record_video(
    path: str | os.PathLike[str],
    frontend: PoseFrontend,
    tracker: Tracker | None = None,
    *,
    limits: VideoLimits | None = None,
    name: str | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> tuple[Recording, tuple[str, ...]]:
    """The people of one video file: the road of `recognize_video` without its recogniser.

    Arguments and errors are those of `recognize_video`.

    Returns:
        The recording, and sentences about damaged or missing parts.
    """
    tracker = tracker or Tracker()
    reader, timer = VideoReader(path, limits, name), StageTimer()
    frontend.reset()
    tracker.reset()
    with _followed(reader, frontend, tracker, timer, cancel) as seen:
        frames = (frame for frame, _ in _reported(seen, reader, progress, "Recording"))
        recording = Recording.from_frames(frames, reader.size, source=reader.info.name)
    return recording, tuple(reader.warnings)


def annotate_video(
    path: str | os.PathLike[str],
    result: Result,
    out: str | os.PathLike[str],
    *,
    style: OverlayStyle | None = None,
    limits: VideoLimits | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> dict[str, float]:
    """Decode a second time and write an MP4 with boxes, skeletons and labels drawn in.

    The labels are those of `result.log`, averaged over past and future windows, so each frame
    shows what was decided about its own moment. Where the style blurs people, everybody who was
    found in a frame is blurred, and for a moment who was found before; see `Veil`.

    Returns:
        Seconds spent in each stage.
    """
    timer = StageTimer()
    reader = VideoReader(path, limits, result.info.name)
    uncovered = {f.time: f.people for f in result.uncovered}
    veil = Veil()

    def drawn(images: Iterator[VideoFrame]) -> Generator[VideoFrame, None, None]:
        for frame in images:
            with timer.stage("draw"):
                predictions, scene = result.log.at(frame.time)
                seen = result.recording.at(frame.time)
                hidden = veil.cover((*seen, *uncovered.get(frame.time, ())), frame.time)
                image = draw_actions(
                    frame.image, seen, predictions, scene, style=style, hidden=hidden
                )
            yield replace(frame, image=image)

    with (
        VideoWriter(out, reader.size, reader.info.fps) as writer,
        ahead(_decoded(reader, timer, "decode again", cancel)) as images,
        ahead(drawn(images)) as pictures,
    ):
        for frame in _reported(pictures, reader, progress, "Drawing"):
            with timer.stage("encode"):
                writer.write(frame.image, frame.time)
    return dict(timer.seconds)


@contextmanager
def _followed(
    reader: VideoReader,
    frontend: PoseFrontend,
    tracker: Tracker,
    timer: StageTimer,
    cancel: threading.Event | None,
) -> Iterator[Iterator[Seen]]:
    """The people of a video with their ids; decoding and pose go on while they are used."""
    with (
        ahead(_decoded(reader, timer, "decode", cancel)) as images,
        ahead(_tracked(images, frontend, tracker, timer)) as frames,
    ):
        yield frames


def _decoded(
    reader: VideoReader, timer: StageTimer, stage: str, cancel: threading.Event | None
) -> Generator[VideoFrame, None, None]:
    """The frames of a video; stops on request."""
    for frame in timer.through(stage, iter(reader)):
        if cancel is not None and cancel.is_set():
            raise Cancelled("stopped on request")
        yield frame


def _reported(
    frames: Iterator[Timed], reader: VideoReader, progress: Progress | None, what: str
) -> Iterator[Timed]:
    """The same frames; says of each that it is done when the next one is asked for."""
    duration = reader.info.duration
    for frame in frames:
        yield frame
        if progress is not None:
            time = (frame[0] if isinstance(frame, tuple) else frame).time
            progress(min(time / duration, 1.0) if duration else 0.0, what)


def _tracked(
    images: Iterator[VideoFrame], frontend: PoseFrontend, tracker: Tracker, timer: StageTimer
) -> Generator[Seen, None, None]:
    """People with ids; frames come `_HINDSIGHT` late, with newcomers from their first moment on."""
    recent: deque[Frame] = deque()
    found: deque[tuple[Person, ...]] = deque()  # in each of these frames, before tracking
    for time, people in _estimated(images, Late(frontend), timer):
        with timer.stage("track"):
            found.append(people)
            recent.append(Frame(time, tracker.update(people, time)))
            _look_back(recent, tracker.revealed)
        while recent and recent[0].time <= time - _HINDSIGHT:
            yield _beside(recent.popleft(), found.popleft())
    yield from map(_beside, recent, found)


def _estimated(images: Iterator[VideoFrame], late: Late, timer: StageTimer) -> Iterator[Found]:
    """The people of each frame before tracking."""
    for image in images:
        with timer.stage("pose"):
            done = late.estimate(image.image, image.time)
        yield from done
    yield from late.rest()


def _beside(frame: Frame, found: tuple[Person, ...]) -> Seen:
    """A frame, and who was found in it but is not covered by its people."""
    return frame, left_bare(found, frame.people)


def _look_back(recent: deque[Frame], revealed: Sequence[tuple[float, Person]]) -> None:
    """Add people to the frames in which they were seen before it was sure that they are people."""
    for seen, person in revealed:
        for index, frame in enumerate(recent):
            if frame.time == seen:
                people = sorted((*frame.people, person), key=lambda p: p.id)
                recent[index] = Frame(seen, tuple(people))
