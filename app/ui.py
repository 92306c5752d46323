"""The page: header, tabs, footer, and what happens when a page is opened or closed."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from anyio import to_thread
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware

from app import views
from app.addresses import refuse_addresses
from app.api import api
from app.controls import shared
from app.engine import Engine, EngineState
from app.examples import example_style
from app.gate import Gate
from app.gradio_line import bound
from app.gradio_memory import forget_page, spare
from app.live_tab import live_tab
from app.mcp_server import has_mcp
from app.page import QUIET
from app.sessions import Sessions
from app.settings import AppSettings
from app.status import status_routes, versions
from app.stored import stored
from app.teach_tab import teach_tab
from app.vault import Vault
from app.video_tab import video_tab

_HERE = Path(__file__).parent
_SCRIPTS = ("camera.js", "pace.js", "recovery.js")
_STYLES = ("style.css", "results.css", "live.css", "teach.css")
# Events of pages that are served at once, beside cameras, each of which is one for as long as it
# runs. That many threads are Gradio's own then, apart from those of the server.
_EVENTS = 40
_LOOK = 600  # seconds between two looks for old files, at most
_FONT = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
_CONTRAST = {  # of text to what lies behind it: 4.5 to 1 and more, in light and dark
    "body_text_color_subdued": "*neutral_600",
    "button_primary_background_fill": "*primary_700",
    "button_primary_background_fill_dark": "*primary_700",
    "button_primary_background_fill_hover": "*primary_800",
    "button_primary_background_fill_hover_dark": "*primary_800",
    "button_primary_border_color": "*primary_700",
    "button_primary_border_color_dark": "*primary_700",
}
_MONO = ["ui-monospace", "Consolas", "monospace"]


def build(settings: AppSettings, engine: Engine | None = None) -> gr.Blocks:
    """The whole app. Models load in the background; the page answers at once.

    Args:
        engine: what computes; made from `settings` if not given.

    Returns:
        The page, with what belongs to it as `engine` and `sessions`; see `stop`.
    """
    refuse_addresses()
    engine = engine or Engine(settings)
    engine.start()
    # The folder that Gradio serves files from: results that lie there are not copied once more.
    sessions = Sessions(engine, Vault(Path(get_upload_folder()), settings.keep_minutes * 60))
    sessions.start()
    with gr.Blocks(
        title="SkeleTR Live",
        analytics_enabled=False,
        delete_cache=_file_age(settings),
        fill_width=True,
    ) as page:
        header = gr.HTML(views.header(engine), elem_id="header", padding=False)
        page.load(lambda: views.header(engine), None, header, **QUIET)
        _follow(header, engine)
        with gr.Tabs():
            with gr.Tab("Video", id="video"):
                video_tab(sessions, settings)
            with gr.Tab("Live", id="live"):
                live_tab(sessions, settings)
            with gr.Tab("Teach", id="teach"):
                teach_tab(sessions, settings)
        shared(page)
        api(sessions, settings)
        gr.HTML(stored(settings), elem_id="stored", padding=False)
        gr.HTML(views.footer(versions(), settings), elem_id="footer", padding=False)

        async def close(request: gr.Request) -> None:
            key = request.session_hash or ""
            await to_thread.run_sync(sessions.close, key)
            forget_page(page, key)

        page.unload(close)
    bound(page, settings)
    spare(page)  # after `bound`, which makes the line that this changes
    page.engine, page.sessions = engine, sessions
    return page


def stop(page: gr.Blocks) -> None:
    """End in order: no new work, running work stopped, visitors' files removed, server closed."""
    page.engine.stop()
    page.sessions.close_all()
    page.close(verbose=False)


def _file_age(settings: AppSettings) -> tuple[int, int]:
    """How often Gradio looks for old files, and how old they may get, in seconds."""
    kept = max(1, round(settings.keep_minutes * 60))
    return min(_LOOK, kept), kept


def _follow(header: gr.HTML, engine: Engine) -> None:
    """Keep the header up to date until the models are loaded."""
    timer = gr.Timer(1.0)

    def look() -> tuple[str, gr.Timer]:
        waiting = engine.state is not EngineState.READY
        return views.header(engine), gr.Timer(active=waiting)

    timer.tick(look, None, [header, timer], **QUIET)


def launch_options(settings: AppSettings, page: gr.Blocks) -> dict:
    """What `launch` needs beyond host and port: look, limits, and nothing from outside."""
    theme = gr.themes.Base(
        primary_hue="teal", neutral_hue="slate", font=_FONT, font_mono=_MONO, radius_size="lg"
    ).set(**_CONTRAST)
    scripts = [f"<script>{(_HERE / n).read_text(encoding='utf-8')}</script>" for n in _SCRIPTS]
    sessions = page.sessions
    gate = Middleware(
        Gate,
        settings=settings,
        metrics=sessions.metrics,
        free=sessions.vault.free,
        arrivals=sessions.arrivals,
        is_open=sessions.is_open,
    )
    return {
        "theme": theme,
        "css": example_style(),
        "css_paths": [_HERE / name for name in _STYLES],
        "head": "".join(scripts),
        "max_file_size": settings.max_upload_mb * 2**20,
        "max_threads": _EVENTS + settings.streams,
        "app_kwargs": {"routes": status_routes(page.engine, sessions), "middleware": [gate]},
        "footer_links": [],
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "show_error": False,
        "allowed_paths": [],
        "mcp_server": has_mcp(),
    }
