"""The endpoint for programs, asked the way that programs ask: Gradio's client, HTTP and MCP."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from app.addresses import uploaded_file
from app.engine import Engine
from app.mcp_server import has_mcp
from app.settings import AppSettings
from app.ui import build, launch_options, stop
from skeletr.recording import Recording
from tests.app.fakes import FakePose, untrained
from tests.app.loops import run
from tests.synthetic import scene

DOCS = Path(__file__).parents[2] / "docs/API.md"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gr.Blocks]:
    """The app in this process, with an untrained model and a fake pose frontend."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("files")))
        settings = AppSettings(max_upload_mb=2, jobs=1, max_sessions=3)
        page = build(settings, Engine(settings, untrained, lambda options: FakePose()))
        page.launch(prevent_thread_lock=True, quiet=True, **launch_options(settings, page))
        page.engine.wait(60)
        yield page
        stop(page)


@pytest.fixture(scope="module")
def client(served: gr.Blocks) -> Client:
    return Client(served.local_url, verbose=False)


def nothing_is_left(served: gr.Blocks) -> bool:
    root = served.sessions.vault.root
    return not list(root.glob("visitor-*"))


def test_a_video_is_answered_with_its_result(
    served: gr.Blocks, client: Client, moving_video: Path
) -> None:
    found = client.predict(handle_file(moving_video), api_name="/recognize")
    assert found["schema_version"] == 1 and found["video"]["frames_used"] == 20
    assert len(found["people"]) == 1 and found["people"][0]["labels"]
    assert {s["status"] for s in found["people"][0]["steps"]} == {"ok"}
    strict = client.predict(
        handle_file(moving_video), max_people=3, threshold=1.0, api_name="/recognize"
    )
    assert {s["status"] for s in strict["people"][0]["steps"]} == {"unknown"}
    assert len(served.sessions) == 0 and nothing_is_left(served)


def test_skeletons_are_recognised_too(client: Client, tmp_path: Path) -> None:
    recording = scene([150, 450], np.arange(60) / 20)
    recording.save(tmp_path / "two.npz")
    found = client.predict(handle_file(tmp_path / "two.npz"), api_name="/recognize")
    assert [p["id"] for p in found["people"]] == Recording.load(tmp_path / "two.npz").people


def test_what_cannot_be_recognised_is_one_sentence(
    served: gr.Blocks, client: Client, moving_video: Path, tmp_path: Path
) -> None:
    (tmp_path / "notes.mp4").write_text("no video")
    video = handle_file(moving_video)
    cases = [
        ((handle_file(tmp_path / "notes.mp4"),), {}, "not a video"),
        ((video,), {"threshold": 7.0}, ""),
        ((video,), {"max_people": 0}, ""),
        ((video,), {"pose": "nobody"}, ""),
        (({"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},), {}, ""),
    ]
    for given, options, why in cases:
        with pytest.raises(AppError) as error:
            client.predict(*given, **options, api_name="/recognize")
        assert why in str(error.value) and "Traceback" not in str(error.value)
        assert "root:" not in str(error.value)
    assert len(served.sessions) == 0


def test_no_more_people_than_the_limit_and_by_default_as_many(
    moving_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    settings = AppSettings(max_people=2)
    page = build(settings, Engine(settings, untrained, lambda options: FakePose()))
    page.launch(prevent_thread_lock=True, quiet=True, **launch_options(settings, page))
    try:
        page.engine.wait(60)
        client, video = Client(page.local_url, verbose=False), handle_file(moving_video)
        assert client.predict(video, api_name="/recognize")["people"]
        with pytest.raises(AppError, match="the limit is 2"):
            client.predict(video, max_people=3, api_name="/recognize")
    finally:
        stop(page)


def test_calls_of_one_client_wait_for_each_other_and_all_are_answered(
    served: gr.Blocks, client: Client, moving_video: Path
) -> None:
    jobs = [client.submit(handle_file(moving_video), api_name="/recognize") for _ in range(4)]
    most = 0
    while not all(job.done() for job in jobs):
        most = max(most, len(served.sessions))
        time.sleep(0.01)
    assert [len(job.result()["people"]) for job in jobs] == [1] * 4
    assert most == 1  # one job at a time, as the settings say


def test_a_client_that_leaves_stops_its_work(
    served: gr.Blocks, moving_video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, estimate = threading.Event(), FakePose.estimate

    def slow(self: FakePose, image: object, moment: float) -> tuple:
        going.set()
        time.sleep(0.5)
        return estimate(self, image, moment)

    monkeypatch.setattr(FakePose, "estimate", slow)
    leaving = Client(served.local_url, verbose=False)
    leaving.submit(handle_file(moving_video), api_name="/recognize")
    assert going.wait(60)
    leaving.close()
    deadline = time.monotonic() + 60
    while len(served.sessions) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(served.sessions) == 0


def test_nothing_else_is_offered_to_programs(client: Client) -> None:
    found = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert list(found) == ["/recognize"]
    names = [p["parameter_name"] for p in found["/recognize"]["parameters"]]
    assert names == ["file", "max_people", "threshold", "pose"]
    assert "Everybody is followed by a number" in found["/recognize"]["description"]


def test_the_examples_in_the_documentation_work(served: gr.Blocks, moving_video: Path) -> None:
    """What docs/API.md tells a reader to run is run, with this server and this video."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)[:1]
    code = code.replace("http://localhost:7860", served.local_url.rstrip("/"))
    code = code.replace("holiday.mp4", moving_video.as_posix())
    told: list[str] = []
    exec(code, {"print": lambda *words: told.append(" ".join(map(str, words)))})
    assert told and told[0].startswith("1 ")


def test_only_uploads_are_found_under_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "files"
    (root / "a").mkdir(parents=True)
    (root / "a/film b.mp4").touch()
    (tmp_path / "secret").touch()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(root))
    base = "http://anywhere:1/gradio_api/file="
    assert uploaded_file(f"{base}{root}/a/film%20b.mp4") == root / "a/film b.mp4"
    for name in (
        f"{root}/a/../../secret",
        f"{root}/a/%2e%2e/%2e%2e/secret",
        "/etc/passwd",
        str(root),
        "",
        f"{root}/a/film%00.mp4",
        "x" * 5000,
    ):
        assert uploaded_file(base + name) is None
    assert uploaded_file(f"http://anywhere:1/{root}/a/film%20b.mp4") is None


def ask(served: gr.Blocks, name: str, arguments: dict) -> tuple[bool, str]:
    """Call a tool; whether it failed, and its text."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def asking() -> tuple[bool, str]:
        url = f"{served.local_url}gradio_api/mcp/"
        async with (
            streamablehttp_client(url) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = (await session.list_tools()).tools
            assert [t.name for t in tools] == [name]
            assert set(tools[0].inputSchema["required"]) == {"file"}
            assert "Everybody is followed" in tools[0].description
            answer = await asyncio.wait_for(session.call_tool(name, arguments), 120)
            return bool(answer.isError), answer.content[0].text

    return run(asking())


@pytest.mark.skipif(not has_mcp(), reason="the package mcp is not installed")
def test_a_language_model_gets_the_same_as_json(
    served: gr.Blocks, client: Client, moving_video: Path
) -> None:
    direct = client.predict(handle_file(moving_video), api_name="/recognize")
    data = base64.b64encode(moving_video.read_bytes()).decode()
    failed, text = ask(served, "recognize", {"file": f"data:video/mp4;base64,{data}"})
    assert not failed and json.loads(text)["people"] == direct["people"]
    with moving_video.open("rb") as file:
        sent = httpx.post(
            f"{served.local_url}gradio_api/upload", files={"files": ("a.mp4", file)}, timeout=60
        )
    address = f"{served.local_url}gradio_api/file={sent.json()[0]}"
    failed, text = ask(served, "recognize", {"file": address})
    assert not failed and json.loads(text)["people"] == direct["people"]


@pytest.mark.skipif(not has_mcp(), reason="the package mcp is not installed")
def test_a_language_model_cannot_make_the_server_fetch_or_read_files(served: gr.Blocks) -> None:
    for file in (
        "http://127.0.0.1:9/a.mp4",
        f"{served.local_url}gradio_api/file=/etc/passwd",
        "/etc/passwd",
        "file:///etc/passwd",
    ):
        failed, text = ask(served, "recognize", {"file": file})
        assert failed and "root:" not in text


def test_pages_that_are_open_take_the_places(
    served: gr.Blocks, client: Client, moving_video: Path
) -> None:
    for index in range(3):
        served.sessions.get(f"page{index}")
    try:
        with pytest.raises(AppError, match="Try again"):
            client.predict(handle_file(moving_video), api_name="/recognize")
    finally:
        for index in range(3):
            served.sessions.close(f"page{index}")
