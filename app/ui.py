"""The page: header, tabs, and what happens when a page is opened or closed."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from app import views
from app.engine import Engine, EngineState
from app.live_tab import live_tab
from app.sessions import Sessions
from app.settings import AppSettings
from app.video_tab import video_tab

_HERE = Path(__file__).parent
_CACHE = (600, 3600)  # seconds: how often uploads and results are looked through, and kept
_FONT = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
_MONO = ["ui-monospace", "Consolas", "monospace"]


def build(settings: AppSettings, engine: Engine | None = None) -> gr.Blocks:
    """The whole app. Models load in the background; the page answers at once.

    Args:
        engine: what computes; made from `settings` if not given.
    """
    engine = engine or Engine(settings)
    engine.start()
    sessions = Sessions(engine)
    with gr.Blocks(
        title="SkeleTR Live", analytics_enabled=False, delete_cache=_CACHE, fill_width=True
    ) as page:
        header = gr.HTML(lambda: views.header(engine), elem_id="header", padding=False)
        _follow(header, engine)
        with gr.Tabs():
            with gr.Tab("Video", id="video"):
                video_tab(sessions, settings.jobs)
            with gr.Tab("Live", id="live"):
                live_tab(sessions)

        def close(request: gr.Request) -> None:
            sessions.close(request.session_hash or "")

        page.unload(close)
    page.sessions = sessions
    return page


def _follow(header: gr.HTML, engine: Engine) -> None:
    """Keep the header up to date until the models are loaded."""
    timer = gr.Timer(1.0)

    def look() -> tuple[str, gr.Timer]:
        waiting = engine.state is not EngineState.READY
        return views.header(engine), gr.Timer(active=waiting)

    timer.tick(look, None, [header, timer], show_progress="hidden", api_visibility="private")


def launch_options(settings: AppSettings) -> dict:
    """What `launch` needs beyond host and port: look, limits, and nothing from outside."""
    theme = gr.themes.Base(
        primary_hue="teal", neutral_hue="slate", font=_FONT, font_mono=_MONO, radius_size="lg"
    )
    script = (_HERE / "camera.js").read_text(encoding="utf-8")
    return {
        "theme": theme,
        "css_paths": _HERE / "style.css",
        "head": f"<script>{script}</script>",
        "max_file_size": settings.max_upload_mb * 2**20,
        "footer_links": [],
        "run_history": False,
        "ssr_mode": False,
        "show_error": False,
        "allowed_paths": [],
    }
