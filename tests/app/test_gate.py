"""What is let through to Gradio, asked the way that the server asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from starlette.formparsers import MultiPartException

from app.gate import Gate
from app.metrics import Metrics
from app.settings import AppSettings
from tests.app.loops import run

MB = 2**20


class Answer:
    """Status, headers and body of what came back; `read`: bytes of the body that Gradio got."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.read = 0
        self.reached = False


def ask(
    path: str,
    method: str = "GET",
    parts: tuple[bytes, ...] = (),
    length: int | None = None,
    free: int | Callable[[], int] = 100_000 * MB,
    metrics: Metrics | None = None,
    query: bytes = b"",
    open_pages: list[str] | None = None,
    ending: dict | None = None,
    reads_on: bool = False,
    answer: Answer | None = None,
) -> Answer:
    """One request through the gate to an application that reads its body and says yes.

    Args:
        ending: what comes in place of the end of the body. reads_on: whether the application
            waits for the end of the connection as well. answer: filled in.
    """
    answer = answer or Answer()
    waiting = [{"type": "http.request", "body": p, "more_body": True} for p in parts or (b"",)]
    waiting.append(ending or {"type": "http.request", "body": b""})

    async def receive() -> dict:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: dict) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], dict(message["headers"])
        else:
            answer.body += message.get("body", b"")

    async def inner(scope: dict, receive, send) -> None:
        answer.reached = True
        more = True
        while more:
            message = await receive()
            more = message.get("more_body", False)
            answer.read += len(message.get("body", b""))
        if reads_on:
            await receive()
        start = {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]}
        await send(start)
        await send({"type": "http.response.body", "body": b"yes"})

    headers = [] if length is None else [(b"content-length", str(length).encode())]
    scope = {"type": "http", "path": path, "method": method, "headers": headers}
    scope["query_string"] = query
    settings = AppSettings(max_upload_mb=5, max_picture_mb=1)
    told = [] if open_pages is None else open_pages
    left = free if callable(free) else lambda: free
    gate = Gate(inner, settings, metrics or Metrics(), left, is_open=told.append)
    run(gate(scope, receive, send))
    return answer


@pytest.mark.parametrize(
    "path", ["/", "/config", "/gradio_api/queue/data", "/health", "/assets/x.js"]
)
def test_the_page_and_its_parts_pass(path: str) -> None:
    answer = ask(path)
    assert (answer.status, answer.body) == (200, b"yes")
    assert answer.headers[b"x-content-type-options"] == b"nosniff"
    assert answer.headers[b"referrer-policy"] == b"no-referrer"


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=http://127.0.0.1/secret",
        "/gradio_api/file=HTTPS://example.org/x",
        "/gradio_api/file= http://127.0.0.1/",
        "/gradio_api/file=/http://127.0.0.1/",
        "/gradio_api/file/http://127.0.0.1/",
        "/gradio_api/file=ftp://127.0.0.1/",
        "/gradio_api/file=file:///etc/passwd",
        "/gradio_api/file=data:text/html,x",
        "/gradio_api/file=\nhttp://127.0.0.1/",
    ],
)
def test_the_server_asks_nobody_else_for_a_file(path: str) -> None:
    answer = ask(path)
    assert answer.status == 403 and not answer.reached
    assert b"no addresses" in answer.body


@pytest.mark.parametrize("path", ["/tmp/x/visitor-a/a.mp4", "C:/Users/a/b.mp4", "a:b.mp4"])
def test_files_are_passed_on_and_not_stored_in_between(path: str) -> None:
    answer = ask(f"/gradio_api/file={path}")
    assert answer.reached and answer.headers[b"cache-control"] == b"private, no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/proxy=https://x.hf.space/a",
        "/gradio_api/deep_link",
        "/gradio_api/run-history/records",
        "/gradio_api/vibe-edit/",
        "/gradio_api/process_recording",
        "/monitoring/summary",
    ],
)
def test_parts_of_gradio_that_are_not_used_are_closed(path: str) -> None:
    answer = ask(path, "POST")
    assert answer.status == 404 and not answer.reached


def test_too_large_a_file_is_refused_before_it_is_read() -> None:
    answer = ask("/gradio_api/upload", "POST", (b"x",), length=9 * MB)
    assert (answer.status, answer.reached) == (413, False)
    assert answer.body == (
        b"This upload is too large: the maximum allowed size is 5 MB, for several files together "
        b"too. Give a smaller file, or give the files one by one."
    )
    assert ask("/gradio_api/upload", "POST", (b"x",), length=5 * MB).reached


def test_too_large_a_picture_is_refused() -> None:
    answer = ask("/gradio_api/stream/ab", "POST", length=3 * MB)
    assert answer.status == 413 and b"the limit is 1 MB" in answer.body


def test_a_body_that_does_not_say_its_length_is_cut_off() -> None:
    parts = (bytes(MB),) * 20
    answer = ask("/gradio_api/queue/join", "POST", parts, length=100)
    assert answer.read <= 2 * MB
    answer = Answer()
    with pytest.raises(MultiPartException, match="maximum allowed size") as error:
        ask("/gradio_api/upload", "POST", parts, answer=answer)
    assert 0 < answer.read <= 6 * MB and "is 5 MB" in error.value.message


def test_an_upload_that_ends_early_fails_in_the_way_that_gradio_cleans_up_after() -> None:
    gone = {"type": "http.disconnect"}
    with pytest.raises(MultiPartException, match="interrupted"):
        ask("/gradio_api/upload", "POST", (b"half",), ending=gone)
    # Elsewhere, and once all has come, it is no fault.
    assert ask("/gradio_api/queue/join", "POST", (b"half",), ending=gone).reached
    assert ask("/gradio_api/upload", "POST", (b"whole",), reads_on=True).status == 200


def test_a_full_disk_takes_no_uploads_and_serves_the_rest() -> None:
    answer = ask("/gradio_api/upload", "POST", length=MB, free=400 * MB)
    assert answer.status == 507 and b"disk is nearly full" in answer.body
    assert ask("/gradio_api/queue/join", "POST", length=100, free=0).reached


def test_uploads_that_are_coming_in_are_counted() -> None:
    answers: list[int] = []

    async def both() -> None:
        begun, over = asyncio.Event(), asyncio.Event()

        async def inner(scope: dict, receive, send) -> None:
            if not begun.is_set():
                begun.set()
                await over.wait()
            while (await receive()).get("more_body"):
                pass

        async def sent() -> dict:
            return {"type": "http.request", "body": bytes(4 * MB)}

        async def told(message: dict) -> None:
            answers.append(message.get("status", 0))

        gate = Gate(inner, AppSettings(max_upload_mb=5, min_free_mb=10), Metrics(), lambda: 16 * MB)
        length = [(b"content-length", str(4 * MB).encode())]
        scope = {"type": "http", "path": "/gradio_api/upload", "method": "POST"}
        scope |= {"headers": length, "query_string": b""}
        first = asyncio.ensure_future(gate(scope, sent, told))
        await begun.wait()
        await gate(scope, sent, told)  # 16 - 4 that are coming - 4 < 10
        over.set()
        await first
        begun.clear()
        await gate(scope, sent, told)  # nothing is coming any more
        assert begun.is_set()

    run(both())
    assert [status for status in answers if status] == [507]


def test_the_disk_is_looked_at_again_while_an_upload_comes_in(monkeypatch) -> None:
    monkeypatch.setattr("app.room._STEP", MB)
    free = iter((502 * MB, 501 * MB, 501 * MB, 499 * MB))
    answer = Answer()
    with pytest.raises(MultiPartException, match="disk is nearly full"):
        ask("/gradio_api/upload", "POST", (bytes(MB),) * 5, free=lambda: next(free), answer=answer)
    assert answer.read == 2 * MB


def test_camera_pictures_are_counted() -> None:
    metrics = Metrics()
    for path in ("/gradio_api/stream/ab", "/gradio_api/stream/ab", "/gradio_api/stream/ab/close"):
        ask(path, "POST", metrics=metrics)
    assert metrics.total("frames_received_total") == 2


def test_pages_say_that_they_are_open() -> None:
    told: list[str] = []
    path = "/gradio_api/app_id"
    for query in (b"page=ab12", b"", b"page=", b"page=../x", b"page=" + b"a" * 65):
        assert ask(path, query=query, open_pages=told).reached
    ask("/gradio_api/queue/data", query=b"page=other", open_pages=told)
    assert told == ["ab12"]
