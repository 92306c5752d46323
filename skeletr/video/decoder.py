"""Decoding in this process: upright RGB frames with true, strictly increasing timestamps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from skeletr.video.info import (
    VideoError,
    VideoFrame,
    VideoInfo,
    VideoLimits,
    check_length,
    check_size,
    span,
)
from skeletr.video.source import describe, display_matrix, open_video, swaps_sides, upright

# A step back of more than this is a new time line (joined clips), not a disordered frame.
_NEW_TIMELINE = 1.0
_MISSED = 0.5  # seconds without a frame, at the beginning or end, that are said


class Decoder:
    """Frames of a video file, decoded in this process; see `VideoReader` for the arguments."""

    def __init__(self, path: Path, limits: VideoLimits, name: str) -> None:
        self._path = path
        self._limits = limits
        self.warnings: list[str] = []
        self.info, self._matrix = self._probe(name)
        self.size = _fit((self.info.width, self.info.height), self._limits.processing_side)

    def __iter__(self) -> Iterator[VideoFrame]:
        self.warnings = []
        stamps = _Clock(1 / self.info.fps)
        damage = _Damage()
        count = 0
        late = 0.0
        for frame in self._decode(damage):
            time = stamps.next(_seconds(frame))
            late = late if count else self._missing_start(frame, damage)
            count += 1
            check_length(self.info.name, time, count, self._limits)
            image = self._image(frame, damage)
            if image is not None:
                yield VideoFrame(image, time)
        if count <= damage.pictures:
            raise VideoError(f"{self.info.name} holds no frame that can be decoded.")
        self._note_damage(damage)
        self._note_missing(late, stamps.last)

    def close(self) -> None:
        """Nothing is held between two iterations."""

    def _open(self, name: str) -> tuple[InputContainer, VideoStream]:
        return open_video(self._path, name, self._limits.max_pixels)

    def _probe(self, name: str) -> tuple[VideoInfo, np.ndarray]:
        container, stream = self._open(name)
        with container:
            info = describe(container, stream, name)
        check_size(info, self._limits)
        if not info.duration:
            info = self._measured(info)
        check_length(name, info.duration, info.frames, self._limits)
        container, stream = self._open(name)  # not every format can be wound back
        with container:
            first = next(_frames(container, stream, _Damage()), None)
            if first is None:
                raise VideoError(f"{name} holds no frame that can be decoded.")
            matrix = display_matrix(first)
            if swaps_sides(matrix):
                info = replace(info, width=info.height, height=info.width)
            return replace(info, rotation=first.rotation % 360), matrix

    def _measured(self, info: VideoInfo) -> VideoInfo:
        """Length and number of frames from the packets: recorders leave them out."""
        container, stream = self._open(info.name)
        with container:
            seconds, frames = _scan(container, stream)
        return replace(info, duration=seconds, frames=frames)

    def _decode(self, damage: _Damage) -> Iterator[av.VideoFrame]:
        container, stream = self._open(self.info.name)
        with container:
            yield from _frames(container, stream, damage)

    def _image(self, frame: av.VideoFrame, damage: _Damage) -> np.ndarray | None:
        """The picture upright and in the size of the reader, None if it cannot be converted."""
        width, height = self.size[::-1] if swaps_sides(self._matrix) else self.size
        try:
            rgb = frame.reformat(width, height, "rgb24", interpolation="AREA").to_ndarray()
        except (av.FFmpegError, ValueError):
            damage.pictures += 1
            return None
        return upright(rgb, self._matrix)

    def _note_damage(self, damage: _Damage) -> None:
        parts = damage.packets + damage.pictures
        if parts:
            self.warnings.append(
                f"{self.info.name} is damaged: {parts} part(s) could not be decoded."
            )

    def _missing_start(self, first: av.VideoFrame, damage: _Damage) -> float:
        """Seconds of the file before the first frame that decodes, if they are worth a word."""
        seconds = _seconds(first)
        if seconds is None or damage.start is None:
            return 0.0
        return seconds - damage.start if seconds - damage.start > _MISSED else 0.0

    def _note_missing(self, late: float, last: float) -> None:
        if late:
            self.warnings.append(
                f"{self.info.name} begins with {span(late)} that could not be decoded; times "
                "count from its first frame that could."
            )
        end = late + last + 1 / self.info.fps
        if self.info.duration - end > max(_MISSED, 0.02 * self.info.duration):
            self.warnings.append(
                f"{self.info.name} is cut off or damaged: only the first {span(end)} of "
                f"{span(self.info.duration)} could be decoded and were used."
            )


@dataclass
class _Damage:
    """How many parts of a file could not be used: packets not decoded, pictures not converted.

    start: seconds at which the stream says it begins, None where it does not.
    """

    packets: int = 0
    pictures: int = 0
    start: float | None = None


def _seconds(frame: av.VideoFrame) -> float | None:
    """When a frame is shown, as the file says; None if it does not."""
    if frame.pts is None or not frame.time_base:
        return None
    return float(frame.pts * frame.time_base)


def _frames(container, stream, damage: _Damage) -> Iterator[av.VideoFrame]:
    """Every frame that decodes; what does not is counted and skipped."""
    if stream.start_time is not None:
        damage.start = float(stream.start_time * stream.time_base)
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            damage.packets += 1
            return
        if packet is None:
            return
        try:
            frames = packet.decode()
        except av.FFmpegError:
            damage.packets += 1
            continue
        whole = [f for f in frames if not f.is_corrupt]
        damage.packets += len(frames) - len(whole)
        yield from whole


def _scan(container, stream) -> tuple[float, int]:
    """Length in seconds and number of frames, from the packets."""
    first, last, count = None, None, 0
    try:
        for packet in container.demux(stream):
            if packet.pts is None:
                continue
            count += 1
            first = packet.pts if first is None else min(first, packet.pts)
            last = packet.pts if last is None else max(last, packet.pts)
    except av.FFmpegError:
        pass  # what was counted so far is the best that can be known
    return (float((last - first) * stream.time_base) if count else 0.0), count


class _Clock:
    """Turns presentation times into seconds from the first frame, strictly increasing."""

    def __init__(self, step: float) -> None:
        self._step = step
        self._origin: float | None = None
        self._repaired = False
        self._started = False
        self.last = 0.0

    def next(self, seconds: float | None) -> float:
        """The time of the next frame; `seconds` is None where the file has none."""
        self.last = self._following(seconds) if self._started else 0.0
        self._started = True
        if self._origin is None and seconds is not None:
            self._origin = seconds - self.last
        return self.last

    def _following(self, seconds: float | None) -> float:
        if seconds is None or self._origin is None:
            return self.last + self._step
        time = seconds - self._origin
        if time > self.last:
            self._repaired = False
            return time
        if self.last - time > _NEW_TIMELINE:
            self._origin = seconds - self.last - self._step
            return self.last + self._step
        # Half a step for a single double, so that the next true time is still ahead of it.
        step = self._step if self._repaired else self._step / 2
        self._repaired = True
        return self.last + step


def _fit(size: tuple[int, int], longest: int) -> tuple[int, int]:
    scale = min(1.0, longest / max(size))
    width, height = (max(1, round(side * scale)) for side in size)
    return width, height
