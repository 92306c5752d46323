"""A long video out of a short one: its packets again and again, neither decoded nor encoded."""

from __future__ import annotations

from pathlib import Path

import av

from skeletr.video import VideoReader, VideoWriter


def looped(video: Path, seconds: float, out: Path) -> Path:
    """Write `video` over and over into a Matroska file of so many seconds.

    Every round begins a frame after the one before ended, so that time goes on evenly. The last
    round may be cut short.

    Args:
        seconds: length of the copy. out: where to write it; the name should end with .mkv.

    Raises:
        ValueError: the video has no picture that could be repeated.
    """
    with av.open(str(video)) as source, av.open(str(out), "w", format="matroska") as copy:
        stream = source.streams.video[0]
        target = copy.add_stream_from_template(stream)
        tick = float(stream.time_base)
        packets = [p for p in source.demux(stream) if p.size and p.dts is not None]
        starts = [p.pts for p in packets if p.pts is not None]
        if not starts or stream.average_rate is None:
            raise ValueError(f"{video.name} has no pictures with times, expected a video")
        first, frame = min(starts), round(1 / stream.average_rate / stream.time_base)
        length = max(starts) - first + frame
        # A packet that was written is changed by the writer: what it was is kept here.
        kept = [(bytes(p), p.pts, p.dts, p.duration, p.is_keyframe) for p in packets]
        for begin in range(0, round(seconds / tick), length):
            for data, pts, dts, duration, key in kept:
                if pts is None or (begin + pts - first) * tick >= seconds:
                    continue
                packet = av.Packet(data)
                packet.pts, packet.dts = begin + pts - first, begin + dts - first
                packet.duration, packet.is_keyframe = duration, key
                packet.time_base, packet.stream = stream.time_base, target
                copy.mux(packet)
    return out


def slower(video: Path, rate: float, out: Path) -> Path:
    """Write an MP4 of the frames of `video` at no more than `rate` a second, at their own times."""
    reader = VideoReader(video)
    due = 0.0
    with VideoWriter(out, reader.size, rate, quality=18) as writer:
        for frame in reader:
            if frame.time >= due - 1e-3:
                writer.write(frame.image, frame.time)
                due = max(due + 1 / rate, frame.time)
    return out
