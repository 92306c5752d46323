"""What hours of video files leave behind in the running app: one page, one file after the other."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.looping import looped, slower
from benchmarks.serving import App, open_page, running_app
from benchmarks.watch import Watch, look
from tests.app.protocol import Page


def files(options: argparse.Namespace) -> dict:
    """Upload a video of `file_minutes` again and again, until `hours` of it are done.

    Each is recognised, drawn, written down and shown; what the page may be asked about it is made
    ready in the background, as for any visitor. Pages of before are not closed in between.

    Raises:
        RuntimeError: the app did not say that a file was done.
    """
    wanted = round(60 * options.hours / options.file_minutes)
    with tempfile.TemporaryDirectory() as place, running_app(Path(place)) as app:
        folder = Path(place)
        short = slower(options.video, options.rate, folder / "short.mp4")
        video = looped(short, 60 * options.file_minutes, folder / "long.mkv")
        process = psutil.Process(app.process.pid)
        before, after = look(process).own, []
        deadline = time.monotonic() + 60 * options.minutes
        page = open_page(app)
        try:
            with Watch(process) as watch:
                while len(after) < wanted and time.monotonic() < deadline:
                    _recognise(app, page, video)
                    after.append(look(process).own)
                    print(f"{len(after)} of {wanted}: {after[-1]:.0f} MB", flush=True)
        finally:
            page.close()
    return {
        "hours_of_video": round(len(after) * options.file_minutes / 60, 3),
        "asked_hours": options.hours,
        "files": len(after),
        "minutes_a_file": options.file_minutes,
        "frames_a_second": options.rate,
        "load": round(os.getloadavg()[0], 1),
        "megabytes_before": round(before),
        "megabytes_after_each_file": [round(m) for m in after],
        "megabytes_at_most": round(max(at.own for at in watch.looks)),
        "megabytes_of_decoders_at_most": round(max(at.below for at in watch.looks)),
        "looks": watch.thinned(),
    }


def _recognise(app: App, page: Page, video: Path) -> None:
    """Give the page a file, and wait until its results are shown."""
    answer = page.upload(video, video.name)
    answer.raise_for_status()
    file = {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}
    done = page.call("recognise", app.inputs("recognise", file))
    if not done["success"] or "annotated.mp4" not in str(done["output"]):
        raise RuntimeError(f"{video.name} was not recognised: {str(done)[:500]}")
