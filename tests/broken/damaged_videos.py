"""Videos that were whole once: cut off, overwritten, with headers that lie."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.broken.encoding import images, video
from tests.broken.kinds import EITHER, FRAMES, REFUSED, kind

_FAST = {"muxer": {"movflags": "+faststart"}, "options": {"g": "1"}}
# name: (file, options of `video`); frames come out of what is left of these
_CUT = {
    "Matroska": ("cut.mkv", {}),
    "AVI": ("cut.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}),
    "transport stream": ("cut.ts", {"codec": "mpeg2video", "rate": 25}),
    "WebM": ("cut.webm", {"codec": "libvpx"}),
    "MP4 with the index first": ("fast.mp4", _FAST),
}


def _cut(name: str, options: dict, percent: int) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = video(folder / name, images(40), **options)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * percent // 100])
        return path

    return make


for _percent in (10, 50, 90):
    # The index is at the end: without it nothing can be found.
    kind(f"MP4 cut off at {_percent} %", REFUSED, "not a video")(_cut("cut.mp4", {}, _percent))
for _name, (_file, _options) in _CUT.items():
    kind(f"{_name} cut off at 10 %", EITHER)(_cut(_file, _options, 10))
    kind(f"{_name} cut off at 50 %", FRAMES)(_cut(_file, _options, 50))
    kind(f"{_name} cut off at 90 %", FRAMES)(_cut(_file, _options, 90))


def _patched(folder: Path, name: str, change: Callable[[bytearray], None], **options) -> Path:
    path = video(folder / name, images(40), **options)
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)
    return path


def _after(data: bytearray, box: bytes, skip: int, value: bytes) -> None:
    """Overwrite what lies `skip` bytes behind the name of a box."""
    place = data.index(box) + len(box) + skip
    data[place : place + len(value)] = value


@kind("second half of an MP4", EITHER)
def _tail(folder: Path) -> Path:
    path = video(folder / "tail.mp4", images(40))
    data = path.read_bytes()
    path.write_bytes(data[len(data) // 2 :])
    return path


@kind("pictures overwritten with zeros", EITHER)
def _zeros(folder: Path) -> Path:
    def change(data: bytearray) -> None:
        begin, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
        data[begin:end] = bytes(end - begin)

    return _patched(folder, "zeros.mp4", change)


@kind("pictures overwritten with noise", EITHER)
def _noise(folder: Path) -> Path:
    def change(data: bytearray) -> None:
        begin, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
        data[begin:end] = np.random.default_rng(1).bytes(end - begin)

    return _patched(folder, "noise.mp4", change)


@kind("header that says 65535x65535 pixels", EITHER)
def _giant(folder: Path) -> Path:
    def change(data: bytearray) -> None:
        _after(data, b"avc1", 24, b"\xff\xff\xff\xff")

    return _patched(folder, "giant.mp4", change)


@kind("header that says zero pixels", EITHER)
def _no_pixels(folder: Path) -> Path:
    def change(data: bytearray) -> None:
        _after(data, b"avc1", 24, bytes(4))

    return _patched(folder, "nothing.mp4", change)


@kind("duration of two days in the header", EITHER)
def _century(folder: Path) -> Path:
    def change(data: bytearray) -> None:
        _after(data, b"mdhd", 16, b"\x7f\xff\xff\xff")

    return _patched(folder, "century.mp4", change)


@kind("duration of zero", FRAMES)
def _no_duration(folder: Path) -> Path:
    def change(data: bytearray) -> None:
        for box, skip in ((b"mdhd", 16), (b"mvhd", 16), (b"tkhd", 20)):
            _after(data, box, skip, bytes(4))

    return _patched(folder, "zero.mp4", change)


@kind("four billion frames claimed", EITHER)
def _many(folder: Path) -> Path:
    def change(data: bytearray) -> None:
        _after(data, b"stsz", 8, b"\xff\xff\xff\xff")

    return _patched(folder, "many.mp4", change)


@kind("negative number of frames claimed", EITHER)
def _negative(folder: Path) -> Path:
    def change(data: bytearray) -> None:
        _after(data, b"stts", 8, b"\xff\xff\xff\xf0")

    return _patched(folder, "negative.mp4", change)


@kind("time scale of zero", EITHER)
def _no_scale(folder: Path) -> Path:
    def change(data: bytearray) -> None:
        _after(data, b"mdhd", 12, bytes(4))
        _after(data, b"mvhd", 12, bytes(4))

    return _patched(folder, "scale.mp4", change)


@kind("time scale of four billion", EITHER)
def _fine_scale(folder: Path) -> Path:
    def change(data: bytearray) -> None:
        _after(data, b"mdhd", 12, b"\xff\xff\xff\xff")

    return _patched(folder, "fine.mp4", change)


def _paced(rate: int, scale: int) -> Callable[[Path], Path]:
    """An AVI whose header says `rate` frames in `scale` seconds."""

    def change(data: bytearray) -> None:
        _after(data, b"strh", 24, scale.to_bytes(4, "little") + rate.to_bytes(4, "little"))

    def make(folder: Path) -> Path:
        return _patched(folder, "pace.avi", change, codec="mjpeg", pix_fmt="yuvj420p")

    return make


_MOST = 2**32 - 1
for _name, _rate, _scale in (
    ("four billion frames a second", _MOST, 1),
    ("no frames a second", 0, 1),
    ("frames in no time", 25, 0),
    ("no frames in no time", 0, 0),
):
    kind(f"{_name}, says the header", FRAMES)(_paced(_rate, _scale))
for _name, _scale in (("a frame in an hour", 3600), ("a frame in 136 years", _MOST)):
    kind(f"{_name}, says the header", REFUSED, "too long")(_paced(1, _scale))


@kind("header of Matroska overwritten", EITHER)
def _no_header(folder: Path) -> Path:
    def change(data: bytearray) -> None:
        data[40:400] = bytes(360)

    return _patched(folder, "header.mkv", change)


@kind("zeros behind the end", FRAMES)
def _padded(folder: Path) -> Path:
    def change(data: bytearray) -> None:
        data.extend(bytes(200_000))

    return _patched(folder, "padded.mp4", change)


@kind("noise before the beginning", EITHER)
def _prefixed(folder: Path) -> Path:
    def change(data: bytearray) -> None:
        data[:0] = np.random.default_rng(2).bytes(777)

    return _patched(folder, "late.ts", change, codec="mpeg2video", rate=25)
