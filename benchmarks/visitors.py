"""1, 4 and 8 live visitors at once: frames per second and delay of each, and what they cost.

    python -m benchmarks.visitors --video VIDEO [--visitors 1 4 8] [--seconds 30] [--json FILE]

Starts the app and talks to it over HTTP as its page does, from this machine. Every visitor sends
numbered pictures of the video, at most `--rate` a second and two ahead of the answers (as
app/pace.js does), and reads the numbers of those that come back: the delay is that from sending to
receiving. With the largest number of
visitors one more comes: it must wait in line, and get in when another leaves.
"""

from __future__ import annotations

import argparse
import base64
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import httpx
import numpy as np
import psutil

from benchmarks.live_camera import BITS, BLOCK, SIZE, numbered, steady
from benchmarks.machine import machine, markdown, told, write_json
from benchmarks.serving import App, open_page, running_app
from skeletr.video import VideoReader

_SETTLE = 5.0  # seconds left out at the start: models warm up, people are found
_PICTURES = 300  # of the video, sent over and over
_JPEG = "data:image/jpeg;base64,"
_AHEAD = 2  # pictures on their way at once
_WAITED = 1.0  # seconds after which an answer is no longer waited for
_PATIENCE = 60.0  # seconds for whoever waits in line to get in


def main(arguments: list[str] | None = None) -> int:
    """Measure, print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--visitors", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument(
        "--rate", type=float, default=33.0, help="pictures a visitor sends a second"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    pictures = encode(options.video)
    most = max(options.visitors)
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        running_app(Path(folder), SKELETR_MAX_LIVE=str(most)) as app,
    ):
        for count in options.visitors:
            rows.append(measure(app, pictures, count, options, one_more=count == most))
            print(json.dumps(rows[-1]), flush=True)
        figures = {"video": options.video.name, "rows": rows, "at_the_end": streams(app)}
    facts = machine()
    print(f"{told(facts)}\n{markdown(figures['at_the_end'])}")
    if options.json:
        write_json(options.json, facts, figures)
    return 0


def encode(video: Path) -> list[dict]:
    """Numbered camera pictures of a video, as the page sends them."""
    found = []
    options = [cv2.IMWRITE_JPEG_QUALITY, 90]
    for number, image in zip(range(_PICTURES), steady(VideoReader(video)), strict=False):
        shown = cv2.cvtColor(numbered(image, number), cv2.COLOR_RGB2BGR)
        data = cv2.imencode(".jpg", shown, options)[1]
        found.append({"url": _JPEG + base64.b64encode(data).decode(), "number": number})
    return found


@dataclass
class Visitor:
    """One open page with a camera that runs until `stop` is set."""

    app: App
    pictures: list[dict]
    rate: float
    stop: threading.Event = field(default_factory=threading.Event)
    shown: list[float] = field(default_factory=list)  # when a picture came
    delays: list[float] = field(default_factory=list)  # of those whose number could be read
    sent: dict[int, float] = field(default_factory=dict)  # number -> when it was sent last
    ahead: list[float] = field(default_factory=list)  # when those on their way were sent
    told: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def start(self) -> Visitor:
        """Open the page and the camera."""
        self._page = open_page(self.app)
        self._event = self._page.join("step", self._inputs(0))
        self._threads = [threading.Thread(target=t, daemon=True) for t in (self._send, self._hear)]
        for thread in self._threads:
            thread.start()
        return self

    def leave(self) -> None:
        """Close the page."""
        self.stop.set()
        self._threads[0].join()
        self._page.close()
        self._threads[1].join(10)

    def _inputs(self, number: int) -> list:
        picture = self.pictures[number % len(self.pictures)]
        self.sent[picture["number"]] = time.perf_counter()
        return self.app.camera_inputs({"url": picture["url"]})

    def _send(self) -> None:
        number = 1
        while not self.stop.wait(1 / self.rate):
            now = time.perf_counter()
            self.ahead = [sent for sent in self.ahead if now - sent < _WAITED]
            if len(self.ahead) >= _AHEAD:
                continue
            self.ahead.append(now)
            try:
                self._page.push(self._event, self._inputs(number))
            except httpx.HTTPError as error:
                self.faults.append(repr(error))
            number += 1

    def _hear(self) -> None:
        with suppress(httpx.HTTPError, RuntimeError):  # of a page that was closed
            for message in self._page.messages():
                now = time.perf_counter()
                if message["msg"] == "process_completed" and not message.get("success", True):
                    self.faults.append(str(message.get("output"))[:200])
                for text in _texts(message.get("output")):
                    self._note(text, now)

    def _note(self, text: str, now: float) -> None:
        if not text.startswith(_JPEG):
            if "in line" in text:
                self.told.append(text)
            return
        self.shown.append(now)
        self.ahead = self.ahead[1:]
        if len(self.shown) % 3 == 0:  # reading costs time that the app then lacks
            number = read_number(text)
            if number in self.sent:
                self.delays.append(now - self.sent[number])


def _texts(value: object) -> Iterator[str]:
    """All texts in an answer: Gradio sends it whole, or only what has changed in it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def read_number(url: str) -> int | None:
    """The number in the corner of a picture, None if it cannot be read."""
    data = np.frombuffer(base64.b64decode(url.removeprefix(_JPEG)), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    if image is None or image.shape[::-1] != SIZE:
        return None
    places = SIZE[0] - np.arange(BITS + 1) * BLOCK - BLOCK // 2
    bits = image[BLOCK // 2, places] > 127
    if bits.sum() % 2:
        return None
    return int((bits[:BITS] << np.arange(BITS)).sum())


def measure(
    app: App, pictures: list[dict], count: int, options: argparse.Namespace, one_more: bool
) -> dict:
    """Figures of `count` visitors at once."""
    visitors = [Visitor(app, pictures, options.rate).start() for _ in range(count)]
    time.sleep(_SETTLE)
    before, begin = _marks(visitors, app), time.perf_counter()
    time.sleep(options.seconds)
    after, seconds = _marks(visitors, app), time.perf_counter() - begin
    paces = [(b - a) / seconds for a, b in zip(before["shown"], after["shown"], strict=True)]
    delays = [
        v.delays[a:b] for v, a, b in zip(visitors, before["delays"], after["delays"], strict=True)
    ]
    row = {
        "visitors": count,
        "seconds": round(seconds, 1),
        "fps_each": [round(p, 1) for p in paces],
        "fairness": round(min(paces) / max(np.mean(paces), 1e-9), 2),
        "delay_ms_median": _milliseconds(np.concatenate(delays), 50),
        "delay_ms_p95_each": [_milliseconds(d, 95) for d in delays],
        "faults": sum(len(v.faults) for v in visitors),
        "app_cores": round((after["app"] - before["app"]) / seconds, 2),
        "visitors_cores": round((after["mine"] - before["mine"]) / seconds, 2),
        "app_megabytes": round(app.metrics()["memory_bytes"] / 2**20),
    }
    if one_more:
        row["one_more"] = _one_more(app, pictures, options.rate, visitors)
    for visitor in visitors:
        visitor.leave()
    return row


def _marks(visitors: list[Visitor], app: App) -> dict:
    return {
        "shown": [len(v.shown) for v in visitors],
        "delays": [len(v.delays) for v in visitors],
        "app": _processor(psutil.Process(app.process.pid)),
        "mine": _processor(psutil.Process()),
    }


def _processor(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _milliseconds(delays: object, share: float) -> int | None:
    return round(1e3 * float(np.percentile(delays, share))) if len(delays) else None


def _one_more(app: App, pictures: list[dict], rate: float, visitors: list[Visitor]) -> dict:
    """A visitor for whom there is no place: what it is told, and when it gets in."""
    late = Visitor(app, pictures, rate).start()
    waited = _until(lambda: bool(late.told))
    shown = len(late.shown)
    visitors.pop(0).leave()
    inside = _until(lambda: bool(late.shown))
    visitors.append(late)
    return {
        "told_to_wait_after_s": waited,
        "pictures_while_waiting": shown,
        "in_after_a_place_was_free_s": inside,
    }


def _until(true) -> float | None:
    """Seconds until it is true; None if it never was."""
    begin = time.perf_counter()
    while time.perf_counter() - begin < _PATIENCE:
        if true():
            return round(time.perf_counter() - begin, 1)
        time.sleep(0.05)
    return None


def streams(app: App) -> dict[str, float]:
    """Whether all that was opened is closed once everybody has left."""
    names = ("sessions_open", "pose_streams_opened_total", "pose_streams_closed_total")
    _until(lambda: not app.metrics()["sessions_open"])
    found = app.metrics()
    return {name: found[name] for name in (*names, "frames_total", "open_files", "memory_bytes")}


if __name__ == "__main__":
    raise SystemExit(main())
