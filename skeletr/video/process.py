"""Decoding in a process of its own, with limits on memory and time.

A file that crashes the decoder, makes it hang or makes it ask for all memory then ends that process
and not this one, and what was decoded until then is kept. The two talk in lines of JSON over a
socket; nothing that arrives is executed, and no claim in it is trusted. Frames go through a
ring of shared memory: when it is full, the other process waits.
"""

from __future__ import annotations

import json
import logging
import math
import os
import signal
import socket
import subprocess
import sys
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path

import skeletr
from skeletr.video.answers import Answers
from skeletr.video.info import VideoError, VideoFrame, VideoInfo, VideoLimits, span

AVAILABLE = os.name == "posix"  # descriptors are inherited, and there are limits to set
if AVAILABLE:
    from skeletr.video.ring import Ring, give_size, make_memory

_LOG = logging.getLogger(__name__)
_MODULE = "skeletr.video.child"
_START = 60.0  # seconds that a process may take to begin, on a busy machine
_SENTENCE = 600  # characters of a sentence that is passed on
_WARNINGS = 20
_NONSENSE = "its decoder answered nonsense"
# The decoder needs none of this program's secrets. One arena and one thread of numpy's, so that
# the limit on addresses is one on memory.
_KEPT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR")
_SET = {"MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class Stopped(Exception):
    """The decoding process cannot go on; the message says why, as the end of a sentence."""


class DecodingProcess:
    """The frames of `Decoder`, from another process.

    Attributes and errors are those of `Decoder`. Where the process is stopped in the midst of a
    file, the frames until then come out and `warnings` says so.
    """

    def __init__(self, path: Path, limits: VideoLimits, name: str) -> None:
        self._request = (path, limits, name)
        self.warnings: list[str] = []
        self._waiting: _Child | None = self._begin()
        self.info, self.size = self._waiting.info, self._waiting.size

    def __iter__(self) -> Iterator[VideoFrame]:
        child, self._waiting = self._waiting or self._begin(), None
        self.warnings = []
        last: float | None = None
        try:
            for frame in child.frames(self.warnings):
                last = frame.time
                yield frame
        except Stopped as reason:
            _LOG.warning("a decoding process was stopped: %s", str(reason))
            self.warnings.append(self._kept(last, reason))
        finally:
            child.close()

    def close(self) -> None:
        """End the process that waits for the first iteration; another one begins the next."""
        child, self._waiting = self._waiting, None
        if child is not None:
            child.close()

    def _begin(self) -> _Child:
        try:
            return _Child(*self._request)
        except Stopped as reason:
            _LOG.warning("a decoding process was stopped: %s", str(reason))
            raise VideoError(f"{self._request[2]} cannot be decoded: {reason}.") from reason

    def _kept(self, last: float | None, reason: Stopped) -> str:
        name = self._request[2]
        if last is None:
            raise VideoError(f"{name} cannot be decoded: {reason}.") from reason
        return f"{name} could be decoded only as far as {span(last)}, which was used: {reason}."


class _Child:
    """One decoding process; it has read the headers when this is made."""

    def __init__(self, path: Path, limits: VideoLimits, name: str) -> None:
        self._limits = limits
        held = ExitStack()
        self._free = weakref.finalize(self, held.close)
        try:
            self._hold(held, {"path": str(path.absolute()), "name": name})
        except OSError as error:
            self.close()
            raise Stopped(f"its decoder could not be started ({error.strerror})") from error
        except BaseException:
            self.close()
            raise

    def _hold(self, held: ExitStack, request: dict) -> None:
        """Start, ask for the facts and make room for the frames; what is taken goes into `held`."""
        self._socket, theirs = socket.socketpair()
        held.callback(self._socket.close)
        self._answers = Answers(self._socket)
        with theirs:
            memory = make_memory()
            held.callback(os.close, memory)
            self._process = _start(theirs.fileno(), memory)
        held.callback(_end, self._process)
        self._receive(_START, f"its decoder did not start within {_START:g} s")
        self._send(json.dumps(request | {"limits": asdict(self._limits)}))
        self.info, self.size = self._facts(self._within_limit("its beginning"), request["name"])
        give_size(memory, self.size)
        self._ring = Ring(memory, self.size)
        held.callback(self._ring.close)

    def frames(self, warnings: list[str]) -> Iterator[VideoFrame]:
        """Every frame; what was found on the way is added to `warnings` at the end.

        Raises `Stopped` and `VideoError`.
        """
        self._send("go")
        number, last, before = 0, -1.0, self._answers.waited
        while "warnings" not in (message := self._next(last, before)):
            last = self._time(message, last)
            image = self._ring.take(number)
            number += 1
            self._send("freed")
            yield VideoFrame(image, last)
        found = message["warnings"]
        if not isinstance(found, list):
            raise Stopped(_NONSENSE)
        warnings += [str(text)[:_SENTENCE] for text in found[:_WARNINGS]]

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._free()

    def _send(self, line: str) -> None:
        with suppress(OSError):  # it has ended or hangs, which is noticed when it should answer
            self._socket.sendall(f"{line}\n".encode())

    def _next(self, last: float, before: float) -> dict:
        """The message about the frame after that at `last` seconds; before: what was waited then.

        The headers may say less than there is, so the time grows with what has come.
        """
        total = self._limits.decoder_total(max(self.info.duration, last))
        left = total - (self._answers.waited - before)
        if left < self._limits.decoder_seconds:
            return self._receive(left, f"its decoder took more than {total:.0f} s in all")
        return self._within_limit("one picture")

    def _within_limit(self, what: str) -> dict:
        return self._receive(self._limits.decoder_seconds, _too_slow(self._limits, what))

    def _receive(self, patience: float, late: str) -> dict:
        """The next message. Raises `Stopped`, and `VideoError` if that is what it says.

        late: why it is stopped where nothing comes within `patience` seconds.
        """
        try:
            line = self._answers.next(patience)
        except TimeoutError:
            raise Stopped(late) from None
        except OSError:
            line = b""
        if not line:
            raise Stopped(self._cause())
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            raise Stopped(_NONSENSE) from None
        if not isinstance(message, dict):
            raise Stopped(_NONSENSE)
        if "error" in message:
            raise VideoError(str(message["error"])[:_SENTENCE])
        if "memory" in message:
            raise Stopped(_too_large(self._limits))
        return message

    def _cause(self) -> str:
        """Why the process ended by itself."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        code = self._process.poll()
        if code == -signal.SIGXCPU:
            return _too_slow(self._limits, "one picture")
        if code == -signal.SIGKILL:  # the system is short of memory
            return _too_large(self._limits)
        return "its decoder crashed"

    def _facts(self, message: dict, name: str) -> tuple[VideoInfo, tuple[int, int]]:
        """Checked, as everything is that another process made of a stranger's file."""
        try:
            info = VideoInfo(**{**message["info"], "name": name})
            width, height = (int(side) for side in message["size"])
        except (KeyError, TypeError, ValueError):
            raise Stopped(_NONSENSE) from None
        longest = self._limits.processing_side
        numbers = (info.width, info.height, info.duration, info.fps, info.frames, info.rotation)
        if not (0 < width <= longest and 0 < height <= longest and all(map(_is_number, numbers))):
            raise Stopped(_NONSENSE)
        return info, (width, height)

    def _time(self, message: dict, before: float) -> float:
        time = message.get("time")
        if not (_is_number(time) and before < time):
            raise Stopped(_NONSENSE)
        return float(time)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _too_slow(limits: VideoLimits, what: str) -> str:
    return f"its decoder took more than {limits.decoder_seconds:g} s over {what}"


def _too_large(limits: VideoLimits) -> str:
    return f"its decoder needs more than the {limits.decoder_mb} MB of memory it may have"


def _start(connection: int, memory: int) -> subprocess.Popen:
    """The process, which inherits these two descriptors and nothing else."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    root = str(Path(skeletr.__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, "-P", "-m", _MODULE, str(connection), str(memory)],
        env=kept | _SET | {"PYTHONPATH": root},
        pass_fds=(connection, memory),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
