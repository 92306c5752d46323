"""What a camera has shown lately, in memory, so that it can be saved: skeletons, no pictures."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

import numpy as np

from app.joined_logs import joined
from app.settings import AppSettings
from app.vault import Vault
from skeletr.actions import ActionLog, Attention
from skeletr.excerpt import excerpt
from skeletr.recording import Frame
from skeletr.session import Session

NAME = "Live session"
FILE_NAME = "live-session.npz"


class Kept:
    """The newest part of one stream; the oldest goes. Used by one thread at a time.

    A minute of four people at 15 frames a second takes about 5 MB, and their labels, which the
    recogniser keeps, as much again.
    """

    def __init__(self, settings: AppSettings) -> None:
        self._seconds = settings.live_seconds
        self._frames: deque[Frame] = deque(maxlen=settings.limits.max_frames)
        self._windows: deque[tuple[float, Attention]] = deque()
        self._log: ActionLog | None = None  # of the recognisers before the present one

    def see(self, frame: Frame) -> None:
        """Take one frame of tracked people."""
        self._frames.append(frame)
        self._forget(frame.time - self._seconds)

    def attend(self, key: float, attention: Attention) -> None:
        """Take the attention of the key frame at `key` seconds, rounded as in a saved session."""
        rounded = replace(attention, weights=attention.weights.astype(np.float16))
        self._windows.append((key, rounded))

    def latest(self, seconds: float) -> list[Frame]:
        """The frames of the last `seconds`."""
        since = self._frames[-1].time - seconds if self._frames else 0.0
        newest = takewhile(lambda frame: frame.time >= since, reversed(self._frames))
        return list(newest)[::-1]

    def keep(self, log: ActionLog) -> None:
        """Take what was recognised until now, by a recogniser that gives way to another one."""
        self._log = log if self._log is None else joined(self._log, log)

    def clear(self) -> None:
        """Forget everything."""
        self._frames.clear()
        self._windows.clear()
        self._log = None

    def session(self, log: ActionLog, image_size: tuple[int, int]) -> Session | None:
        """All of it, with the labels in `log`, as times from 0 on; None where nobody was seen.

        What is before `log` has the labels that it was given then.
        """
        if not any(frame.people for frame in self._frames):
            return None
        log = log if self._log is None else joined(self._log, log)
        return excerpt(list(self._frames), image_size, log, list(self._windows), NAME)

    def _forget(self, before: float) -> None:
        while self._frames[0].time < before:
            self._frames.popleft()
        while self._windows and self._windows[0][0] < before:
            self._windows.popleft()
        if self._log is not None and self._log.scene.end < before:
            self._log = None


class LiveFile:
    """The session that a visitor saved last, as a file that is gone with the page.

    Args:
        vault: where visitors' files lie.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._folder: Path | None = None

    def write(self, session: Session) -> Path:
        """Write a session; the one before is removed.

        Raises:
            OSError: the disk refused.
        """
        self.remove()
        self._folder = self._vault.new_folder()
        path = self._folder / FILE_NAME
        session.save(path)
        return path

    def remove(self) -> None:
        """Remove the file, if there is one."""
        folder, self._folder = self._folder, None
        if folder is not None:
            self._vault.remove(folder)
