"""What is called a video and is none."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

from tests.broken.encoding import images, sound, video
from tests.broken.kinds import EITHER, REFUSED, kind

_FTYP = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"


def _write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def _noise(count: int) -> bytes:
    return np.random.default_rng(0).bytes(count)


@kind("empty", REFUSED, "empty")
def _empty(folder: Path) -> Path:
    return _write(folder, "empty.mp4", b"")


@kind("one byte", REFUSED, "not a video")
def _one_byte(folder: Path) -> Path:
    return _write(folder, "byte.mp4", b"\x00")


@kind("text named .mp4", REFUSED, "not a video")
def _text(folder: Path) -> Path:
    return _write(folder, "text.mp4", b"Dear all, this is not a video.\n" * 50)


@kind("page named .webm", REFUSED, "not a video")
def _page(folder: Path) -> Path:
    return _write(folder, "page.webm", b"<!doctype html><script>alert(1)</script>")


@kind("random bytes", REFUSED)
def _random(folder: Path) -> Path:
    return _write(folder, "random.mp4", _noise(20_000))


@kind("random bytes with the magic of MP4", REFUSED, "not a video")
def _magic(folder: Path) -> Path:
    return _write(folder, "magic.mp4", _FTYP + _noise(20_000))


@kind("random bytes with the magic of Matroska", REFUSED)
def _matroska_magic(folder: Path) -> Path:
    return _write(folder, "magic.mkv", b"\x1a\x45\xdf\xa3" + _noise(20_000))


@kind("random bytes with the magic of AVI", REFUSED)
def _avi_magic(folder: Path) -> Path:
    return _write(folder, "magic.avi", b"RIFF\xff\xff\xff\xffAVI LIST" + _noise(20_000))


@kind("start codes of MPEG in noise", EITHER)
def _start_codes(folder: Path) -> Path:
    return _write(folder, "codes.mpg", (b"\x00\x00\x01\xb3" + _noise(60)) * 200)


@kind("MP4 whose first box has length zero", REFUSED)
def _zero_box(folder: Path) -> Path:
    return _write(folder, "zero.mp4", _FTYP + b"\x00\x00\x00\x00moov" + bytes(400))


@kind("MP4 with a box of eight exabytes", REFUSED)
def _huge_box(folder: Path) -> Path:
    size = (2**63 - 1).to_bytes(8, "big")
    return _write(folder, "huge.mp4", _FTYP + b"\x00\x00\x00\x01moov" + size + bytes(400))


@kind("MP4 of boxes inside boxes", REFUSED)
def _nested(folder: Path) -> Path:
    data = b""
    for _ in range(3000):
        data = (len(data) + 8).to_bytes(4, "big") + b"moov" + data
    return _write(folder, "nested.mp4", _FTYP + data)


@kind("MP4 without its index", REFUSED, "not a video")
def _no_index(folder: Path) -> Path:
    data = video(folder / "whole.mp4").read_bytes()
    return _write(folder, "no index.mp4", data[: data.rindex(b"moov") - 4])


@kind("archive named .mp4", REFUSED, "not a video")
def _archive(folder: Path) -> Path:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.txt", "a")
    return _write(folder, "archive.mp4", data.getvalue())


@kind("program named .mp4", REFUSED, "not a video")
def _program(folder: Path) -> Path:
    return _write(folder, "program.mp4", b"\x7fELF\x02\x01\x01" + _noise(2000))


@kind("still picture named .mp4", REFUSED)
def _picture(folder: Path) -> Path:
    picture = video(folder / "picture.png", images(1), "png", "rgb24", format="image2pipe")
    return picture.rename(folder / "picture.mp4")


@kind("playlist that names a file", REFUSED, "not a video")
def _playlist(folder: Path) -> Path:
    return _write(folder, "list.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n")


@kind("playlist that names an address", REFUSED, "not a video")
def _address(folder: Path) -> Path:
    return _write(folder, "list.m3u8", b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n")


@kind("list of files to join", REFUSED, "not a video")
def _join(folder: Path) -> Path:
    return _write(folder, "join.mp4", b"ffconcat version 1.0\nfile other.mp4\n")


@kind("folder named .mp4", REFUSED, "cannot be found")
def _folder(folder: Path) -> Path:
    path = folder / "folder.mp4"
    path.mkdir()
    return path


@kind("sound only", REFUSED, "only sound")
def _sound(folder: Path) -> Path:
    return sound(folder / "sound.mp4")


@kind("sound in a wave file named .mp4", REFUSED, "only sound")
def _wave(folder: Path) -> Path:
    return sound(folder / "wave.wav", "pcm_s16le").rename(folder / "wave.mp4")
