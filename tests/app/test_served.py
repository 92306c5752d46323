"""The app over HTTP with its own protocol: states, limits, and what visitors see of each other."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import quote

import gradio as gr
import httpx
import pytest

from app.settings import AppSettings
from tests.app.serving import OPTIONS, ask_at_once, pages, serving, uploaded, wait_until


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gr.Blocks]:
    """The app with one place at the camera."""
    settings = AppSettings(max_live=1, max_upload_mb=2)
    with serving(settings, tmp_path_factory.mktemp("files")) as page:
        yield page


@pytest.fixture
def open_page(served: gr.Blocks) -> Iterator:
    with pages(served) as open_one:
        yield open_one


def test_health_says_what_runs(served: gr.Blocks) -> None:
    served.engine.wait(60)
    answer = httpx.get(f"{served.local_url}health", timeout=60)
    facts = answer.json()
    assert (answer.status_code, facts["status"]) == (200, "ok")
    assert {"SkeleTR Live", "Gradio", "PyTorch", "Python"} <= set(facts["versions"])
    assert facts["uptime_seconds"] > 0


def test_metrics_are_in_the_format_of_prometheus(served: gr.Blocks) -> None:
    lines = httpx.get(f"{served.local_url}metrics", timeout=60).text.splitlines()
    names = {line.split()[0].split("{")[0] for line in lines if not line.startswith("#")}
    assert {"skeletr_memory_bytes", "skeletr_sessions_open", "skeletr_live_waiting"} <= names
    for name in names:
        assert any(line.startswith(f"# TYPE {name} ") for line in lines)


def test_a_video_goes_through_and_its_files_go_with_the_page(
    served: gr.Blocks, open_page, moving_video: Path
) -> None:
    page = open_page()
    file = uploaded(page, moving_video, "<img src=x onerror=alert(1)>.mp4")
    done = page.call("recognise", [file, *OPTIONS])
    assert done["success"], done
    shown = json.dumps(done["output"])
    assert "<img" not in shown.replace("\\u003c", "<").replace("<img alt", "")
    session = served.sessions.get(page.key)
    results = [str(p) for p in session._folder.iterdir()]
    assert len(results) == 7
    assert all(page.get(f"/file={quote(path)}").status_code == 200 for path in results)
    page.close()
    wait_until(lambda: not len(served.sessions))
    stranger = open_page()
    for path in (*results, file["path"]):
        assert stranger.get(f"/file={quote(path)}").status_code == 403
    assert list(served.sessions.vault.root.glob("visitor-*")) == []


def test_only_what_was_asked_for_last_is_recognised(
    served: gr.Blocks, open_page, moving_video: Path
) -> None:
    page = open_page()
    first, second = (uploaded(page, moving_video, name) for name in ("first.mp4", "second.mp4"))
    session = served.sessions.get(page.key)
    for file in (first, second):  # both wait for their place
        session.expect(file["path"], Path(file["path"]))
    assert page.call("recognise", [first, *OPTIONS])["success"]
    assert session.outcome is None and Path(second["path"]).exists()
    assert page.call("recognise", [second, *OPTIONS])["success"]
    assert session.outcome.result.info.name == "second.mp4"


def test_files_of_others_and_of_the_server_cannot_be_had(
    served: gr.Blocks, open_page, moving_video: Path
) -> None:
    victim, stranger = open_page(), open_page()
    path = Path(uploaded(victim, moving_video)["path"])
    root = served.sessions.vault.root
    names = [
        str(root),
        str(path.parent),
        f"{root}/film.mp4",
        f"{root}/{'0' * 64}/film.mp4",
        f"{root}/*/film.mp4",
        f"{root}/../../../../etc/passwd",
        "/etc/passwd",
        "../../etc/passwd",
        "//etc/passwd",
        "/proc/self/environ",
        str(Path(__file__).resolve()),
        "launch.py",
        "app/engine.py",
        "checkpoints/skeletr-s/model.safetensors",
    ]
    for name in names:
        for form in (quote(name), quote(name, safe="")):
            answer = stranger.get(f"/file={form}")
            assert answer.status_code in (403, 404), (name, answer.status_code)
            assert b"root:" not in answer.content


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../../../../etc/passwd", "launch.py", "C:\\Windows\\win.ini"]
)
def test_a_file_of_the_server_is_not_taken_for_a_video(open_page, path: str) -> None:
    done = open_page().call(
        "recognise", [{"path": path, "meta": {"_type": "gradio.FileData"}}, *OPTIONS]
    )
    assert not done["success"]


def test_nobody_gets_past_the_line(served: gr.Blocks, open_page, moving_video: Path) -> None:
    page = open_page()
    file = uploaded(page, moving_video)
    opened = served.sessions.metrics.total("sessions_opened_total")
    body = {"data": [file, 6, None, "mediapipe"], "session_hash": page.key}
    for address in ("run/recognize", "api/recognize"):
        answer = httpx.post(f"{served.local_url}gradio_api/{address}", json=body, timeout=120)
        assert answer.status_code == 404 and "join the queue" in answer.text
    assert ask_at_once(served, page, "recognise", [file, *OPTIONS]).status_code == 404
    assert served.sessions.metrics.total("sessions_opened_total") == opened


def test_a_full_line_is_said_in_the_words_of_the_page(
    served: gr.Blocks, open_page, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 0 < served._queue.max_size < 1000
    monkeypatch.setattr(served._queue, "max_size", 0)
    with pytest.raises(httpx.HTTPStatusError) as error:
        open_page().join("recognise", [None, *OPTIONS])
    answer = error.value.response
    # Gradio's page has words of its own for 503.
    assert answer.status_code == 400 and "Too many visitors wait" in answer.json()["detail"]
    body = {"data": [None, 6, None, "mediapipe"]}
    address = f"{served.local_url}gradio_api/call/recognize"
    answer = httpx.post(address, json=body, timeout=120)
    assert answer.status_code == 503 and "Too many visitors wait" in answer.json()["detail"]


def test_a_page_without_room_is_told_at_once_and_its_file_is_not_looked_at(
    served: gr.Blocks, open_page, moving_video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Path] = []
    monkeypatch.setattr(
        served.sessions.checks, "problem", lambda path, *_: looked.append(path) or ""
    )
    page, most = open_page(), served.engine.settings.max_sessions
    file = uploaded(page, moving_video)
    others = [f"other{i}" for i in range(most)]
    for key in others:
        served.sessions.get(key)
    try:
        told = ask_at_once(served, page, "wait", [file])
        assert f"{most} people are using this app" in told.text
        assert not Path(file["path"]).exists()
        file = uploaded(page, moving_video)
        assert ask_at_once(served, page, "look", [file, ""]).status_code == 500
        assert not looked  # and what stands behind it in line is not begun
        assert ask_at_once(served, page, "refuse", []).status_code == 200
    finally:
        for key in others:
            served.sessions.close(key)
    assert ask_at_once(served, page, "wait", [file]).status_code == 200
    assert ask_at_once(served, page, "look", [file, ""]).status_code == 200
    assert [path.name for path in looked] == ["film.mp4"]


@contextlib.contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """An address of this machine, and who asked there."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_the_server_opens_no_address(open_page) -> None:
    with listening() as (address, asked):
        page = open_page()
        file = {"path": f"{address}/a.mp4", "meta": {"_type": "gradio.FileData"}}
        done = page.call("recognise", [file, *OPTIONS])
        assert not done["success"] and "addresses are not opened" in str(done["output"])
        done = page.call("step", [file, True, False, *OPTIONS])
        assert not done["success"] and "addresses are not opened" in str(done["output"])
        for form in (f"{address}/b", quote(f"{address}/b", safe="")):
            assert page.get(f"/file={form}").status_code == 403
        assert page.get(f"/proxy={address}/c").status_code == 404
        assert not asked


def test_too_large_a_file_is_refused(open_page, tmp_path: Path) -> None:
    path = tmp_path / "large.mp4"
    path.write_bytes(bytes(2 * 2**20 + 1000))
    answer = open_page().upload(path, path.name)
    assert answer.status_code == 413


def begin_upload(served: gr.Blocks, *headers: str) -> socket.socket:
    """A connection on which the headers of an upload were sent, and the beginning of its form."""
    address = httpx.URL(served.local_url)
    connection = socket.create_connection((address.host, address.port), 60)
    lines = ["POST /gradio_api/upload HTTP/1.1", f"Host: {address.host}", *headers]
    lines.append("Content-Type: multipart/form-data; boundary=next")
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    return connection


PART = (
    b'--next\r\nContent-Disposition: form-data; name="files"; filename="a.mp4"\r\n\r\n'
    + b"half a film" * 10_000
    + b"\r\n"
)


def parts_of_uploads(served: gr.Blocks) -> list[Path]:
    """Empty ones are there for files that Gradio handed over before."""
    found = []
    for path in served.sessions.vault.root.glob("tmp*"):
        with contextlib.suppress(FileNotFoundError):  # removed just now
            found += [path] if path.stat().st_size else []
    return found


def test_a_browser_that_vanishes_in_the_middle_of_an_upload_leaves_nothing(
    served: gr.Blocks,
) -> None:
    with begin_upload(served, f"Content-Length: {2 * len(PART)}") as connection:
        connection.sendall(PART)
        wait_until(lambda: parts_of_uploads(served))
    wait_until(lambda: not parts_of_uploads(served))


def test_an_upload_that_does_not_say_its_length_is_refused_and_leaves_nothing(
    served: gr.Blocks,
) -> None:
    with begin_upload(served, "Transfer-Encoding: chunked") as connection:
        with contextlib.suppress(OSError):  # it is cut off
            for _ in range(4 * 2**20 // len(PART)):
                connection.sendall(b"%x\r\n%b\r\n" % (len(PART), PART))
        assert b" 413 " in connection.recv(4096)
    wait_until(lambda: not parts_of_uploads(served))
