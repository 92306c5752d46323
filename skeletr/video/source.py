"""Opening untrusted video files with PyAV and finding out what they are."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import Type as SideDataType
from av.video.stream import VideoStream

from skeletr.video.info import VideoError, VideoInfo

# A playlist or an image pattern can make the library open other files or addresses, so only
# real containers are admitted, and only this file.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,flv,asf,ogg,gif,"
    "mjpeg,h264,hevc,ivf,nut,dv,mxf,rm,wav,mp3,aac,flac,amr"
)
_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}
_PLAUSIBLE_FPS = (0.5, 240.0)
_DEFAULT_FPS = 25.0


def open_video(path: Path, name: str, max_pixels: int) -> tuple[InputContainer, VideoStream]:
    """Open a file and its first real video stream; the caller closes the container.

    Args:
        max_pixels: the decoder refuses larger frames, which may come after smaller ones.

    Raises:
        VideoError: no such file, empty, not a video, or no video stream in it.
    """
    if not path.is_file():
        raise VideoError(f"{name} cannot be found.")
    if path.stat().st_size == 0:
        raise VideoError(f"{name} is empty (0 bytes).")
    try:
        container = av.open(str(path.resolve()), options=_OPTIONS)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(
            f"{name} is not a video that can be read, or its beginning or end is missing."
        ) from error
    try:
        stream = _video_stream(container, name)
        stream.codec_context.options = {"max_pixels": str(max_pixels)}
        return container, stream
    except BaseException:
        container.close()
        raise


def _video_stream(container: InputContainer, name: str) -> VideoStream:
    # The cover picture of a music file is a video stream too, but no video.
    streams = [s for s in container.streams.video if not _is_cover(s)]
    if not streams:
        sound = "only sound" if container.streams.audio else "no pictures"
        raise VideoError(f"{name} holds {sound}, no video stream.")
    stream = streams[0]
    if stream.codec_context is None:
        raise VideoError(f"{name} uses a video codec that this program cannot decode.")
    stream.thread_type = "AUTO"
    return stream


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def describe(container: InputContainer, stream: VideoStream, name: str) -> VideoInfo:
    """Facts from the headers; sizes as stored, without rotation (see `upright`)."""
    context = stream.codec_context
    seconds = _duration(container, stream)
    fps = _nominal_fps(stream)
    return VideoInfo(
        name=name,
        width=max(1, round(context.width * _pixel_aspect(stream))),
        height=context.height,
        duration=seconds,
        fps=fps,
        frames=stream.frames or round(seconds * fps),
        codec=context.name,
    )


def _duration(container: InputContainer, stream: VideoStream) -> float:
    if stream.duration and stream.time_base:
        return max(0.0, float(stream.duration * stream.time_base))
    if not container.duration:
        return 0.0
    # Matroska says when it ends, and a clip cut out of a long recording may begin late.
    begin = container.start_time or 0 if "matroska" in container.format.name else 0
    return max(0.0, (container.duration - max(0, begin)) / av.time_base)


def _nominal_fps(stream: VideoStream) -> float:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and _PLAUSIBLE_FPS[0] <= float(rate) <= _PLAUSIBLE_FPS[1]:
            return float(rate)
    return _DEFAULT_FPS


def _pixel_aspect(stream: VideoStream) -> float:
    ratio = stream.sample_aspect_ratio
    return float(ratio) if ratio and 0.1 <= float(ratio) <= 10 else 1.0


def display_matrix(frame: av.VideoFrame) -> np.ndarray:
    """The (2, 2) linear part of a frame's display matrix, rounded to quarter turns and flips.

    [[a, b], [c, d]]: a stored pixel (x, y) is shown at (a x + c y, b x + d y).
    """
    for data in frame.side_data:
        if data.type == SideDataType.DISPLAYMATRIX:
            a, b, _, c, d = np.frombuffer(bytes(data), dtype=np.int32)[:5].astype(float)
            quarter = abs(b) > abs(a)
            return np.sign([[0, b], [c, 0]] if quarter else [[a, 0], [0, d]]).astype(int)
    return np.eye(2, dtype=int)


def swaps_sides(matrix: np.ndarray) -> bool:
    """Whether showing a frame by this display matrix swaps its width and height."""
    return bool(matrix[0, 1])


def upright(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Apply a display matrix to an image (H, W, 3); returns a contiguous array."""
    if swaps_sides(matrix):
        image = image.transpose(1, 0, 2)
    x_sign, y_sign = matrix.sum(axis=0)
    image = image[::-1] if y_sign < 0 else image
    image = image[:, ::-1] if x_sign < 0 else image
    return np.ascontiguousarray(image)
