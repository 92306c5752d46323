"""The download buttons: what most people want comes first, then formats for other programs."""

from __future__ import annotations

import gradio as gr

from app.outcome import Files

# Attributes of `Files`, and what their buttons say.
_MAIN = {"video": "Annotated MP4", "session": "Session"}
_FORMATS = {
    "csv": "CSV",
    "json": "JSON",
    "subtitles": "Subtitles",
    "recording": "Recording",
    "pyskl": "PYSKL",
}
_TOLD = (
    '<p class="sk-meta">A session is one small file of skeletons without pictures: open it here '
    "again. For other programs:</p>"
)


def download_buttons() -> dict[str, gr.DownloadButton]:
    """Lay the buttons out inside the current block; by attribute of `Files`."""
    with gr.Row():
        main = {
            attribute: gr.DownloadButton(name, size="md", min_width=140)
            for attribute, name in _MAIN.items()
        }
    gr.HTML(_TOLD, padding=False)
    with gr.Row(elem_classes="sk-formats"):
        formats = {
            attribute: gr.DownloadButton(name, size="sm", min_width=84)
            for attribute, name in _FORMATS.items()
        }
    return main | formats


def downloads(buttons: dict[str, gr.DownloadButton], files: Files) -> dict:
    """Updates of the buttons; what is not there is not offered."""
    paths = {attribute: getattr(files, attribute) for attribute in buttons}
    return {
        buttons[attribute]: gr.update(value=path and str(path), visible=path is not None)
        for attribute, path in paths.items()
    }
