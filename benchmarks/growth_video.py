"""Growth with people, the whole road of a video file: from its packets to an annotated video."""

from __future__ import annotations

import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.crowd import crowd_video
from benchmarks.race import middle
from skeletr.overlay import draw_actions
from skeletr.pose import PoseFrontend, create_frontend
from skeletr.recognizer import Recognizer
from skeletr.recording import Frame, Recording
from skeletr.tracking import Tracker
from skeletr.video import VideoFrame, VideoReader, VideoWriter

STAGES = ("decode", "pose", "track", "recognise", "draw", "encode")
_SETTLED = 2.0  # seconds in which people are found


def whole_road(
    recognizer: Recognizer,
    video: Path,
    one: Recording,
    people: Sequence[int],
    rounds: int,
    seconds: float,
    size: tuple[int, int] = (1280, 720),
) -> list[dict]:
    """A row for each number of people, in pictures of one size; all take turns in every round.

    The stages, which work at the same time otherwise, do one frame after the other here, so that
    the processor time of each is known with all threads that it uses.
    """
    found: dict[int, list[dict]] = {n: [] for n in people}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        videos = {n: crowd_video(video, one, n, seconds, size, folder / f"{n}.mp4") for n in people}
        frontend = create_frontend(max_people=max(people))
        try:
            for number in range(rounds + 1):
                for n, crowd in videos.items():
                    done = _through(crowd, frontend, recognizer, folder / "out.mp4")
                    if number:  # the first warms up
                        found[n].append(done)
        finally:
            frontend.close()
    return [_row(n, size, runs) for n, runs in found.items()]


def _through(video: Path, frontend: PoseFrontend, recognizer: Recognizer, out: Path) -> dict:
    """Seconds of processor time a frame by stage, and how many people were followed."""
    spent: dict[str, float] = defaultdict(float)

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        begin = time.process_time()
        yield
        spent[name] += time.process_time() - begin

    reader, tracker = VideoReader(video), Tracker()
    frontend.reset()
    recognizer.reset()
    counts: Counter[int] = Counter()
    frames: list[Frame] = []
    for image in _each(reader, stage):
        with stage("pose"):
            seen = frontend.estimate(image.image, image.time)
        with stage("track"):
            frames.append(Frame(image.time, tracker.update(seen, image.time)))
        with stage("recognise"):
            recognizer.step(frames[-1].people, image.time, reader.size)
        counts[len(frames[-1].people)] += image.time >= _SETTLED
    with stage("recognise"):
        log = recognizer.finish()
    with VideoWriter(out, reader.size, reader.info.fps) as writer:
        for frame, image in zip(frames, reader, strict=True):
            with stage("draw"):
                drawn = draw_actions(image.image, frame.people, *log.at(frame.time))
            with stage("encode"):
                writer.write(drawn, frame.time)
    return {
        "stages": {name: spent[name] / len(frames) for name in STAGES},
        "counts": {str(n): times for n, times in sorted(counts.items()) if times},
        "ids": len(log.people),
    }


def _each(reader: VideoReader, stage: Callable) -> Iterator[VideoFrame]:
    frames = iter(reader)
    while True:
        with stage("decode"):
            frame = next(frames, None)
        if frame is None:
            return
        yield frame


def _row(people: int, size: tuple[int, int], runs: Sequence[dict]) -> dict:
    total, spread = middle([sum(run["stages"].values()) for run in runs])
    stages = {name: float(np.median([run["stages"][name] for run in runs])) for name in STAGES}
    counts = runs[-1]["counts"]
    return {
        "people": people,
        "size": list(size),
        "frame": total,
        "spread": spread,
        "stages": stages,
        "followed": counts,
        "exactly": counts.get(str(people), 0) / max(sum(counts.values()), 1),
        "ids": runs[-1]["ids"],
    }


TITLES = (
    "people",
    "frames with exactly so many",
    "ms a frame",
    "times the first's",
    "ms more a person",
    *STAGES,
)


def cells(row: dict, rows: Sequence[dict]) -> list[str]:
    """A row of the table; `rows`: all of them, the fewest people first."""
    first = rows[0]
    more = row["people"] - first["people"]
    return [
        str(row["people"]),
        f"{row['exactly']:.1%}",
        f"{1e3 * row['frame']:.1f} ± {row['spread'] / 2:.0%}",
        f"{row['frame'] / first['frame']:.1f}",
        f"{1e3 * (row['frame'] - first['frame']) / more:.1f}" if more else "",
        *(f"{1e3 * row['stages'][name]:.1f}" for name in STAGES),
    ]
