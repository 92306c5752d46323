"""What machines are told: health by state, metrics, and logs without personal data."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import threading
from pathlib import Path

import httpx
import pytest
from anyio import to_thread
from starlette.applications import Starlette

from app import views
from app.engine import Engine
from app.logs import JsonLines
from app.metrics import Metrics
from app.sessions import Sessions
from app.settings import AppSettings
from app.status import status_routes, versions
from app.vault import Vault
from skeletr.checkpoint import Checkpoint
from tests.app.fakes import FakePose, untrained
from tests.app.loops import run


def ask(engine: Engine, path: str, folder: Path) -> httpx.Response:
    sessions = Sessions(engine, Vault(folder, 60))
    server = Starlette(routes=status_routes(engine, sessions))

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app=server)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path)

    return run(get())


def test_health_before_during_and_after(tmp_path: Path) -> None:
    loaded = threading.Event()

    def load(settings: AppSettings) -> Checkpoint:
        loaded.wait(60)
        return untrained(settings)

    engine = Engine(AppSettings(), load, lambda options: FakePose())
    engine.start()
    answer = ask(engine, "/health", tmp_path)
    assert (answer.status_code, answer.json()["status"]) == (200, "loading")
    assert "Loading the models" in views.header(engine)
    loaded.set()
    engine.wait(60)
    answer = ask(engine, "/health", tmp_path)
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    engine.stop()
    answer = ask(engine, "/health", tmp_path)
    assert (answer.status_code, answer.json()["status"]) == (503, "stopping")
    assert "being restarted" in views.header(engine)


def test_health_of_an_app_without_a_model(tmp_path: Path) -> None:
    settings = AppSettings(checkpoint=tmp_path / "none")
    engine = Engine(settings, None, lambda options: FakePose())
    engine.start()
    engine._done.wait(60)
    answer = ask(engine, "/health", tmp_path)
    assert (answer.status_code, answer.json()["status"]) == (503, "failed")
    assert "checkpoint" in answer.json()["message"]
    assert str(tmp_path) not in answer.text


def test_metrics_can_be_switched_off(tmp_path: Path) -> None:
    engine = Engine(AppSettings(metrics=False), untrained, lambda options: FakePose())
    assert ask(engine, "/metrics", tmp_path).status_code == 404
    engine = Engine(AppSettings(), untrained, lambda options: FakePose())
    answer = ask(engine, "/metrics", tmp_path)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "skeletr_memory_bytes " in answer.text and "skeletr_live_waiting 0" in answer.text


def test_they_answer_when_all_threads_are_taken(tmp_path: Path) -> None:
    engine = Engine(AppSettings(), untrained, lambda options: FakePose())
    engine.wait(60)
    server = Starlette(routes=status_routes(engine, Sessions(engine, Vault(tmp_path, 60))))

    async def statuses() -> list[int]:
        threads = to_thread.current_default_thread_limiter()
        threads.total_tokens = 1
        await threads.acquire_on_behalf_of("somebody")
        transport = httpx.ASGITransport(app=server)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            asked = [client.get(path) for path in ("/health", "/metrics")]
            answers = await asyncio.wait_for(asyncio.gather(*asked), 30)
            return [answer.status_code for answer in answers]

    assert run(statuses()) == [200, 200]


def test_counters_and_gauges_as_text() -> None:
    metrics = Metrics()
    metrics.stages({"pose": 0.25, "draw": 0.5}, "live")
    metrics.stages({"pose": 0.25}, "live")
    metrics.add("videos_total", ending='od"d\n')
    lines = metrics.text({"uptime_seconds": 3.0}).splitlines()
    assert 'skeletr_stage_seconds_total{kind="live",stage="pose"} 0.5' in lines
    assert 'skeletr_stage_runs_total{kind="live",stage="pose"} 2' in lines
    assert 'skeletr_videos_total{ending="od\\"d\\n"} 1' in lines
    assert "skeletr_uptime_seconds 3" in lines
    assert lines.count("# TYPE skeletr_stage_seconds_total counter") == 1


def test_a_gauge_is_no_counter() -> None:
    with pytest.raises(ValueError, match="no counter"):
        Metrics().add("sessions_open")


def test_counting_from_many_threads_loses_nothing() -> None:
    metrics = Metrics()
    threads = [
        threading.Thread(target=lambda: [metrics.add("frames_total") for _ in range(500)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert metrics.total("frames_total") == 4000


def logged(name: str, work) -> dict:
    """One JSON line of what `work` logs."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(JsonLines().format(record))
    logger = logging.getLogger(name)
    logger.addHandler(handler)
    try:
        work(logger)
    finally:
        logger.removeHandler(handler)
    assert len(lines) == 1 and "\n" not in lines[0]
    return json.loads(lines[0])


def test_log_lines_name_no_files_and_no_addresses() -> None:
    def fail(logger: logging.Logger) -> None:
        try:
            Path("/tmp/visitor-x/my private holiday.mp4").read_bytes()
        except OSError:
            logger.exception("the results of a video could not be written")

    line = logged("app.job", fail)
    assert line["event"] == "the results of a video could not be written"
    assert line["error"] == "FileNotFoundError" and line["level"] == "error"
    assert any(call.startswith("tests/app/test_status.py:") for call in line["trace"])
    assert "holiday" not in json.dumps(line)
    line = logged("httpx.client", lambda log: log.warning("GET %s from %s", "a.mp4", "10.0.0.7"))
    assert line["place"].startswith("tests/app/test_status.py:") and "10.0.0.7" not in str(line)


def test_log_lines_do_not_hold_what_other_libraries_say_of_an_exception() -> None:
    async def forget_a_task() -> None:
        async def fail() -> None:
            raise ValueError("secret holiday.mp4")

        task = asyncio.ensure_future(fail())
        await asyncio.wait([task])
        del task  # nobody asked for its result: asyncio logs the exception, in its own text
        gc.collect()

    line = logged("asyncio", lambda _: run(forget_a_task()))
    assert "holiday" not in json.dumps(line)
    assert line["level"] == "error" and line["error"] == "ValueError"
    assert "asyncio/base_events.py:" in line["place"]


def test_log_lines_carry_fields() -> None:
    fields = {"ending": "done", "seconds": 1.5}
    line = logged("app.job", lambda log: log.warning("video ended", extra={"fields": fields}))
    assert line | fields == line and line["time"].endswith("Z")


def test_the_page_shows_what_runs_and_how_long_files_stay() -> None:
    footer = views.footer({**versions(), "<b>": "1"}, AppSettings(keep_minutes=30))
    assert "SkeleTR Live 0." in footer and "Gradio 6" in footer and "30 min" in footer
    assert "<b>" not in footer
