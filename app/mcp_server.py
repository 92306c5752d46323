"""The app's endpoint as a tool for language models (MCP), where the package `mcp` is installed."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import Any

import gradio.mcp


class JsonMCPServer(gradio.mcp.GradioMCPServer):
    """Gradio's server, whose answers are JSON and not what Python prints."""

    def postprocess_output_data(self, data: Any, root_url: str) -> list:
        """One text per output."""
        told = [json.dumps(x) if isinstance(x, dict | list) else x for x in data]
        return super().postprocess_output_data(told, root_url)


def has_mcp() -> bool:
    """Whether the tool can be offered; if so, `launch(mcp_server=True)` will offer it."""
    if find_spec("mcp") is None:
        return False
    gradio.mcp.GradioMCPServer = JsonMCPServer  # Gradio makes its own and takes none
    return True
