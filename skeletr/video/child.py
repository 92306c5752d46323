"""The other end of `DecodingProcess`: decodes one file and hands its frames over.

python -m skeletr.video.child SOCKET MEMORY (two inherited descriptors)
"""

from __future__ import annotations

import json
import math
import resource
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from skeletr.cores import usable_cores
from skeletr.video.decoder import Decoder
from skeletr.video.info import VideoError, VideoLimits
from skeletr.video.ring import SLOTS, Ring

_FILES = 64  # descriptors


class Other:
    """The other end; `EOFError` where it has closed the socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("rb")

    def hear(self) -> bytes:
        """Its next line."""
        line = self._lines.readline()
        if not line:
            raise EOFError
        return line

    def tell(self, **message: object) -> None:
        """Send it a message."""
        self._connection.sendall(json.dumps(message).encode() + b"\n")


def main(arguments: list[str]) -> None:
    """Answer one request; the other end closes the socket when it has enough."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the other end decides
    connection, memory = socket.socket(fileno=int(arguments[0])), int(arguments[1])
    with connection, suppress(EOFError, OSError):
        other = Other(connection)
        other.tell(ready=True)  # from here on the other end counts the time
        request = json.loads(other.hear())
        limits = VideoLimits(**request["limits"])
        limit(limits)
        try:
            decoder = Decoder(Path(request["path"]), limits, request["name"])
            other.tell(info=asdict(decoder.info), size=decoder.size)
            other.hear()  # the memory has its size now
            _hand_over(decoder, other, Ring(memory, decoder.size, write=True), limits)
        except VideoError as error:
            other.tell(error=str(error))
        except MemoryError:
            other.tell(memory=True)


def _hand_over(decoder: Decoder, other: Other, ring: Ring, limits: VideoLimits) -> None:
    """Send every frame as soon as there is room for it, then what was found on the way."""
    room = SLOTS
    for number, frame in enumerate(decoder):
        if not room:
            other.hear()
            room += 1
        ring.put(number, frame.image)
        room -= 1
        other.tell(time=frame.time)
        allow_seconds(limits)
    other.tell(warnings=decoder.warnings)


def limit(limits: VideoLimits) -> None:
    """Little memory and time, few files, and none that is written."""
    for kind, most in (
        (resource.RLIMIT_AS, limits.decoder_mb * 2**20),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # macOS knows no limit on addresses
            resource.setrlimit(kind, (most, most))
    allow_seconds(limits)


def allow_seconds(limits: VideoLimits) -> None:
    """Allow the time of one more frame, on all cores, counted from now.

    The other end watches the clock; this ends a decoder that spins when nobody watches any more.
    """
    spent = resource.getrusage(resource.RUSAGE_SELF)
    more = limits.decoder_seconds * usable_cores()
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(spent.ru_utime + spent.ru_stime + more)
    with suppress(ValueError, OSError):  # there is a lower limit from outside
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


if __name__ == "__main__":
    main(sys.argv[1:])
