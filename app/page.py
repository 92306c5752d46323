"""What every tab of the page shares: events that show no progress, its visitor, its camera."""

from __future__ import annotations

import gradio as gr

from app.camera_image import CameraImage
from app.sessions import Busy, Session, Sessions

# Of an event: nothing spins over the page, and it is no endpoint for programs.
QUIET = {"show_progress": "hidden", "api_visibility": "private"}

_PICTURE = {
    "video": {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 30}}
}


def session_of(sessions: Sessions, request: gr.Request) -> Session:
    """The visitor's session; where there is no room for one, the page says so."""
    try:
        return sessions.get(request.session_hash or "")
    except Busy as error:
        raise gr.Error(str(error), print_exception=False) from error


def camera(name: str, label: str, *, height: int, show_label: bool = True) -> gr.Image:
    """The camera of a tab, mirrored at first; its element is called `name`-camera.

    Its events are given a `CameraPicture`, or None.
    """
    return CameraImage(
        label=label,
        show_label=show_label,
        sources=["webcam"],
        streaming=True,
        height=height,
        webcam_options=webcam(mirror=True),
        elem_id=f"{name}-camera",
        buttons=[],
    )


def camera_note() -> gr.HTML:
    """Where camera.js says what is wrong with the camera."""
    note = '<div class="sk-camera-note"></div>'
    return gr.HTML(note, padding=False, elem_classes="sk-camera-note-block")


def webcam(mirror: bool) -> gr.WebcamOptions:
    """How the camera is asked for, and whether its picture is mirrored."""
    return gr.WebcamOptions(mirror=mirror, constraints=_PICTURE)
