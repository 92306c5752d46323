"""Videos that are whole, and out of the ordinary."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from tests.broken.encoding import COUNT, images, several, video
from tests.broken.kinds import EITHER, FRAMES, REFUSED, Unavailable, kind

# name: (file, options of `video`)
_FORMATS: dict[str, tuple[str, dict]] = {
    "GIF": ("a.gif", {"codec": "gif", "pix_fmt": "rgb8"}),
    "Matroska with H.264": ("a.mkv", {}),
    "WebM with VP9": ("a.webm", {"codec": "libvpx-vp9", "options": {"cpu-used": "8"}}),
    "WebM with VP8": ("vp8.webm", {"codec": "libvpx"}),
    "WebM with AV1": ("av1.webm", {"codec": "libsvtav1", "options": {"preset": "12"}}),
    "MP4 with HEVC": ("hevc.mp4", {"codec": "libx265", "options": {"x265-params": "log-level=0"}}),
    "MPEG transport stream": ("a.ts", {"codec": "mpeg2video", "rate": 25}),
    "MPEG program stream": ("a.mpg", {"codec": "mpeg1video", "rate": 25}),
    "AVI with motion JPEG": ("a.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}),
    "Flash video": ("a.flv", {"codec": "flv"}),
    "Windows media": ("a.wmv", {"codec": "wmv2"}),
    "QuickTime with ProRes": ("a.mov", {"codec": "prores_ks", "pix_fmt": "yuv422p10le"}),
    "AVI with Huffyuv": ("huff.avi", {"codec": "huffyuv", "pix_fmt": "yuv422p"}),
    "uncompressed": ("raw.avi", {"codec": "rawvideo", "pix_fmt": "bgr24"}),
    "bare H.264 without times": ("a.h264", {}),
    "bare motion JPEG without times": ("a.mjpeg", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}),
    "fragmented MP4": ("frag.mp4", {"muxer": {"movflags": "frag_keyframe+empty_moov"}}),
    "grey": ("grey.avi", {"codec": "ffv1", "pix_fmt": "gray"}),
    "ten bit": ("ten.mkv", {"codec": "ffv1", "pix_fmt": "yuv420p10le"}),
    "sixteen bit RGB": ("rgb48.mkv", {"codec": "ffv1", "pix_fmt": "gbrp16le"}),
    "alpha in QuickTime": ("alpha.mov", {"codec": "qtrle", "pix_fmt": "argb"}),
    "alpha in FFV1": ("alpha.mkv", {"codec": "ffv1", "pix_fmt": "yuva420p"}),
    "no colour subsampling": ("444.mp4", {"pix_fmt": "yuv444p"}),
    "display turned by 90": ("r90.mp4", {"rotation": 90}),
    "display turned by 180": ("r180.mp4", {"rotation": 180}),
    "display turned by 270": ("r270.mp4", {"rotation": 270}),
    "display turned by 37": ("r37.mp4", {"rotation": 37}),
}
_SIZES = {
    "one pixel": (1, 1),
    "two pixels": (2, 2),
    "odd sides": (161, 121),
    "portrait": (64, 112),
    "a line, 2048x2": (2048, 2),
    "a column, 2x2048": (2, 2048),
}
# Ticks of 1/1000 s for each frame.
_TIMES = {
    "variable rate": [0, 33, 100, 350, 400, 1400, 1433, 1466, 1900, 1901, 2500, 2600],
    "one frame in five seconds": [5000 * i for i in range(COUNT)],
    "a thousand frames a second": list(range(COUNT)),
    "times that begin at an hour": [3_600_000 + 100 * i for i in range(COUNT)],
    "times that begin below zero": [100 * i - 400 for i in range(COUNT)],
    "a gap of five seconds": [100 * i + (5000 if i > 5 else 0) for i in range(COUNT)],
}
_NAMES = {
    "name in other scripts": "ヴィデオ 🕺 пляж.mp4",
    "name with script": "<img src=x onerror=alert(1)>.mp4",
    "name with a new line": "first\nsecond.mp4",
    "name like an option": "-i.mp4",
    "name like a pattern of pictures": "frame%03d.mp4",
    "name like a protocol": "concat:a.mp4|b.mp4",
    "name with quotes": "a'b\"c`$(id).mp4",
    "name as long as allowed": "n" * 250 + ".mp4",
    "name of dots": "...mp4",
}


def _named(name: str, options: dict) -> Callable[[Path], Path]:
    return lambda folder: video(folder / name, **options)


def _sized(size: tuple[int, int]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        return video(folder / "size.mkv", images(3, size), "ffv1", "yuv444p")

    return make


def _timed(times: list[int]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        return video(folder / "times.mkv", times=times, time_base=Fraction(1, 1000))

    return make


def _called(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        try:
            return video(folder / "plain.mp4").rename(folder / name)
        except OSError as error:
            raise Unavailable(f"this file system has no such name: {error.strerror}") from error

    return make


for _name, (_file, _options) in _FORMATS.items():
    kind(_name, FRAMES)(_named(_file, _options))
for _name, _size in _SIZES.items():
    kind(_name, FRAMES)(_sized(_size))
for _name, _ticks in _TIMES.items():
    kind(_name, FRAMES)(_timed(_ticks))
for _name, _file in _NAMES.items():
    kind(_name, FRAMES)(_called(_file))


@kind("one frame", FRAMES)
def _one_frame(folder: Path) -> Path:
    return video(folder / "one.mp4", images(1))


@kind("two video streams", FRAMES)
def _two_streams(folder: Path) -> Path:
    return several(folder / "two.mp4", 2, with_sound=False)


@kind("sound before the picture", FRAMES)
def _sound_first(folder: Path) -> Path:
    return several(folder / "both.mp4", 1, with_sound=True)


@kind("4K", FRAMES)
def _4k(folder: Path) -> Path:
    return video(folder / "4k.mp4", images(2, (3840, 2160)), options={"preset": "ultrafast"})


@kind("8K", REFUSED, "too large: 7680x4320")
def _8k(folder: Path) -> Path:
    return video(folder / "8k.mp4", images(1, (7680, 4320)), "mjpeg", "yuvj420p")


@kind("longer than allowed", REFUSED, "too long")
def _long(folder: Path) -> Path:
    times = [200_000 * i for i in range(COUNT)]
    return video(folder / "long.mkv", times=times, time_base=Fraction(1, 1000))


@kind("a year between two frames", REFUSED, "too long")
def _year(folder: Path) -> Path:
    times = [0, *(31_536_000_000 + i for i in range(COUNT - 1))]
    return video(folder / "year.mkv", times=times, time_base=Fraction(1, 1000))


@kind("size that changes in mid-stream", EITHER)
def _changing(folder: Path) -> Path:
    parts = [video(folder / f"{w}.h264", images(6, (w, 64))) for w in (96, 192, 48)]
    path = folder / "changing.h264"
    path.write_bytes(b"".join(p.read_bytes() for p in parts))
    return path


@kind("frames that grow beyond the limit", EITHER)
def _growing(folder: Path) -> Path:
    small = video(folder / "small.h264", images(6))
    large = video(folder / "large.h264", images(2, (5120, 2880)), options={"preset": "ultrafast"})
    path = folder / "growing.h264"
    path.write_bytes(small.read_bytes() + large.read_bytes())
    return path


@kind("two clips joined byte by byte", EITHER)
def _joined(folder: Path) -> Path:
    clip = video(folder / "clip.ts", codec="mpeg2video", rate=25).read_bytes()
    path = folder / "joined.ts"
    path.write_bytes(clip * 3)
    return path
