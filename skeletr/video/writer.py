"""H.264 in MP4 that every browser plays, with the timestamps it is given."""

from __future__ import annotations

import os
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np

from skeletr.files import atomic_path

_TIME_BASE = Fraction(1, 90_000)
_BT709 = 1


class VideoWriter:
    """Write frames at their own times; use as a context manager.

    The file appears whole when the block ends, and not at all if it fails. Frame rate may
    vary. Odd sizes are padded by one pixel to even ones, as H.264 in browsers needs.

    Args:
        path: where to write. size: (width, height) of the frames in pixels. fps: nominal,
            only a hint for the encoder. quality: x264 rate factor, lower is better.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        size: tuple[int, int],
        fps: float = 30.0,
        quality: int = 23,
    ) -> None:
        if min(size) < 1:
            raise ValueError(f"size is {size}, expected (width, height) of at least 1 pixel")
        self._path = Path(path)
        self._size = size
        self._rate = Fraction(fps).limit_denominator(1001)
        self._quality = quality
        self._stack = ExitStack()
        self._last: int | None = None

    def __enter__(self) -> VideoWriter:
        with ExitStack() as stack:
            partial = stack.enter_context(atomic_path(self._path))
            options = {"movflags": "+faststart"}
            container = av.open(str(partial), "w", format="mp4", options=options)
            self._container = stack.enter_context(container)
            self._stream = self._add_stream()
            stack.push(self._finish)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def _finish(self, kind: type[BaseException] | None, *_: object) -> None:
        # Runs before the container is closed and the file put in place; raising stops both.
        if kind is not None:
            return
        if self._last is None:
            raise ValueError(f"no frame was written to {self._path.name}")
        self._container.mux(self._stream.encode(None))

    def write(self, image: np.ndarray, time: float) -> None:
        """Add a frame.

        Args:
            image: (H, W, 3) uint8 RGB of the size given at the start.
            time: seconds; must be later than the frame before.
        """
        width, height = self._size
        if image.shape != (height, width, 3):
            raise ValueError(f"frame has shape {image.shape}, expected {(height, width, 3)}")
        pts = round(time / _TIME_BASE)
        if self._last is not None and pts <= self._last:
            raise ValueError(f"time {time} s is not after the frame before")
        frame = av.VideoFrame.from_ndarray(_even(image), format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
        frame.pts, frame.time_base = pts, _TIME_BASE
        self._container.mux(self._stream.encode(frame))
        self._last = pts

    def _add_stream(self) -> av.video.stream.VideoStream:
        options = {"preset": "veryfast", "crf": str(self._quality)}
        stream = self._container.add_stream("libx264", rate=self._rate, options=options)
        stream.width, stream.height = (side + side % 2 for side in self._size)
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = _TIME_BASE
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        return stream


def _even(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(image)
