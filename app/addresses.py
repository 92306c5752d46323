"""Files that a visitor names by an address: only what was uploaded here before is taken."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import gradio as gr
from gradio import processing_utils
from gradio.utils import get_upload_folder

_FILE = "/gradio_api/file="


def refuse_addresses() -> None:
    """Take only uploaded files: Gradio would fetch a file that is given as an address.

    Replaced in Gradio and not in the components: it makes new ones from them when they change.
    """
    if not hasattr(processing_utils, "async_ssrf_protected_download"):
        raise RuntimeError(
            "this version of Gradio fetches addresses in a way that is not known here"
        )

    async def take(url: str, *_: object, **__: object) -> str:
        path = uploaded_file(url)
        if path is None:
            raise gr.Error("Upload a file; addresses are not opened.", print_exception=False)
        return str(path)

    processing_utils.async_ssrf_protected_download = take


def uploaded_file(url: str) -> Path | None:
    """The file that this app serves under an address, of whatever host; None if there is none.

    Nothing is fetched: who knows the path of a file in there can have it anyway.
    """
    _, _, name = urlsplit(url).path.partition(_FILE)
    try:
        path, root = Path(unquote(name)).resolve(), Path(get_upload_folder()).resolve()
        known = bool(name) and path.is_relative_to(root) and path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return None
    return path if known else None
