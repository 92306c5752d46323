"""What is known about a video, what is allowed, and what one frame is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_POSITIVE = (
    "max_seconds",
    "max_pixels",
    "max_frames",
    "decoder_mb",
    "decoder_seconds",
    "decoder_base",
    "decoder_factor",
    "decoder_most",
)


class VideoError(ValueError):
    """A video that cannot be used: one sentence with the name of the file and the cause."""


@dataclass(frozen=True)
class VideoLimits:
    """What is accepted; anything above is refused before work is wasted.

    max_seconds: length of the video. max_pixels: width x height of a frame; the default admits
    4K in every aspect ratio. max_frames: number of frames. processing_side: longer side in
    pixels to which larger frames are scaled down.

    apart: decode in a process of its own, for files of strangers; where the system has no such
    limits (Windows) it is done in this one. decoder_mb: addresses that process may take, in MB.
    decoder_seconds: how long it may take over one frame, or over the headers. decoder_base,
    decoder_factor: how long one may wait for all frames together is that many seconds, and so many
    for each second of the video, and never more than decoder_most, twice the longest length: few
    videos are dealt with at a time, and the others wait. What was decoded until then is used.
    """

    max_seconds: float = 600.0
    max_pixels: int = 4096 * 2304
    max_frames: int = 36_000
    processing_side: int = 1280
    apart: bool = False
    decoder_mb: int = 2048
    decoder_seconds: float = 20.0
    decoder_base: float = 60.0
    decoder_factor: float = 10.0
    decoder_most: float = 1200.0

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected a number above 0")
        if self.processing_side < 2:
            raise ValueError(f"processing_side is {self.processing_side}, expected 2 or more")

    def decoder_total(self, duration: float) -> float:
        """Seconds that one may wait for all frames of a video of so many seconds."""
        wanted = self.decoder_base + self.decoder_factor * min(duration, self.max_seconds)
        return min(wanted, self.decoder_most)


# One's own files may be long, large and on a slow disk. One that crashes its decoder must not end
# the ten thousand behind it.
OWN_FILES = VideoLimits(
    max_seconds=24 * 3600, max_frames=10**8, apart=True, decoder_mb=16_384, decoder_seconds=600.0
)


@dataclass(frozen=True)
class VideoInfo:
    """Facts of a video as a viewer sees it, upright and with square pixels.

    name: of the file, without its folder. width, height: original size in pixels.
    duration: seconds, 0 if unknown. fps: nominal frames per second; real frames may come at
    any pace. frames: number of frames, an estimate, 0 if unknown. codec: name of the video
    codec. rotation: degrees counter-clockwise that the stored frames are turned to stand upright.
    """

    name: str
    width: int
    height: int
    duration: float
    fps: float
    frames: int
    codec: str
    rotation: int = 0


@dataclass(frozen=True)
class VideoFrame:
    """One frame: image (H, W, 3) uint8 RGB, upright; time in seconds from the first frame."""

    image: np.ndarray
    time: float


def check_size(info: VideoInfo, limits: VideoLimits) -> None:
    """Raise `VideoError` if the pictures of a video are too large."""
    if info.width * info.height > limits.max_pixels:
        raise VideoError(
            f"{info.name} is too large: {info.width}x{info.height} pixels, the limit is "
            f"{limits.max_pixels / 1e6:.1f} megapixels (4K is 8.3). Scale it down and try again."
        )


def check_length(name: str, seconds: float, frames: int, limits: VideoLimits) -> None:
    """Raise `VideoError` if a video of this length is too long."""
    if seconds > limits.max_seconds:
        raise VideoError(
            f"{name} is too long: {clock(seconds)}, the limit is {clock(limits.max_seconds)} "
            "(minutes:seconds). Cut it and try again."
        )
    if frames > limits.max_frames:
        raise VideoError(
            f"{name} is too long: it has {frames} frames or more, the limit is "
            f"{limits.max_frames} frames. Cut it and try again."
        )


def clock(seconds: float) -> str:
    """Seconds as minutes:seconds, for messages."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def span(seconds: float) -> str:
    """Seconds as "1.5 s", or as minutes:seconds from a minute on, for messages."""
    return f"{seconds:.1f} s" if seconds < 60 else clock(seconds)
