"""A running app, a browser, and videos with people for the tests of the page."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from skeletr.checkpoint import DEFAULT_CHECKPOINT, Calibration, Checkpoint
from skeletr.model import SkeleTR, SkeleTRConfig
from skeletr.pose import PoseError, create_frontend
from skeletr.sequences import SequenceConfig
from skeletr.video import VideoReader

ROOT = Path(__file__).parents[2]
START = 180_000  # milliseconds a page may take; the machines that run tests are slow and shared
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model that is shipped, made to answer always; these tests are not about accuracy."""
    folder = tmp_path_factory.mktemp("checkpoint")
    if (DEFAULT_CHECKPOINT / "config.json").is_file():
        shipped = Checkpoint.from_pretrained(DEFAULT_CHECKPOINT)
        calibration = replace(shipped.calibration, threshold=0.0)
        replace(shipped, calibration=calibration).save_pretrained(folder)
        return folder
    labels = ("walk", "jump", "wave", "sit down")
    model = SkeleTR(SkeleTRConfig(instance_classes=len(labels), scene_classes=len(labels)))
    untrained = Checkpoint(model.eval(), labels, SequenceConfig(), Calibration(threshold=0.0))
    untrained.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def pose_model() -> None:
    """Skip where the pose model can neither be found nor fetched."""
    try:
        create_frontend("mediapipe").close()
    except PoseError as error:
        pytest.skip(f"the pose model cannot be had here: {error}")


@pytest.fixture(scope="session")
def app_url(
    checkpoint: Path, pose_model: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Address of the app, started the way a user starts it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("app") / "log.txt"
    command = [sys.executable, "launch.py", "--port", str(port), "--checkpoint", str(checkpoint)]
    environment = os.environ | {"GRADIO_TEMP_DIR": str(tmp_path_factory.mktemp("uploads"))}
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, env=environment)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(20)
    assert "Traceback" not in log.read_text(), log.read_text()


def _wait_until_it_answers(url: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START / 1000
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.3)
    raise RuntimeError(f"the app does not answer:\n{log.read_text()}")


@pytest.fixture(scope="session")
def playwright_driver() -> Iterator:
    """Playwright, for the system's Chromium."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def launch_browser(playwright_driver) -> Callable:
    """Context manager: a Chromium with more arguments."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(names)} is installed")

    @contextmanager
    def launch(*arguments: str) -> Iterator:
        browser = playwright_driver.chromium.launch(
            executable_path=path, args=[*_QUIET, *arguments]
        )
        try:
            yield browser
        finally:
            browser.close()

    return launch


@pytest.fixture(scope="session")
def browser(launch_browser: Callable) -> Iterator:
    """A Chromium without a camera."""
    with launch_browser() as found:
        yield found


@pytest.fixture
def open_page(app_url: str) -> Iterator[Callable]:
    """Open the app in a page of its own session; checks that the page asks nobody else."""
    contexts, foreign = [], []

    def note(request) -> None:
        if not request.url.startswith((app_url, "data:", "blob:")):
            foreign.append(request.url)

    def open_in(browser):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(START)
        page.on("request", note)
        page.goto(app_url)
        page.locator(".sk-state.sk-ready").wait_for()
        return page

    yield open_in
    for context in contexts:
        context.close()
    assert not foreign


def astronaut(frames: int = 40, size: int = 384) -> Iterator[np.ndarray]:
    """A public-domain portrait, (size, size, 3) RGB, with a camera that sways and zooms."""
    data = pytest.importorskip("skimage.data", reason="scikit-image is not installed")
    portrait = data.astronaut()
    for index in range(frames):
        phase = 2 * np.pi * index / frames
        side = round(470 + 40 * np.cos(phase))
        left = round((512 - side) * (0.5 + 0.5 * np.sin(phase)))
        yield cv2.resize(portrait[:side, left : left + side], (size, size))


@pytest.fixture(scope="session")
def portrait_video(make_video: Callable[..., Path]) -> Path:
    """Four seconds of one person, made from a photograph."""
    return make_video("portrait <b>&.mp4", astronaut())


@pytest.fixture(scope="session")
def write_mjpeg(tmp_path_factory: pytest.TempPathFactory) -> Callable:
    """Write frames as the MJPEG stream that Chromium plays as a camera, at 30 frames/s."""
    folder = tmp_path_factory.mktemp("camera")

    def write(name: str, images: Iterator[np.ndarray], repeat: int) -> Path:
        path = folder / name
        with av.open(str(path), "w", format="mjpeg") as container:
            stream = container.add_stream("mjpeg", rate=30, options={"qscale": "3"})
            stream.pix_fmt = "yuvj420p"
            for image in images:
                if not stream.codec_context.is_open:
                    stream.height, stream.width = image.shape[:2]
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                for _ in range(repeat):
                    container.mux(stream.encode(frame.reformat(format="yuvj420p")))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.fixture(scope="session")
def camera_file(write_mjpeg: Callable, request: pytest.FixtureRequest) -> tuple[Path, int]:
    """What the fake camera shows, and how many people are in it."""
    if os.environ.get("SKELETR_TEST_VIDEOS"):
        video = request.getfixturevalue("videos") / "exercise_three_people.avi"
        return write_mjpeg("three.mjpeg", (f.image for f in VideoReader(video)), 3), 3
    return write_mjpeg("one.mjpeg", astronaut(120), 2), 1


@pytest.fixture(scope="session")
def few_people(write_mjpeg: Callable, request: pytest.FixtureRequest) -> tuple[Path, int]:
    """As `camera_file` with two people, where pace matters: a machine that finds three people in
    fewer than three frames a second cannot learn from a take."""
    if os.environ.get("SKELETR_TEST_VIDEOS"):
        video = request.getfixturevalue("videos") / "exercise_three_people.avi"
        return write_mjpeg("two.mjpeg", (f.image[:, :236] for f in VideoReader(video)), 3), 2
    return request.getfixturevalue("camera_file")


@pytest.fixture(scope="session")
def people_video(portrait_video: Path, request: pytest.FixtureRequest) -> Path:
    """A short video of people: a real one where there is one, else the portrait."""
    if os.environ.get("SKELETR_TEST_VIDEOS"):
        return request.getfixturevalue("videos") / "derived/vfr_bedroom.mp4"
    return portrait_video
