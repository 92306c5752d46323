"""A camera for Chromium that plays a video and numbers its frames, to be read off the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np

from skeletr.video import VideoFrame

FPS = 30
SIZE = (640, 480)
BITS = 12  # of a frame's number, then one that makes their sum even
BLOCK = 12  # side in pixels of the square that shows a bit
MOST = 2**BITS  # frames that can be told apart


def write_camera(frames: Iterable[VideoFrame], path: Path) -> int:
    """Write what `--use-file-for-fake-video-capture` plays, over and over, at 30 frames/s.

    Returns:
        The number of frames.
    """
    written = 0
    with av.open(str(path), "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=FPS, options={"qscale": "3"})
        stream.pix_fmt = "yuvj420p"
        stream.width, stream.height = SIZE
        for number, image in enumerate(steady(frames)):
            if number == MOST:
                break
            frame = av.VideoFrame.from_ndarray(numbered(image, number), format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuvj420p")))
            written = number + 1
        container.mux(stream.encode(None))
    return written


def steady(frames: Iterable[VideoFrame]) -> Iterator[np.ndarray]:
    """The picture that is on screen at every thirtieth of a second, filling 640x480."""
    shown, count = None, 0
    for frame in frames:
        while shown is not None and count / FPS < frame.time - 1e-6:
            yield shown
            count += 1
        shown = _filled(frame.image)
    if shown is not None:
        yield shown


def _filled(image: np.ndarray) -> np.ndarray:
    """The middle of a picture, 640x480, as a camera would take it."""
    height, width = image.shape[:2]
    scale = max(SIZE[0] / width, SIZE[1] / height)
    size = max(round(width * scale), SIZE[0]), max(round(height * scale), SIZE[1])
    large = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    left, top = (size[0] - SIZE[0]) // 2, (size[1] - SIZE[1]) // 2
    return np.ascontiguousarray(large[top : top + SIZE[1], left : left + SIZE[0]])


def numbered(image: np.ndarray, number: int) -> np.ndarray:
    """The picture with its number in black and white squares in the upper right corner."""
    bits = [number >> i & 1 for i in range(BITS)]
    bits.append(sum(bits) % 2)
    out = image.copy()
    for place, bit in enumerate(bits, start=1):
        right = SIZE[0] - (place - 1) * BLOCK
        out[:BLOCK, right - BLOCK : right] = 255 * bit
    return out
