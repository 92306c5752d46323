"""Writing small videos with PyAV for the corpus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.broken.kinds import Unavailable
from tests.conftest import pattern

SIZE = (96, 64)
COUNT = 12


def images(count: int = COUNT, size: tuple[int, int] = SIZE) -> list[np.ndarray]:
    """Frames with a square that moves."""
    return [_pattern(i, size) for i in range(count)]


def _pattern(index: int, size: tuple[int, int]) -> np.ndarray:
    if min(size) >= 41:
        return pattern(index, size)
    return np.full((size[1], size[0], 3), 20 * index % 256, np.uint8)


def video(
    path: Path,
    frames: Iterable[np.ndarray] | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    rate: Fraction | int = 10,
    times: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    rotation: int | None = None,
    format: str | None = None,
    options: dict[str, str] | None = None,
    muxer: dict[str, str] | None = None,
) -> Path:
    """Encode frames; times: of each frame, in `time_base`."""
    frames = images() if frames is None else frames
    try:
        with av.open(str(path), "w", format=format, options=muxer or {}) as container:
            stream = container.add_stream(codec, rate=rate, options=options or {})
            if time_base is not None:
                stream.time_base = stream.codec_context.time_base = time_base
            for index, image in enumerate(frames):
                if index == 0:
                    stream.height, stream.width = image.shape[:2]
                    stream.pix_fmt = pix_fmt
                    if rotation is not None:
                        stream.set_display_rotation(rotation)
                frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pix_fmt)
                if times is not None:
                    frame.pts, frame.time_base = times[index], time_base or Fraction(1, 10)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    except (av.FFmpegError, av.codec.codec.UnknownCodecError, ValueError) as error:
        raise Unavailable(f"PyAV {av.__version__} cannot write it here: {error}") from error
    return path


def sound(path: Path, codec: str = "aac") -> Path:
    """One second of a tone and no picture."""
    try:
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=16_000, layout="mono")
            _add_tone(container, stream)
    except (av.FFmpegError, av.codec.codec.UnknownCodecError, ValueError) as error:
        raise Unavailable(f"PyAV {av.__version__} cannot write it here: {error}") from error
    return path


def several(path: Path, videos: int, with_sound: bool) -> Path:
    """Video streams of different sizes, behind a sound if there is one."""
    with av.open(str(path), "w") as container:
        tone = container.add_stream("aac", rate=16_000, layout="mono") if with_sound else None
        streams = [container.add_stream("libx264", rate=10) for _ in range(videos)]
        for index, stream in enumerate(streams):
            stream.width, stream.height = 96 + 32 * index, 64
            stream.pix_fmt = "yuv420p"
        if tone is not None:
            _add_tone(container, tone)
        for index in range(COUNT):
            for stream in streams:
                image = pattern(index, (stream.width, stream.height))
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        for stream in streams:
            container.mux(stream.encode(None))
    return path


def _add_tone(container: av.container.OutputContainer, stream: av.AudioStream) -> None:
    for start in range(0, 16_000, 1024):
        tone = np.sin(np.arange(start, start + 1024, dtype=np.float32) / 20)[None]
        frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 16_000, start
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
