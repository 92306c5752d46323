"""Long hours: what a stream of two hours, an hour of files and hundreds of pages leave behind.

    python -m benchmarks.soak stream --video VIDEO [--hours 2] [--rate 5] [--pose mediapipe]
    python -m benchmarks.soak files --video VIDEO [--hours 1] [--file-minutes 5] [--rate 5]
    python -m benchmarks.soak pages [--pages 500]
    all: [--minutes 6] [--json FILE]

`stream` feeds one live session in this process faster than real time. Without `--pose` the people
are those that MediaPipe found in the first seconds of the video, again and again, so that the
tracker, the model and the drawing run through the whole time in minutes. `files` starts the app and
gives one page a video of `--file-minutes`, VIDEO over and over, again and again. `pages` starts the
app and opens and closes pages with a camera over HTTP; every second one breaks its connections in
the midst of an answer. Its memory is looked at when all of a first round of pages have gone, and
again when all others have, so that both looks are at the same thing: an app that serves nobody.
What does not fit into `--minutes` is left out, and the figures say how much was done.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import psutil

from app.engine import Engine
from app.freed_memory import GrownMemory
from app.live import LiveStream
from app.live_image import as_data_url
from app.settings import AppSettings, UserOptions
from benchmarks.machine import machine, markdown, told, write_json
from benchmarks.replayed import Replayed, people_in
from benchmarks.serving import App, open_page, running_app
from benchmarks.soak_files import files
from skeletr.devices import share_cores
from skeletr.video import VideoReader
from tests.app.protocol import camera_picture

_SWEEP = 5.0  # seconds between two looks of the app for memory that is free
_CLIP = 90  # frames of the video that are played over and over
_WARM_UP = 0.1  # share of the run that is left out of the growth
_SAMPLES = 400
_AT_ONCE = 4  # pages opened at the same time
_FIRST_ROUND = 50  # pages after which the app has made all that it keeps
_BEFORE_THE_ANSWER = ("estimation", "process_starts", "heartbeat")
_SETTLING = 8.0  # seconds after the last page in which the app gives its memory back
_MEGABYTE = 2**20


def main(arguments: list[str] | None = None) -> int:
    """Run, print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("stream", "files", "pages"))
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--rate", type=float, default=5.0, help="frames a second of stream time")
    parser.add_argument("--video", type=Path, help="what the camera sees, or what the files show")
    parser.add_argument("--file-minutes", type=float, default=5.0, help="length of each file")
    parser.add_argument("--pose", choices=("mediapipe",), help="find the people in every frame")
    parser.add_argument("--pages", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=6.0, help="the most that it may take")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    if options.what != "pages" and options.video is None:
        parser.error(f"{options.what} needs --video")
    share_cores()
    figures = {"stream": stream, "files": files, "pages": pages}[options.what](options)
    facts = machine()
    shown = {k: v for k, v in figures.items() if k != "looks"}
    print(f"{told(facts)}\n{markdown(shown)}")
    if options.json:
        write_json(options.json, facts, figures)
    return 0


@dataclass
class Samples:
    """Memory, open files and pace of this process over a run."""

    memory: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    # Seconds of processor time a frame, on average since the last look: others may be busy too.
    steps: list[float] = field(default_factory=list)

    def take(self, seconds_a_frame: float) -> None:
        """Look once."""
        process = psutil.Process()
        self.memory.append(process.memory_info().rss)
        self.files.append(process.num_fds())
        self.steps.append(seconds_a_frame)

    def figures(self) -> dict:
        """Growth from the end of the warm-up on."""
        warm = max(1, round(_WARM_UP * len(self.memory)))
        after = np.array(self.memory[warm:]) / _MEGABYTE
        tenth = max(1, len(self.steps) // 10)
        return {
            "megabytes_after_warm_up": round(float(after[0])),
            "megabytes_at_the_end": round(float(after[-1])),
            "megabytes_grown": round(float(after[-1] - after[0]), 1),
            "megabytes_grown_at_most": round(float(after.max() - after[0]), 1),
            "open_files_after_warm_up": self.files[warm],
            "open_files_at_the_end": self.files[-1],
            "cpu_ms_a_frame_first_tenth": round(1e3 * float(np.mean(self.steps[warm:][:tenth])), 2),
            "cpu_ms_a_frame_last_tenth": round(1e3 * float(np.mean(self.steps[-tenth:])), 2),
        }


def stream(options: argparse.Namespace) -> dict:
    """One live session, fed faster than real time."""
    clip = list(itertools.islice(VideoReader(options.video), _CLIP))
    images = [frame.image for frame in clip]
    found = None if options.pose else people_in(clip)
    engine = Engine(AppSettings(device="cpu"), None, found and (lambda _: Replayed(found)))
    engine.wait()
    live, samples = LiveStream(engine, UserOptions("mediapipe")), Samples()
    grown, sweep = GrownMemory(), max(1, round(_SWEEP * options.rate))
    total = round(3600 * options.hours * options.rate)
    often = max(1, total // _SAMPLES)
    begin, last = time.perf_counter(), time.process_time()
    labelled = done = 0
    for done, image in zip(range(1, total + 1), itertools.cycle(images), strict=False):
        view = live.step(image, False, arcs=True, now=done / options.rate)
        as_data_url(view.image)
        if done % sweep == 0:
            grown.look()
        labelled += any(p.label for p in view.actions.people.values())
        if done % often == 0:
            now = time.process_time()
            samples.take((now - last) / often)
            last = now
        if time.perf_counter() - begin > 60 * options.minutes:
            break
    live.close()
    return {
        "stream_hours": round(done / options.rate / 3600, 3),
        "asked_hours": options.hours,
        "frames": done,
        "frames_with_labels": labelled,
        "pose": options.pose or "replayed",
        "times_real_time": round(done / options.rate / (time.perf_counter() - begin), 1),
        **samples.figures(),
    }


def pages(options: argparse.Namespace) -> dict:
    """Pages with a camera, opened and closed; every second one abruptly."""
    deadline = time.monotonic() + 60 * options.minutes
    busy: list[dict[str, float]] = []  # with pages open
    idle: list[dict[str, float]] = []  # when all have gone
    lock, faults = threading.Lock(), []
    done = itertools.count(1)
    first = min(_FIRST_ROUND, options.pages // 2)
    with tempfile.TemporaryDirectory() as folder, running_app(Path(folder)) as app:

        def one(number: int) -> None:
            if time.monotonic() > deadline:
                return
            try:
                _visit(app, abruptly=bool(number % 2))
            except (httpx.HTTPError, OSError, RuntimeError) as error:
                faults.append(repr(error))
            with lock:
                count = next(done)
                if count % max(1, options.pages // 50) == 0:
                    busy.append({"pages": count, **app.metrics()})

        for numbers in (range(first), range(first, options.pages)):
            before = len(busy)
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(one, numbers))
            idle.append(_all_gone(app))
    return {
        "pages": next(done) - 1,
        "asked_pages": options.pages,
        "faults": len(faults),
        "first_faults": faults[:3],
        **_page_figures(idle, busy[before:], first),
    }


def _all_gone(app: App) -> dict[str, float]:
    """What the app says when every page has gone and it has given back what it can."""
    _until(lambda: not app.metrics()["sessions_open"])
    time.sleep(_SETTLING)
    found = app.metrics()
    if found["sessions_open"]:
        raise RuntimeError(f"{found['sessions_open']:.0f} sessions stay open")
    return found


def _page_figures(
    idle: list[dict[str, float]], busy: list[dict[str, float]], first: int
) -> dict[str, float]:
    """idle: after the first round of so many pages, and at the end. busy: in between."""
    before, last = idle
    memory = [round(s["memory_bytes"] / _MEGABYTE) for s in (before, last)]
    most = max((s["memory_bytes"] / _MEGABYTE for s in busy), default=0.0)
    return {
        "pages_of_the_first_round": first,
        "megabytes_all_closed_after_the_first_round": memory[0],
        "megabytes_all_closed_at_the_end": memory[1],
        "megabytes_grown": memory[1] - memory[0],
        "megabytes_at_most_with_pages_open": round(most),
        "open_files_all_closed_after_the_first_round": int(before["open_files"]),
        "open_files_all_closed_at_the_end": int(last["open_files"]),
        "sessions_opened": int(last["sessions_opened_total"]),
        "sessions_closed": int(last["sessions_closed_total"]),
        "pose_streams_opened": int(last["pose_streams_opened_total"]),
        "pose_streams_closed": int(last["pose_streams_closed_total"]),
    }


def _visit(app: App, abruptly: bool) -> None:
    """A page whose camera is answered once, and which then goes, with or without a goodbye."""
    page = open_page(app)
    try:
        event = page.join("step", app.camera_inputs(camera_picture((640, 480))))
        for message in page.messages():
            if message["msg"] not in _BEFORE_THE_ANSWER:
                break
        if abruptly:
            page.push(event, app.camera_inputs(camera_picture((640, 480))))
        else:
            page.stop(event)
    finally:
        page.vanish() if abruptly else page.close()


def _until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
