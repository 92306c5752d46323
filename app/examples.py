"""Examples to look at without a camera or a file: made-up people, recognised when asked for.

Only the motion is there; what is said about it comes from the model that is loaded.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import gradio as gr

from app.engine import Engine
from app.job import Job
from app.settings import UserOptions
from app.thumbnails import style_sheet, thumbnail
from skeletr.pose import FRONTENDS
from skeletr.recording import Recording
from skeletr.synthetic import examples

_CLOSING = 5.0  # seconds that a job is given to end


@lru_cache(maxsize=1)
def _made() -> dict[str, Recording]:
    return examples()


def example_names() -> tuple[str, ...]:
    """In the order in which they are offered."""
    return tuple(_made())


def example(name: str) -> Recording:
    """Raises KeyError for a name that is not offered."""
    return _made()[name]


@contextmanager
def first_example_ahead(engine: Engine) -> Iterator[None]:
    """Look at the first example meanwhile, so that it is there when a visitor asks for it."""
    name = example_names()[0]
    with tempfile.TemporaryDirectory() as folder:
        job = Job(engine, UserOptions(FRONTENDS[0]), example(name), name, Path(folder))
        job.start()
        try:
            yield
        finally:
            job.cancel()
            job.wait(_CLOSING)


def example_buttons() -> dict[str, gr.Button]:
    """Lay out a button per example inside the current block; by name."""
    gr.HTML('<p class="sk-meta">Or look at made-up people:</p>', padding=False)
    with gr.Row(elem_id="video-examples"):
        return {
            name: gr.Button(name, size="sm", min_width=130, elem_id=_element(name))
            for name in example_names()
        }


def example_style() -> str:
    """A style sheet with the picture of each example on its button."""
    return style_sheet({_element(name): thumbnail(made) for name, made in _made().items()})


def _element(name: str) -> str:
    return "example-" + re.sub(r"[^a-z]+", "-", name.lower())
