"""A process of its own gives the frames that this one would, and dies alone."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from skeletr.video import VideoError, VideoFrame, VideoLimits, VideoReader, probe
from skeletr.video import process as process_module
from skeletr.video.process import AVAILABLE
from tests.broken import damaged_videos, no_videos, odd_videos  # noqa: F401 - they fill KINDS
from tests.broken.kinds import KINDS, Unavailable
from tests.conftest import pattern, write_video

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="this system has no limits on processes")

HERE = VideoLimits()
APART = replace(HERE, apart=True)
SAME = (
    "display turned by 90",
    "display turned by 180",
    "display turned by 37",
    "odd sides",
    "one pixel",
    "variable rate",
    "times that begin below zero",
    "alpha in QuickTime",
    "ten bit",
    "grey",
    "GIF",
    "AVI cut off at 50 %",
    "pictures overwritten with noise",
    "name in other scripts",
    "name with a new line",
    "empty",
)
ROOT = Path(__file__).parents[1]


def children() -> list[psutil.Process]:
    """Decoding processes that this one has started and not yet buried."""
    return [p for p in psutil.Process().children() if process_module._MODULE in _command(p)]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.ZombieProcess:
        return [process_module._MODULE]  # whatever it was, it should have been buried
    except psutil.NoSuchProcess:
        return []


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    before = _open_files()
    yield
    gc.collect()
    assert not children()
    assert not _open_files() - before


def _open_files() -> set[str]:
    """What is open and of the kind that a decoding process needs; empty where nobody can say."""
    folder = Path("/proc/self/fd")
    links = {_link(entry) for entry in folder.iterdir()} if folder.is_dir() else set()
    return {link for link in links if link.startswith(("socket:", "/memfd:"))}


def _link(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:  # of the listing itself
        return ""


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty frames, many more than lie ready at once."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    return write_video(path, (pattern(i) for i in range(60)), g="5")


def read(path: Path, limits: VideoLimits) -> tuple[object, ...]:
    """Everything that a reader says, and its frames."""
    try:
        reader = VideoReader(path, limits, "the film.mp4")
        frames = list(reader)
    except VideoError as error:
        return str(error), []
    return reader.info, reader.size, reader.warnings, frames


def check_equal(found: list[VideoFrame], expected: list[VideoFrame]) -> None:
    assert [f.time for f in found] == [f.time for f in expected]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("name", [n for n in SAME if n in KINDS])
def test_it_gives_what_this_process_would(name: str, tmp_path: Path) -> None:
    try:
        path = KINDS[name].make(tmp_path)
    except Unavailable as reason:
        pytest.skip(str(reason))
    *told, expected = read(path, HERE)
    *told_apart, found = read(path, APART)
    assert told_apart == told
    check_equal(found, expected)


def test_all_of_these_kinds_are_known() -> None:
    assert set(SAME) <= set(KINDS)


def test_colours_and_scaling_are_the_same(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", (pattern(i, (640, 360)) for i in range(7)))
    small = replace(HERE, processing_side=200)
    check_equal(list(VideoReader(path, replace(small, apart=True))), list(VideoReader(path, small)))


def test_frames_are_the_callers_own_and_the_reader_may_be_used_again(long_video: Path) -> None:
    reader = VideoReader(long_video, APART)
    first = list(reader)
    for frame in first:
        frame.image[:] = 0
    check_equal(list(reader), list(VideoReader(long_video, HERE)))


@pytest.mark.parametrize(
    "limits", [replace(APART, max_frames=10), replace(APART, max_seconds=1.5)], ids=str
)
def test_limits_hold(long_video: Path, limits: VideoLimits) -> None:
    with pytest.raises(VideoError, match="too long"):
        VideoReader(long_video, limits)


def test_the_process_ends_when_the_frames_are_not_wanted_any_more(long_video: Path) -> None:
    frames = iter(VideoReader(long_video, APART))
    next(frames)
    assert len(children()) == 1
    frames.close()
    assert not children()


def test_a_reader_that_is_not_used_leaves_no_process(long_video: Path) -> None:
    reader = VideoReader(long_video, APART)
    assert len(children()) == 1
    del reader
    gc.collect()
    assert not children()


def test_a_probe_gives_the_facts_and_leaves_no_process(long_video: Path) -> None:
    assert probe(long_video, APART, "a film") == VideoReader(long_video, HERE, "a film").info
    assert not children()
    with pytest.raises(VideoError, match=r"^long\.mp4 is too large"):
        probe(long_video, replace(APART, max_pixels=100))


def test_a_reader_that_was_closed_may_be_used_again(long_video: Path) -> None:
    reader = VideoReader(long_video, APART)
    reader.close()
    assert not children()
    assert len(list(reader)) == 60
    reader.close()


def test_it_waits_where_nobody_takes_the_frames(long_video: Path) -> None:
    frames = iter(VideoReader(long_video, APART))
    next(frames)
    child = children()[0]
    before = -1.0
    while (now := sum(child.cpu_times()[:2])) != before:  # until it has filled the ring
        before = now
        psutil.wait_procs([child], timeout=0.5)
    assert len(list(frames)) == 59


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS])
def test_what_came_before_a_crash_is_kept_and_said(long_video: Path, number: int) -> None:
    reader = VideoReader(long_video, APART, "the film.mp4")
    found = []
    for frame in reader:
        found.append(frame)
        if len(found) == 12:
            os.kill(children()[0].pid, number)
    assert 12 <= len(found) < 60
    check_equal(found, list(VideoReader(long_video, HERE))[: len(found)])
    assert reader.warnings == [
        f"the film.mp4 could be decoded only as far as {found[-1].time:.1f} s, which was used: "
        "its decoder crashed."
    ]
    assert len(list(reader)) == 60 and not reader.warnings  # it was the process, not the file


def test_a_decoder_that_hangs_is_ended(long_video: Path) -> None:
    reader = VideoReader(long_video, replace(APART, decoder_seconds=1.0))
    found = []
    for frame in reader:
        found.append(frame)
        if len(found) == 5:
            os.kill(children()[0].pid, signal.SIGSTOP)
    assert 5 <= len(found) < 60
    assert "more than 1 s over one picture" in reader.warnings[0]


def test_a_process_that_does_not_start_in_time_is_one_sentence(
    long_video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "_START", 0.0001)  # nothing starts so fast
    with pytest.raises(
        VideoError, match=r"^long\.mp4 cannot be decoded: its decoder did not start"
    ):
        VideoReader(long_video, APART)


def test_a_process_that_cannot_be_started_is_one_sentence(
    long_video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(long_video.parent / "no-such-python"))
    with pytest.raises(VideoError, match=r"^long\.mp4 cannot be decoded: .* be started \(No such"):
        VideoReader(long_video, APART)


def test_a_file_that_needs_too_much_memory_is_one_sentence(tmp_path: Path) -> None:
    frames = (np.zeros((2000, 4000, 3), np.uint8) for _ in range(4))
    path = write_video(tmp_path / "large.mkv", frames, codec="ffv1", pix_fmt="yuv444p")
    limits = replace(APART, decoder_mb=_needed() + 20, processing_side=4000)
    with pytest.raises(VideoError, match=r"large\.mkv") as error:
        list(VideoReader(path, limits))
    assert "memory" in str(error.value) or "no frame that can be decoded" in str(error.value)
    assert len(list(VideoReader(path, APART))) == 4


def _needed() -> int:
    """MB of addresses that the decoding process takes before it opens a file."""
    code = "import psutil, skeletr.video.child;print(psutil.Process().memory_info().vms // 2**20)"
    return int(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT))


@pytest.mark.skipif(sys.platform != "linux", reason="the limits of a process are read in /proc")
def test_the_process_is_small_and_bounded(long_video: Path) -> None:
    frames = iter(VideoReader(long_video, replace(APART, decoder_mb=1500)))
    next(frames)
    child = children()[0]
    limits = dict(_limits(child.pid))
    assert limits["Max address space"] == str(1500 * 2**20)
    assert limits["Max file size"] == limits["Max core file size"] == "0"
    assert int(limits["Max open files"]) < 100
    assert 0 < int(limits["Max cpu time"]) < 10_000
    maps = Path(f"/proc/{child.pid}/maps").read_text()
    assert "torch" not in maps and "mediapipe" not in maps
    frames.close()


def _limits(pid: int) -> Iterator[tuple[str, str]]:
    for line in Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]:
        yield line[:26].strip(), line[26:].split()[0]


def test_it_knows_no_secrets(long_video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "secret")
    frames = iter(VideoReader(long_video, APART))
    next(frames)
    assert "SOME_TOKEN" not in children()[0].environ()
    frames.close()


# A process that was taken over says whatever it likes.

FACTS = """
info = dict(name="x", width=16, height=16, duration=1.0, fps=10.0, frames=10, codec="h264")
"""
HOSTILE = {
    "no JSON": "say('hello')",
    "a list": "say([1])",
    "nothing": "pass",
    "deep nesting": "line('[' * 60_000)",
    "an endless line": "line('x' * 10**6)",
    "a huge frame": "say(dict(info=info, size=[10**6, 10**6]))",
    "a frame without size": "say(dict(info=info, size=[0, 0]))",
    "facts that are none": "say(dict(info=dict(width='a'), size=[16, 16]))",
    "a length that is no number": "say(dict(info={**info, 'duration': 1e999}, size=[16, 16]))",
}
LATER = {
    "time that stands still": "say(dict(time=0.0)); say(dict(time=0.0))",
    "time that is no number": "say(dict(time='a'))",
    "time without end": "line('{\"time\": Infinity}')",
    "warnings that are none": "say(dict(warnings=7))",
    "the end, too early": "pass",
}


@pytest.fixture
def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let other code answer in place of the decoding process."""

    def write(code: str) -> None:
        text = (
            "import json, socket, sys, time\n"
            "connection = socket.socket(fileno=int(sys.argv[1]))\n"
            "lines = connection.makefile('rb')\n"
            "line = lambda text: connection.sendall(text.encode() + b'\\n')\n"
            "say = lambda message: line(json.dumps(message))\n"
            f"say(dict(ready=True))\nlines.readline()\n{FACTS}\n{code}\n"
        )
        (tmp_path / "pretender.py").write_text(text)
        monkeypatch.setattr(process_module, "_MODULE", "pretender")
        monkeypatch.setattr(process_module.skeletr, "__file__", str(tmp_path / "x" / "y"))

    return write


@pytest.mark.parametrize("name", HOSTILE)
def test_no_claim_is_trusted(name: str, pretend: Callable, long_video: Path) -> None:
    pretend(HOSTILE[name])
    with pytest.raises(VideoError, match=r"^long\.mp4 cannot be decoded: its decoder "):
        VideoReader(long_video, APART)


@pytest.mark.parametrize("name", LATER)
def test_no_later_claim_is_trusted(name: str, pretend: Callable, long_video: Path) -> None:
    pretend(f"say(dict(info=info, size=[16, 16])); lines.readline(); {LATER[name]}")
    reader = VideoReader(long_video, APART)
    try:
        frames = list(reader)
    except VideoError as error:
        assert "cannot be decoded: its decoder" in str(error)
    else:
        assert len(frames) == 1 and "only as far as 0.0 s" in reader.warnings[0]


@pytest.mark.parametrize(
    "code",
    ["time.sleep(60)", "for _ in range(100): connection.sendall(b'{'); time.sleep(0.2)"],
    ids=["silence", "a letter at a time"],
)
def test_headers_have_the_time_of_one_picture(
    code: str, pretend: Callable, long_video: Path
) -> None:
    pretend(code)
    begin = time.monotonic()
    with pytest.raises(VideoError, match="took more than 1 s over its beginning"):
        VideoReader(long_video, replace(APART, decoder_seconds=1.0))
    assert time.monotonic() - begin < process_module._START


def test_all_pictures_together_have_a_limit_too(pretend: Callable, long_video: Path) -> None:
    pretend(
        "say(dict(info=info, size=[16, 16]))\n"
        "for i in range(600): time.sleep(0.1); say(dict(time=i / 1000))"
    )
    limits = replace(APART, decoder_base=1.5, decoder_factor=0.5)  # of a second that it says
    reader = VideoReader(long_video, limits)
    frames = list(reader)
    assert 0 < len(frames) < 25
    assert reader.warnings == [
        "long.mp4 could be decoded only as far as 0.0 s, which was used: its decoder took more "
        "than 2 s in all."
    ]


def test_only_waiting_for_the_decoder_counts(long_video: Path) -> None:
    reader = VideoReader(long_video, replace(APART, decoder_base=4.0, decoder_factor=0.1))
    for number, _ in enumerate(reader):
        if number % 20 == 0:
            time.sleep(2.0)  # whoever takes the pictures is slow
    assert number == 59 and not reader.warnings


def test_a_longer_video_than_its_headers_say_has_the_time_of_its_frames() -> None:
    limits = VideoLimits(decoder_base=60, decoder_factor=10, max_seconds=600)
    assert limits.decoder_total(0) == 60 and limits.decoder_total(30) == 360
    assert limits.decoder_total(1e9) == limits.decoder_most == 1200  # whatever a file says


def test_no_video_keeps_the_others_waiting_for_ever(pretend: Callable, long_video: Path) -> None:
    pretend(
        "say(dict(info=info, size=[16, 16]))\n"
        "for i in range(600): time.sleep(0.1); say(dict(time=float(i)))"
    )
    reader = VideoReader(long_video, replace(APART, decoder_most=1.5))
    frames = list(reader)
    assert 0 < len(frames) < 25
    assert reader.warnings == [
        f"long.mp4 could be decoded only as far as {frames[-1].time:.1f} s, which was used: its "
        "decoder took more than 2 s in all."
    ]
