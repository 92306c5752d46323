"""What cannot be used is refused though the place in line is taken and no model is loaded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from app import teacher
from app.engine import Engine
from app.sessions import Sessions
from app.settings import AppSettings, UserOptions
from app.ui import build, launch_options, stop
from app.vault import Vault
from skeletr.synthetic.babble import babble
from skeletr.video import VideoLimits
from tests.app.conftest import START
from tests.app.fakes import FakePose, untrained
from tests.app.test_video_page import drop
from tests.conftest import pattern

LIMITS = VideoLimits(max_seconds=5, max_pixels=320 * 240)


class Busy(FakePose):
    """A pose model that finds nobody before it may go on."""

    go_on = threading.Event()

    def estimate(self, image: np.ndarray, time: float) -> tuple:
        assert self.go_on.wait(120)
        return super().estimate(image, time)


@pytest.fixture
def refused(make_video: Callable[..., Path], tmp_path: Path) -> dict[str, tuple[Path, str]]:
    """Files that cannot be used, and what is to be said of each."""
    text, empty, cut = tmp_path / "letter.mp4", tmp_path / "empty.mp4", tmp_path / "cut.mp4"
    text.write_text("Dear all")
    empty.touch()
    long = make_video("long.mp4", (pattern(i) for i in range(80)))
    large = make_video("large.mp4", (pattern(i, (640, 360)) for i in range(5)))
    cut.write_bytes(long.read_bytes()[: long.stat().st_size // 2])
    damaged = tmp_path / "mine.npz"
    damaged.write_bytes(b"PK\x03\x04 and nothing else")
    return {
        "long": (long, "long.mp4 is too long: 0:08, the limit is 0:05"),
        "large": (large, "large.mp4 is too large: 640x360 pixels, the limit is 0.1 megapixels"),
        "text": (text, "letter.mp4 is not a video"),
        "empty": (empty, "empty.mp4 is empty"),
        "cut": (cut, "cut.mp4 is not a video that can be read"),
        "damaged": (damaged, "mine.npz is neither a session nor a recording"),
    }


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable]:
    """Serve the app in this process, with one place for videos."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "files"))
    monkeypatch.setattr(Busy, "go_on", threading.Event())
    monkeypatch.setattr(teacher, "background_scenes", lambda: babble(4))
    served = []

    def begin(load: Callable = untrained) -> gr.Blocks:
        settings = AppSettings(jobs=1, limits=LIMITS)
        page = build(settings, Engine(settings, load, lambda options: Busy()))
        served.append(page)
        page.launch(prevent_thread_lock=True, quiet=True, **launch_options(settings, page))
        return page

    yield begin
    Busy.go_on.set()
    for page in served:
        stop(page)


@pytest.fixture
def open_in(browser) -> Iterator[Callable]:
    contexts = []

    def open_one(served: gr.Blocks):
        contexts.append(browser.new_context())
        page = contexts[-1].new_page()
        page.set_default_timeout(START)
        page.goto(served.local_url)
        page.get_by_role("tab", name="Video").wait_for()
        return page

    yield open_one
    for context in contexts:
        context.close()


def waiting(served: gr.Blocks) -> int:
    """How many wait for the place of the videos."""
    queue = served._queue.event_queue_per_concurrency_id.get("video")
    return len(queue.queue) if queue else 0


def test_while_the_place_is_taken(
    serve: Callable, open_in: Callable, refused: dict, moving_video: Path
) -> None:
    served = serve()
    served.engine.wait(60)
    first, page = open_in(served), open_in(served)
    drop(first, moving_video)
    first.locator(".sk-progress").wait_for()
    for path, said in refused.values():
        drop(page, path)
        page.locator("#video-status .sk-problem").filter(has_text=said).wait_for()
        page.locator("#video-cancel").wait_for(state="hidden")
        assert not waiting(served)
    assert not page.locator(".toast-wrap").get_by_text("line").count()
    drop(page, moving_video)
    page.get_by_text("Waiting for a free place.").wait_for()
    page.locator("#video-cancel").click()
    page.get_by_text("Stopped. Press Recognise").wait_for()
    page.get_by_role("button", name="Recognise", exact=True).click()
    page.get_by_text("Waiting for a free place.").wait_for()
    assert first.locator(".sk-progress").is_visible()
    Busy.go_on.set()
    for tab in (first, page):
        tab.locator("#video-results").wait_for()
    drop(page, refused["long"][0])
    page.locator("#video-status .sk-problem").wait_for()
    assert not page.locator("#video-results").is_visible()


def test_clips_while_the_place_is_taken(
    serve: Callable, open_in: Callable, refused: dict, moving_video: Path
) -> None:
    served = serve()
    served.engine.wait(60)
    first, page = open_in(served), open_in(served)
    drop(first, moving_video)
    first.locator(".sk-progress").wait_for()
    page.get_by_role("tab", name="Teach").click()
    page.locator("#teach-name input, #teach-name textarea").first.fill("juggle")
    clips = page.locator("#teach-clips input[type=file]")
    clips.set_input_files([str(refused[name][0]) for name in ("long", "text")])
    for name in ("long", "text"):
        said = refused[name][1]
        page.locator("#teach-told .sk-problem").filter(has_text=said).wait_for()
    page.locator("#teach-cancel").wait_for(state="hidden")
    assert not waiting(served)
    clips.set_input_files([str(refused["text"][0]), str(moving_video)])
    page.get_by_text("Waiting for a free place.").wait_for()
    Busy.go_on.set()
    page.locator("#teach-told .sk-problem").filter(has_text="not a video").wait_for()
    page.locator("#teach-told").get_by_text("of “juggle” was learned").wait_for()


def test_while_the_models_load(serve: Callable, open_in: Callable, refused: dict) -> None:
    def load(settings: AppSettings) -> None:
        assert Busy.go_on.wait(120)
        raise ValueError("no model in this test")

    served = serve(load)
    page = open_in(served)
    for path, said in refused.values():
        drop(page, path)
        page.locator("#video-status .sk-problem").filter(has_text=said).wait_for()
    assert served.engine.state.value == "loading"


def test_what_is_given_up_while_it_is_looked_at(
    serve: Callable, open_in: Callable, make_video: Callable, moving_video: Path, monkeypatch
) -> None:
    looked, go_on = [], threading.Event()

    def slow(path: Path, name: str, limits: VideoLimits) -> None:
        looked.append(name)
        assert go_on.wait(60)

    monkeypatch.setattr("app.checks.check", slow)
    served = serve()
    served.engine.wait(60)
    Busy.go_on.set()
    page = open_in(served)
    drop(page, make_video("first.mp4", (pattern(i) for i in range(10))))
    page.get_by_text("Looking at the file").wait_for()
    page.locator("#video-cancel").click()
    page.get_by_text("Stopped. Press Recognise").wait_for()
    drop(page, moving_video)  # while the first one is still looked at
    page.get_by_text("Looking at the file").wait_for()
    go_on.set()
    page.locator("#video-results").wait_for()
    assert "moving.mp4" in page.locator("#video-verdict").inner_text()
    assert looked == ["first.mp4", "moving.mp4"]
    assert served.sessions.metrics.total("videos_total") == 1


def test_a_job_of_a_program_while_the_models_load(tmp_path: Path, refused: dict) -> None:
    go_on = threading.Event()

    def load(settings: AppSettings) -> None:
        go_on.wait(60)
        raise ValueError("no model in this test")

    engine = Engine(AppSettings(limits=LIMITS), load, lambda options: FakePose())
    session = Sessions(engine, Vault(tmp_path / "files", 3600)).get("a")
    for path, said in refused.values():
        job = session.begin(path, path.name, UserOptions("fake"), files=False)
        assert job.wait(60) and job.outcome.problem.startswith(said)
    assert engine.state.value == "loading"
    go_on.set()


def test_only_a_few_are_looked_at_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: dict
) -> None:
    """Whoever would wait for long is looked at when it is its turn."""
    monkeypatch.setattr("app.checks._PATIENCE", 0.01)
    looked, go_on, begun = [], threading.Event(), threading.Semaphore(0)

    def slow(path: Path, name: str, limits: VideoLimits) -> None:
        looked.append(path)
        begun.release()
        assert go_on.wait(60)

    monkeypatch.setattr("app.checks.check", slow)
    checks = Sessions(Engine(AppSettings()), Vault(tmp_path, 3600)).checks
    path, _ = refused["text"]
    threads = [threading.Thread(target=checks.problem, args=(path, "a", LIMITS)) for _ in range(2)]
    for thread in threads:
        thread.start()
        assert begun.acquire(timeout=60)
    assert checks.problem(path, "a", LIMITS) == "" and len(looked) == 2
    go_on.set()
    for thread in threads:
        thread.join()
    monkeypatch.undo()
    assert checks.problem(path, "a.mp4", LIMITS).startswith("a.mp4 is not a video")
