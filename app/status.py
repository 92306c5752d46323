"""Pages for machines: `/health` says whether the app can work, `/metrics` what it does."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

import psutil
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

import skeletr
from app.engine import Engine, EngineState
from app.sessions import Sessions

_PACKAGES = {"Gradio": "gradio", "PyTorch": "torch", "MediaPipe": "mediapipe", "PyAV": "av"}
_WORD = {EngineState.READY: "ok"}
_WORKS = (EngineState.READY, EngineState.LOADING)
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def versions() -> dict[str, str]:
    """What runs here, by name."""
    found = {"SkeleTR Live": skeletr.__version__, "Python": platform.python_version()}
    for name, package in _PACKAGES.items():
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


def status_routes(engine: Engine, sessions: Sessions) -> list[Route]:
    """`/health`, and `/metrics` unless it is switched off."""
    begin = time.monotonic()

    # Coroutines, as they must answer when all threads are taken too.
    async def health(request: Request) -> Response:
        return _health(engine, time.monotonic() - begin)

    async def metrics(request: Request) -> Response:
        process = gauges(time.monotonic() - begin)
        return PlainTextResponse(
            sessions.metrics.text(sessions.gauges() | process), media_type=_TEXT
        )

    routes = [Route("/health", health)]
    return [*routes, Route("/metrics", metrics)] if engine.settings.metrics else routes


def _health(engine: Engine, uptime: float) -> Response:
    """200 while the app works or will in a moment; 503 when it needs help or is about to end."""
    state = engine.state
    facts = {
        "status": _WORD.get(state, state.value),
        "message": engine.message,
        "versions": versions(),
        "uptime_seconds": round(uptime, 1),
    }
    return JSONResponse(facts, 200 if state in _WORKS else 503)


def gauges(uptime: float) -> Mapping[str, float]:
    """How the process fares."""
    process = psutil.Process()
    with process.oneshot():
        files = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
        memory = process.memory_info().rss
    return {"memory_bytes": memory, "open_files": files, "uptime_seconds": uptime}
