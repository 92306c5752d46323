"""A camera's pictures as they come in: decoded late, and only what a camera sends."""

from __future__ import annotations

import base64
import io
import re
from abc import ABCMeta
from dataclasses import dataclass

import gradio as gr
import numpy as np
from gradio.data_classes import ImageData
from PIL import Image

# What browsers make of a camera's picture. Pillow knows dozens of other formats, some of which are
# read by libraries that were made for files one trusts.
_FORMATS = ("JPEG", "PNG", "WEBP")
_SENT = re.compile(r"data:image/(?:jpeg|png|webp);base64,")
_NOT_SENT = "What was sent is no camera picture, expected JPEG, PNG or WebP data from the page."
_UNREADABLE = (
    "This camera picture cannot be read: expected a JPEG, PNG or WebP picture of {most:.3g} "
    "megapixels at most. Start the camera again."
)


class PictureError(ValueError):
    """A camera picture that cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class CameraPicture:
    """A picture as it was sent, not decoded yet: whether it is looked at is not known before.

    data: the file of the picture, in base64.
    """

    data: str

    def pixels(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB. Raises `PictureError`."""
        try:
            file = io.BytesIO(base64.b64decode(self.data, validate=True))
            with Image.open(file, formats=_FORMATS) as picture:
                return np.asarray(picture.convert("RGB"))
        except Exception as error:  # Pillow raises whatever it stumbles over
            # Pillow refuses what has more than twice this number of pixels.
            most = 2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6
            raise PictureError(_UNREADABLE.format(most=most)) from error


def _sent(self: gr.Image, payload: ImageData | None) -> CameraPicture | None:
    """What the page sent. A file is none of it, not even one that was uploaded."""
    if payload is None:
        return None
    found = _SENT.match(payload.url or "")
    if found is None:
        raise gr.Error(_NOT_SENT, print_exception=False)
    return CameraPicture(payload.url[found.end() :])


# A class, since Gradio makes another one of the same class where an event changes a component; made
# past Gradio's own way, which writes a .pyi file beside every subclass.
CameraImage: type[gr.Image] = ABCMeta.__new__(
    type(gr.Image),
    gr.Image.__name__,
    (gr.Image,),
    {"__module__": gr.Image.__module__, "__doc__": __doc__, "preprocess": _sent},
)
