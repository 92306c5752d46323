"""Growth with the length of a video: processor time a minute, memory, and size of the results.

Every length is done in a process of its own, by the worker of `python -m skeletr recognize`: the
video is decoded in a further process, recognised, drawn, and written down.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.looping import looped, slower
from benchmarks.replayed import Replayed, people_in
from benchmarks.watch import Watch, look
from skeletr.checkpoint import DEFAULT_CHECKPOINT
from skeletr.devices import share_cores
from skeletr.many.jobs import Job
from skeletr.many.worker import Settings, VideoWorker
from skeletr.overlay import PICTURES

_WARM_UP = 5.0  # seconds of the video that are done before one looks: all is loaded then
_FILES = ("annotated.mp4", "actions.csv", "result.json", "recording.npz")
_KILOBYTE, _MINUTE = 2**10, 60.0


@dataclass(frozen=True)
class LengthOptions:
    """draw: write the annotated video too. rate: frames a second at most, None for all there are.
    replayed: people are found once in the short video, and then as often as it is repeated."""

    draw: bool = True
    rate: float | None = None
    replayed: bool = False


def by_length(
    video: Path,
    minutes: list[float],
    options: LengthOptions,
    told: Callable[[dict], None],
) -> list[dict]:
    """A row for each length, in the order given; `told` of each as soon as it is there."""
    context = multiprocessing.get_context("spawn")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        short = video
        if options.rate is not None:
            short = slower(video, options.rate, Path(folder) / "slower.mp4")
        for length in minutes:
            with ProcessPoolExecutor(1, context) as pool:
                rows.append(pool.submit(measure, short, length, options).result())
            told(rows[-1])
    return rows


def measure(video: Path, minutes: float, options: LengthOptions) -> dict:
    """What a video of so many minutes takes; for a process that does nothing else.

    Raises:
        RuntimeError: it could not be recognised.
    """
    share_cores()
    settings = Settings(str(DEFAULT_CHECKPOINT), picture=PICTURES[0] if options.draw else None)
    frontend = Replayed(people_in(video), rewinds=True) if options.replayed else None
    worker = VideoWorker(settings, frontend and (lambda _: frontend))
    with tempfile.TemporaryDirectory() as place, closing(worker):
        folder = Path(place)
        _work(worker, looped(video, _WARM_UP, folder / "short.mkv"), folder / "first")
        long = looped(video, minutes * _MINUTE, folder / "long.mkv")
        before, begin = look(psutil.Process()).own, _processor_time()
        with Watch() as watch:
            frames = _work(worker, long, folder / "out")
        spent = _processor_time() - begin
        sizes = {name: _size(folder / "out" / name) for name in _FILES}
    return {
        "minutes": minutes,
        "frames": frames,
        "load": os.getloadavg()[0],
        "seconds": watch.looks[-1].time,
        "processor_seconds": spent,
        "processor_seconds_a_minute": spent / minutes,
        "megabytes_before": before,
        "megabytes_peak": max(at.own for at in watch.looks),
        "megabytes_at_the_end": watch.looks[-1].own,
        "megabytes_of_the_decoder": max(at.below for at in watch.looks),
        "looks": watch.thinned(),
        "kilobytes": {name: size for name, size in sizes.items() if size},
    }


def _work(worker: VideoWorker, video: Path, folder: Path) -> int:
    """Frames of a video that was recognised."""
    outcome = worker.work(Job(video, folder, video.stat().st_size))
    if outcome.problem:
        raise RuntimeError(outcome.problem)
    return outcome.frames


def _processor_time() -> float:
    """Seconds, of this process and of the decoders that have ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _size(path: Path) -> float:
    return path.stat().st_size / _KILOBYTE if path.exists() else 0.0


TITLES = (
    "minutes",
    "frames",
    "processor time a minute, s",
    "times the shortest's",
    "frames/s",
    "MB before",
    "MB at most",
    "MB at the end",
    "MB of the decoder",
    "results, kB a minute",
)


def cells(row: dict, first: dict) -> list[str]:
    """A row of the table; `first`: the row that others are compared with."""
    a_minute = row["processor_seconds_a_minute"]
    results = sum(size for name, size in row["kilobytes"].items() if name != "annotated.mp4")
    return [
        f"{row['minutes']:g}",
        str(row["frames"]),
        f"{a_minute:.1f}",
        f"{a_minute / first['processor_seconds_a_minute']:.2f}",
        f"{row['frames'] / row['seconds']:.1f}",
        f"{row['megabytes_before']:.0f}",
        f"{row['megabytes_peak']:.0f}",
        f"{row['megabytes_at_the_end']:.0f}",
        f"{row['megabytes_of_the_decoder']:.0f}",
        f"{results / row['minutes']:.0f}",
    ]
