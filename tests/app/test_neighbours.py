"""A script that invents page after page gets no more than the share of one network address."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import httpx
import pytest

from app.neighbours import group_of, share_of
from app.places import LineFull, Places
from app.room import DiskFull, Room, ShareTaken
from app.settings import AppSettings
from tests.app.protocol import Page, camera_picture
from tests.app.serving import OPTIONS, serving, wait_until

MB = 2**20
SCRIPT, OTHER = "8.8.8.8", "9.9.9.9"


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("8.8.8.8", "8.8.8.8"),
        ("::ffff:8.8.8.8", "8.8.8.8"),
        ("2a00:1450:4001:82a::200e", "2a00:1450:4001:82a::"),
        ("2a00:1450:4001:82a:ffff::1", "2a00:1450:4001:82a::"),
        ("127.0.0.1", ""),
        ("10.1.2.3", ""),
        ("fe80::1", ""),
        ("testclient", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_only_public_addresses_make_a_group(address: str | None, group: str) -> None:
    assert group_of(address) == group


def test_a_share_is_never_nothing() -> None:
    assert [share_of(n, 0.5) for n in (1, 2, 3, 32)] == [1, 1, 1, 16]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_invented_pages_leave_places_and_the_line_to_others() -> None:
    places = Places(4, 4, turn=100.0, idle=10.0, clock=Clock(), share=0.5)
    assert [places.ask(f"s{i}", "script").position for i in range(4)] == [0, 0, 1, 2]
    with pytest.raises(LineFull, match="2 visitors from your network address wait"):
        places.ask("s4", "script")
    assert places.ask("a", "home").position == 0  # past those who have their share
    assert places.ask("b").position == 0
    assert places.ask("c").position == 1
    places.leave("a")
    assert [places.ask(k, g).position for k, g in (("s2", "script"), ("c", ""))] == [1, 0]


def test_those_of_one_address_take_turns_among_themselves() -> None:
    clock = Clock()
    places = Places(4, 4, turn=100.0, idle=1000.0, clock=clock, share=0.5)
    served: dict[str, int] = dict.fromkeys(("a", "b", "c"), 0)
    for clock.now in range(0, 3000, 10):
        for key in served:
            served[key] += places.ask(key, "school").granted
        assert places.served == 2
    assert min(served.values()) > 0.7 * max(served.values())


def test_without_an_address_nobody_is_held_back() -> None:
    places = Places(4, 4, turn=100.0, idle=10.0, clock=Clock(), share=0.5)
    assert [places.ask(f"p{i}").position for i in range(8)] == [0, 0, 0, 0, 1, 2, 3, 4]


def test_uploads_of_one_address_leave_room_on_the_disk(tmp_path: Path) -> None:
    files = [tmp_path / f"{i}.mp4" for i in range(9)]
    room = Room(lambda: 100 * MB - MB * len(list(tmp_path.iterdir())), 20 * MB, share=0.1)

    def upload(path: Path, group: str) -> None:
        with room.claim(MB, group) as claim:
            claim.came(MB)
            path.write_bytes(bytes(MB))
        room.lie(group, [path])

    with pytest.raises(ShareTaken, match="from your network address"):
        for path in files:
            upload(path, SCRIPT)
    assert len(list(tmp_path.iterdir())) == 8  # a tenth of what may be used
    with room.claim(60 * MB, OTHER), pytest.raises(DiskFull), room.claim(MB, OTHER):
        pass  # a single one may be large, but not two at once
    files[0].unlink()
    upload(files[0], SCRIPT)  # as soon as its page is closed there is room again


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gr.Blocks]:
    """The app in this process, which believes what a proxy on this machine says of addresses."""
    settings = AppSettings(max_live=2, max_waiting=4, max_sessions=4)
    with serving(settings, tmp_path_factory.mktemp("files")) as page:
        page.engine.wait(60)
        yield page


@pytest.fixture
def open_from(served: gr.Blocks) -> Iterator:
    pages = []

    def open_one(address: str) -> Page:
        pages.append(Page(served))
        pages[-1]._http.headers["X-Forwarded-For"] = address
        return pages[-1]

    yield open_one
    for page in pages:
        page.close()
    wait_until(lambda: not len(served.sessions) and not served.sessions.places.served)


def start_camera(page: Page, seen: list[str]) -> None:
    """Start it; what the page is told is added to `seen`."""
    page.join("step", [camera_picture(), True, False, *OPTIONS])

    def listen() -> None:
        with suppress(httpx.HTTPError, RuntimeError):
            for message in page.messages():
                if message.get("output"):
                    seen.append(json.dumps(message["output"]))

    threading.Thread(target=listen, daemon=True).start()


def test_a_script_cannot_take_all_cameras(served: gr.Blocks, open_from) -> None:
    told: list[list[str]] = []
    for _ in range(5):
        told.append([])
        start_camera(open_from(SCRIPT), told[-1])
        wait_until(lambda: told[-1])
    assert any("data:image" in text for text in told[0])
    assert all(any("in line" in text for text in seen) for seen in told[1:3])
    assert all(any("from your network address wait" in text for text in seen) for seen in told[3:])
    assert (served.sessions.places.served, served.sessions.places.waiting) == (1, 2)
    seen: list[str] = []
    start_camera(open_from(OTHER), seen)
    wait_until(lambda: any("data:image" in text for text in seen))


def test_a_script_cannot_take_all_cameras_that_are_listened_to(
    served: gr.Blocks, open_from
) -> None:
    most = share_of(served.engine.settings.streams, 0.5)
    refused = 0
    for _ in range(most + 3):
        try:
            start_camera(open_from(SCRIPT), [])
        except httpx.HTTPStatusError as error:
            assert "from your network address" in error.response.json()["detail"]
            refused += 1
    assert refused == 3
    seen: list[str] = []
    start_camera(open_from(OTHER), seen)
    wait_until(lambda: any("data:image" in text for text in seen))


def test_a_script_cannot_take_all_pages(served: gr.Blocks, open_from, moving_video: Path) -> None:
    def recognise(page: Page) -> dict:
        path = page.upload(moving_video, "film.mp4").json()[0]
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        return page.call("recognise", [file, *OPTIONS])

    answers = [recognise(open_from(SCRIPT)) for _ in range(3)]
    assert len(served.sessions) == 2
    assert "pages from your network address" in str(answers[2]["output"])
    assert recognise(open_from(OTHER))["success"] and len(served.sessions) == 3


def test_a_script_cannot_fill_the_disk(
    served: gr.Blocks, open_from, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = served.engine.settings.min_free_mb * MB + MB
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=left))

    def upload(address: str, number: int) -> httpx.Response:
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(bytes([number]) * (MB * 3 // 10))
        return open_from(address).upload(path, path.name)

    assert [upload(SCRIPT, i).status_code for i in range(4)] == [200, 200, 507, 507]
    assert "from your network address" in upload(SCRIPT, 4).text
    assert upload(OTHER, 5).status_code == 200


def test_a_script_cannot_fill_the_line(
    served: gr.Blocks, open_from, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served._queue, "max_size", 2)
    go_on = threading.Event()
    first, second, other = (open_from(a) for a in (SCRIPT, SCRIPT, OTHER))
    event = next(f for f in served.fns.values() if f.name == "recognise")
    started = threading.Event()
    monkeypatch.setattr(event, "fn", lambda *_: (started.set(), go_on.wait(120)))
    try:
        first.join("recognise", [None, *OPTIONS])
        assert started.wait(60)
        with pytest.raises(httpx.HTTPStatusError) as error:
            second.join("recognise", [None, *OPTIONS])
        assert "Too much was asked from your network address" in error.value.response.text
        assert other.join("recognise", [None, *OPTIONS])
    finally:
        go_on.set()
