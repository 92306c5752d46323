"""Lines that another process sends, for which one waits so long and no longer."""

from __future__ import annotations

import socket
import time

MOST = 64 * 2**10  # bytes of a line
_PART = 4096  # bytes taken at once


class Answers:
    """The lines that come in at a socket.

    Attributes:
        waited: seconds that were waited for them so far.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._taken = b""
        self.waited = 0.0

    def next(self, patience: float) -> bytes:
        """The next line, without its end; what there is of it where more than `MOST` bytes come,
        and b"" where no more will come.

        Raises:
            TimeoutError: it is not there after so many seconds, however steadily it comes in.
            OSError: the connection is broken.
        """
        begin = time.monotonic()
        try:
            while b"\n" not in self._taken and len(self._taken) <= MOST:
                if not (part := self._part(begin + patience)):
                    return b""
                self._taken += part
        finally:
            self.waited += time.monotonic() - begin
        line, _, self._taken = self._taken.partition(b"\n")
        return line

    def _part(self, until: float) -> bytes:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection.recv(_PART)
