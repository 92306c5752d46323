"""The app over HTTP with its own protocol: states, limits, and what visitors see of each other."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import quote

import gradio as gr
import httpx
import pytest
from PIL import Image

from app import live_frames
from app.engine import Engine
from app.settings import AppSettings, UserOptions
from app.ui import build, launch_options, stop
from tests.app.fakes import FakePose, untrained
from tests.app.protocol import Page, camera_picture

OPTIONS = ["mediapipe", 6, False, 0.3, "as it is", UserOptions.smoothing]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gr.Blocks]:
    """The app in this process, with an untrained model, a fake pose frontend, one camera place."""
    FakePose.open = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("files")))
        patch.setattr(live_frames, "_LINE_PACE", 0.05)
        settings = AppSettings(max_live=1, max_upload_mb=2)
        page = build(settings, Engine(settings, untrained, lambda options: FakePose()))
        options = launch_options(settings, page)
        page.launch(prevent_thread_lock=True, quiet=True, **options)
        yield page
        stop(page)


@pytest.fixture
def open_page(served: gr.Blocks) -> Iterator:
    pages = []

    def open_one() -> Page:
        pages.append(Page(served))
        return pages[-1]

    yield open_one
    for page in pages:
        page.close()
    wait_until(lambda: not len(served.sessions))


def wait_until(true, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert true()


def uploaded(page: Page, video: Path, name: str = "film.mp4") -> dict:
    answer = page.upload(video, name)
    assert answer.status_code == 200, answer.text
    return {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}


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


def ask_at_once(served: gr.Blocks, page: Page, function: str, data: list) -> httpx.Response:
    """Ask for a function of the page by its own address, which does not go through the line."""
    named = [i for i, f in served.fns.items() if f.name == function]
    index = next(i for i in named if len(served.fns[i].inputs) == len(data))
    body = {"fn_index": index, "data": data, "session_hash": page.key}
    return httpx.post(f"{served.local_url}gradio_api/run/predict", json=body, timeout=120)


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


def test_values_that_the_page_does_not_offer_are_refused(
    open_page, moving_video: Path, served: gr.Blocks
) -> None:
    page = open_page()
    file = uploaded(page, moving_video)
    for place, value in (
        (0, "nobody"),
        (1, 10**9),
        (3, 55.0),
        (4, "<script>"),
        (5, "very strong"),
    ):
        options = [*OPTIONS[:2], True, *OPTIONS[3:]]
        options[place] = value
        done = page.call("recognise", [file, *options])
        assert not done["success"]


def test_a_picture_that_unpacks_to_a_huge_one_is_refused(open_page, monkeypatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)  # `launch.py` sets it from the settings
    assert "cannot be read" in shown_for(open_page(), camera_picture((160, 120)))


def shown_for(page: Page, picture: dict) -> str:
    """What the page shows of people for a picture of its camera."""
    page.join("step", [picture, True, False, *OPTIONS])
    for message in page.messages():
        if message["msg"] in ("process_streaming", "process_completed"):
            return json.dumps(message["output"])
    raise AssertionError("there was no answer")


def as_sent(kind: str, told: str) -> dict:
    """A picture of another format, as a page would send it."""
    file = io.BytesIO()
    Image.new("RGB", (160, 120)).save(file, kind)
    return {"url": f"data:image/{told};base64," + base64.b64encode(file.getvalue()).decode()}


@pytest.mark.parametrize("kind", ["TIFF", "JPEG2000", "ICNS", "PPM", "TGA", "GIF", "BMP"])
def test_only_what_cameras_send_is_decoded(served: gr.Blocks, open_page, kind: str) -> None:
    served.engine.wait(60)
    said = "JPEG, PNG or WebP"
    assert said in shown_for(open_page(), as_sent(kind, "jpeg"))
    page = open_page()
    # Gradio makes the camera anew for a page that changes it.
    assert ask_at_once(served, page, "<lambda>", [False]).status_code == 200
    assert said in shown_for(page, as_sent(kind, kind.lower()))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_cameras_send_is_recognised(served: gr.Blocks, open_page, kind: str) -> None:
    served.engine.wait(60)
    page = open_page()
    assert "data:image/jpeg" in shown_for(page, as_sent(kind, kind.lower()))
    page.close()
    wait_until(lambda: not served.sessions.places.served)


def test_an_upload_is_no_camera_picture(open_page, tmp_path: Path) -> None:
    path, page = tmp_path / "large.tiff", open_page()
    Image.new("RGB", (600, 500)).save(path)
    file = uploaded(page, path, path.name)
    assert "JPEG, PNG or WebP" in shown_for(page, file)


def test_a_page_that_sends_many_pictures_at_once_stops_nobody(
    served: gr.Blocks, open_page, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.engine.wait(60)
    begun, go_on, estimate = threading.Event(), threading.Event(), FakePose.estimate

    def slow(self: FakePose, image: object, moment: float) -> tuple:
        begun.set()
        assert go_on.wait(120)
        return estimate(self, image, moment)

    monkeypatch.setattr(FakePose, "estimate", slow)
    page, other = open_page(), open_page()
    dropped = served.sessions.metrics.total("frames_dropped_total")
    try:
        page.join("step", [camera_picture(), True, False, *OPTIONS])
        assert begun.wait(60)
        for _ in range(48):
            page.join("step", [camera_picture(), True, False, *OPTIONS])
        for path in ("health", "metrics"):
            assert httpx.get(f"{served.local_url}{path}", timeout=60).status_code == 200
        assert ask_at_once(served, other, "cancel", []).status_code == 200
        wait_until(lambda: served.sessions.metrics.total("frames_dropped_total") > dropped + 20)
    finally:
        go_on.set()


def stream(page: Page, seen: list[str]) -> str:
    """Start a camera; what the page shows of people is added to `seen`."""
    event = page.join("step", [camera_picture(), True, False, *OPTIONS])

    def listen() -> None:
        with contextlib.suppress(httpx.HTTPError, RuntimeError):
            for message in page.messages():
                for value in (message.get("output") or {}).get("data") or ():
                    if isinstance(value, str) and "sk-" in value:
                        seen.append(value)

    threading.Thread(target=listen, daemon=True).start()
    return event


def plays(page: Page, event: str, seen: list[str]) -> bool:
    """Send a picture more; whether people are shown by now."""
    page.push(event, [camera_picture(), True, False, *OPTIONS])
    return any("sk-live" in s for s in seen)


def test_a_second_camera_waits_in_line_and_gets_in(served: gr.Blocks, open_page) -> None:
    served.engine.wait(60)
    first, second = open_page(), open_page()
    seen_first: list[str] = []
    seen_second: list[str] = []
    event = stream(first, seen_first)
    wait_until(lambda: plays(first, event, seen_first))
    event = stream(second, seen_second)
    wait_until(lambda: any("1st in line" in s for s in seen_second))
    assert FakePose.open == 1 and served.sessions.places.waiting == 1
    first.close()  # its browser vanishes
    wait_until(lambda: plays(second, event, seen_second))
    assert FakePose.open == 1
    second.close()
    wait_until(lambda: FakePose.open == 0)
    total = served.sessions.metrics.total
    assert total("pose_streams_opened_total") == total("pose_streams_closed_total") > 0
    assert total("frames_total") > 2 and total("frames_received_total") > 2


def test_pictures_of_whoever_waited_are_not_written_to_the_disk(
    served: gr.Blocks, open_page
) -> None:
    served.engine.wait(60)
    first, second = open_page(), open_page()
    seen: list[str] = []
    event = stream(first, seen)
    wait_until(lambda: plays(first, event, seen))
    assert "1st in line" in shown_for(second, camera_picture())
    first.close()
    wait_until(lambda: not served.sessions.places.served)
    assert "data:image/jpeg" in shown_for(second, camera_picture())
    assert not [p for p in served.sessions.vault.root.rglob("image.*")]
