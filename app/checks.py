"""What is wrong with a file that a visitor gave, found before it waits for anything."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from pathlib import Path

import gradio as gr

from app.opening import OpenError, is_skeleton_file, open_skeletons
from skeletr.video import VideoError, VideoLimits, probe

_LOG = logging.getLogger(__name__)
_AT_ONCE = 2  # a video that is looked at costs a process
_PATIENCE = 2.0  # seconds to wait for others that are looked at


def check(path: Path, name: str, limits: VideoLimits) -> None:
    """Look at the headers and the first frame of a video, or open a file of skeletons.

    Raises:
        VideoError, OpenError: it cannot be used, or breaks a limit; the message says why.
    """
    if is_skeleton_file(path):
        open_skeletons(path, name, limits)
    else:
        probe(path, replace(limits, apart=True), name)  # it is a stranger's file


class NotInLine(gr.Error):
    """Raised in a step of the page behind which nothing is to wait in line; nobody sees it."""

    def __init__(self) -> None:
        super().__init__("Nothing of this waits in line.", visible=False, print_exception=False)


class Checks:
    """Looks at files of all visitors, a few at a time."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(_AT_ONCE)

    def problem(self, path: Path, name: str, limits: VideoLimits) -> str:
        """Why a file cannot be used; "" where nothing was found.

        That is also said where too many others are looked at, or where looking fails: what is wrong
        is then found when it is the file's turn.
        """
        if not self._places.acquire(timeout=_PATIENCE):
            return ""
        try:
            check(path, name, limits)
        except (VideoError, OpenError) as error:
            return str(error)
        except Exception:
            _LOG.exception("a file could not be looked at")
        finally:
            self._places.release()
        return ""
