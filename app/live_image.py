"""A picture that changes many times a second and is never written to the disk."""

from __future__ import annotations

import base64

import cv2
import gradio as gr
import numpy as np
from gradio.data_classes import ImageData

_QUALITY = 76


def live_image(**options: object) -> gr.Image:
    """A `gr.Image` for output that sends its picture inside the answer.

    Gradio's own writes every picture it shows to the disk, where others could read it.
    """
    image = gr.Image(interactive=False, **options)
    # On the instance: Gradio writes a .pyi file beside every subclass of a component.
    image.postprocess = as_data_url
    return image


def as_data_url(picture: np.ndarray | None) -> ImageData | None:
    """(H, W, 3) uint8 RGB -> JPEG as a data URL."""
    if picture is None:
        return None
    options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
    if not done:
        return None
    url = "data:image/jpeg;base64," + base64.b64encode(data).decode()
    return ImageData(url=url, orig_name="live.jpg")
