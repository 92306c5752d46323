"""The *Live* tab in a browser with a fake camera: frames per second, delay, and what they cost.

    python -m benchmarks.live --video VIDEO [--people N] [--seconds 30] [--alone] [--json FILE]

Starts the app and Chromium on this machine. The camera plays the video at 640x480 and 30 frames/s
and numbers its frames; the page is asked which number its picture shows and which the camera shows
by then, so the delay is that from the camera to the screen. Needs playwright and Chromium.

With `--alone`, the app's own work without a browser: each picture goes through pose, tracking,
recognition and drawing to a JPEG, then the one that the camera shows by then is taken.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import Page, sync_playwright

from app.engine import Engine
from app.live import LiveStream
from app.live_image import as_data_url
from app.settings import AppSettings, UserOptions
from benchmarks.live_camera import BITS, BLOCK, FPS, SIZE, steady, write_camera
from benchmarks.machine import machine, markdown, told, write_json
from benchmarks.serving import answering_app
from skeletr.devices import share_cores
from skeletr.pose import FRONTENDS
from skeletr.video import VideoReader

_PATIENCE = 300.0  # seconds until a page has done what it should
_SETTLE = 4.0  # seconds left out at the start: models warm up, people are found
_BROWSER = (
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--people", type=int, default=1, help="wait until so many are labelled")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--alone", action="store_true", help="without server and browser")
    parser.add_argument("--screenshot", type=Path, help="save what the page looks like")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    figures = _alone(options) if options.alone else _in_browser(options)
    figures = {"video": options.video.name, "people": options.people} | figures
    facts = machine()
    print(f"{told(facts)}\n{markdown(figures)}")
    if options.json:
        write_json(options.json, facts, figures)
    return 0


def _in_browser(options: argparse.Namespace) -> dict:
    with (
        tempfile.TemporaryDirectory() as folder,
        answering_app(Path(folder)) as (url, server),
    ):
        camera = Path(folder) / "camera.mjpeg"
        total = write_camera(VideoReader(options.video), camera)
        with _page(url, camera) as page:
            return _measure(page, server.pid, options, total)


def _alone(options: argparse.Namespace) -> dict:
    share_cores()
    pictures = list(steady(VideoReader(options.video)))
    engine = Engine(AppSettings())
    engine.wait()
    stream = LiveStream(engine, UserOptions(FRONTENDS[0]))
    shares, times, people = Counter(), [], []
    begin, spent = time.perf_counter(), time.process_time()
    while (now := time.perf_counter() - begin) < options.seconds + _SETTLE:
        view = stream.step(pictures[int(now * FPS) % len(pictures)], mirrored=True)
        as_data_url(view.image)
        if now < _SETTLE:
            spent = time.process_time()
            continue
        times.append(time.perf_counter() - begin - now)
        people.append(len(view.actions.people))
        shares.update(view.stages)
    stream.close()
    busy = sum(times)
    return {
        "frames_per_second": round(len(times) / busy, 1),
        "people_seen": round(float(np.mean(people)), 2),
        "ms_median": round(1e3 * float(np.median(times)), 1),
        "ms_p95": round(1e3 * float(np.percentile(times, 95)), 1),
        "cpu_ms_per_frame": round(1e3 * (time.process_time() - spent) / len(times), 1),
        **{f"share_of_{stage}": round(seconds / busy, 3) for stage, seconds in shares.items()},
    }


def _measure(page: Page, server: int, options: argparse.Namespace, total: int) -> dict:
    page.get_by_role("tab", name="Live").click()
    page.get_by_text("Click to Access Webcam").click()
    page.get_by_label("capture photo").first.click()
    page.locator("#live-people li").nth(options.people - 1).wait_for()
    probe = (Path(__file__).parent / "live_probe.js").read_text()
    page.evaluate(probe, [BITS, BLOCK, SIZE[0], total])
    page.wait_for_timeout(1e3 * _SETTLE)
    start = page.evaluate("[skeletrProbe.shown.length, skeletrProbe.lags.length]")
    begin, spent = time.perf_counter(), _spent(server)
    page.wait_for_timeout(1e3 * options.seconds)
    seconds, after = time.perf_counter() - begin, _spent(server)
    seen = page.evaluate("skeletrProbe")
    if options.screenshot:
        page.screenshot(path=str(options.screenshot), full_page=True)
    lags = np.array(seen["lags"][start[1] :] or [np.nan])
    shown = np.diff(seen["shown"][start[0] :])
    return {
        "seconds": round(seconds, 1),
        "frames_per_second": round((len(seen["shown"]) - start[0]) / seconds, 1),
        "lag_ms_median": round(1e3 * float(np.median(lags))),
        "lag_ms_p95": round(1e3 * float(np.percentile(lags, 95))),
        "pause_ms_p95": round(float(np.percentile(shown, 95))) if len(shown) else None,
        "lags_read": len(lags),
        "lags_unread": seen["unread"],
        "sent_per_shown": round(seen["posts"] / max(len(seen["shown"]), 1), 2),
        "kilobytes_per_sent": round(seen["posted"] / max(seen["posts"], 1) / 1024, 1),
        "plot_changes_per_second": round(seen["plots"] / (seconds + _SETTLE), 1),
        "server_cores": round((after["server"] - spent["server"]) / seconds, 2),
        "browser_cores": round((after["browser"] - spent["browser"]) / seconds, 2),
        "server_megabytes": round(psutil.Process(server).memory_info().rss / 2**20),
        "badge": " ".join(page.locator("#live-badge").inner_text().split()),
    }


def _spent(server: int) -> dict[str, float]:
    """Seconds of processor time of the app and of the browser so far."""
    mine = psutil.Process().children(recursive=True)
    browser = [p for p in mine if p.pid != server and "chrom" in p.name()]
    return {"server": _seconds(psutil.Process(server)), "browser": sum(map(_seconds, browser))}


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


@contextmanager
def _page(url: str, camera: Path) -> Iterator[Page]:
    """The app's page in a Chromium whose camera plays a file."""
    path = next((p for n in ("chromium", "google-chrome") if (p := shutil.which(n))), None)
    if path is None:
        raise SystemExit("no browser: neither chromium nor google-chrome is installed")
    arguments = [*_BROWSER, f"--use-file-for-fake-video-capture={camera}"]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=arguments)
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(1e3 * _PATIENCE)
            page.goto(url)
            page.locator(".sk-state.sk-ready").wait_for()
            yield page
        finally:
            browser.close()


if __name__ == "__main__":
    raise SystemExit(main())
