"""Reading a video: here, or in a process of its own where the file is a stranger's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from skeletr.video.decoder import Decoder
from skeletr.video.info import VideoFrame, VideoInfo, VideoLimits
from skeletr.video.process import AVAILABLE, DecodingProcess


class VideoReader:
    """Frames of a video file, one at a time; may be iterated more than once.

    Args:
        path: the file. limits: what is accepted, and where it is decoded. name: what to call the
            file in messages, its own name if not given.

    Attributes:
        info: facts of the video. size: (width, height) in pixels of the frames that come out,
            at most `limits.processing_side` long. warnings: what went wrong in the last
            iteration without stopping it, one sentence each.

    Raises:
        VideoError: the file is no video, cannot be decoded at all, or breaks a limit. Raised
            when made; while iterating only if the headers lied about the length, or if a
            process of its own gives no frame.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        limits: VideoLimits | None = None,
        name: str | None = None,
    ) -> None:
        limits, path = limits or VideoLimits(), Path(path)
        decoder = DecodingProcess if limits.apart and AVAILABLE else Decoder
        self._decoder = decoder(path, limits, name or path.name)
        self.info = self._decoder.info
        self.size = self._decoder.size

    @property
    def warnings(self) -> list[str]:
        """Sentences about damaged or missing parts, of the last iteration."""
        return self._decoder.warnings

    def __iter__(self) -> Iterator[VideoFrame]:
        return iter(self._decoder)

    def close(self) -> None:
        """End the process that waits to hand frames over, if there is one."""
        self._decoder.close()


def probe(
    path: str | os.PathLike[str], limits: VideoLimits | None = None, name: str | None = None
) -> VideoInfo:
    """Facts of a video from its headers and its first frame; no frame is handed over.

    Arguments and errors are those of `VideoReader`.
    """
    reader = VideoReader(path, limits, name)
    reader.close()
    return reader.info
