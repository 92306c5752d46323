"""One camera frame of one visitor: from the line for a place to what is shown; for every tab."""

from __future__ import annotations

import asyncio
import logging

import numpy as np

from app import views
from app.camera_image import CameraPicture, PictureError
from app.engine import NotReady
from app.live import LiveView
from app.places import LineFull
from app.sessions import Busy, Sessions
from app.settings import UserOptions
from skeletr.pose.base import PoseError

_LOG = logging.getLogger(__name__)
_LINE_PACE = 1.0  # seconds between two looks at where a visitor stands in line
_FAULT = "This frame could not be recognised; the log of the server says why."


async def in_line(sessions: Sessions, key: str) -> str | None:
    """What to tell, as HTML, a visitor who is not at the camera; None for one who is."""
    try:
        place = sessions.place(key)
    except (LineFull, Busy) as error:
        told = views.note(str(error), "problem")
    else:
        if place.granted:
            return None
        told = views.in_line(place)
        await sessions.threads.frame(key, sessions.rest, key)
    sessions.metrics.add("frames_unanswered_total", reason="waiting")
    # Only the newest picture is looked at, so those who wait cost next to nothing.
    await asyncio.sleep(_LINE_PACE)
    return told


def recognised(
    sessions: Sessions,
    image: CameraPicture | np.ndarray,
    look: tuple[bool, bool],
    options: UserOptions | None,
    key: str,
    skipped: int = 0,
) -> LiveView | str:
    """What is seen in a frame, or in HTML why it could not be recognised.

    "" where something else of the page holds its stream: this one is dropped and not waited for.

    Args:
        image: as a camera sent it, or (H, W, 3) uint8 RGB.
        look: whether the picture is mirrored, and whether attention is drawn into it.
        options: None = as the camera's stream has them.
        skipped: pictures that came since the one before and were not looked at.
    """
    try:
        session = sessions.get(key)
        if not session.lock.acquire(blocking=False):
            sessions.metrics.add("frames_dropped_total")
            return ""
        try:
            pixels = image.pixels() if isinstance(image, CameraPicture) else image
            view = session.live(options).step(pixels, *look, skipped=skipped)
        finally:
            session.lock.release()
    except PictureError as error:
        sessions.metrics.add("frames_unanswered_total", reason="unreadable")
        return views.note(str(error), "problem")
    except (NotReady, PoseError, Busy) as error:
        sessions.metrics.add("frames_unanswered_total", reason="not ready")
        return views.note(str(error), "problem")
    except Exception:
        _LOG.exception("a camera frame could not be recognised")
        sessions.metrics.add("frames_unanswered_total", reason="fault")
        return views.note(_FAULT, "problem")
    sessions.metrics.add("frames_total")
    sessions.metrics.stages(view.stages, "live")
    return view
