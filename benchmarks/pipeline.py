"""Frames per second of the whole road and the share of each stage.

    python -m benchmarks.pipeline VIDEO... [--height 720] [--json FILE] [--no-video]

Every video is recognised (and drawn and encoded) once to warm up and then `--runs` times; the
median run is shown, and the spread of the middle half. Stages work at the same time, so their
shares may sum up to more than 1. Run it on an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from benchmarks.machine import machine, told, write_json
from skeletr.checkpoint import DEFAULT_CHECKPOINT, Checkpoint
from skeletr.devices import share_cores
from skeletr.pipeline import Result, annotate_video, recognize_video
from skeletr.pose import create_frontend
from skeletr.recognizer import Recognizer
from skeletr.video import VideoReader, VideoWriter

_STAGES = ("decode", "pose", "track", "recognise", "decode again", "draw", "encode")


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT)
    parser.add_argument("--height", type=int, help="bring the videos to this many pixels first")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--no-video", action="store_true", help="without drawing and encoding")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args()
    share_cores()
    recognizer = Recognizer(Checkpoint.from_pretrained(args.checkpoint))
    with tempfile.TemporaryDirectory() as folder:
        videos = [_scaled(v, args.height, Path(folder)) for v in args.videos]
        rows = [measure(v, recognizer, args.runs, not args.no_video) for v in videos]
    facts = machine()
    print(f"{told(facts)}; medians of {args.runs} runs")
    head = "| video | size | people a frame | frames/s | spread | x real time | of 30 frames/s |"
    print(head + "".join(f" {stage} |" for stage in _STAGES))
    print("|---" * (7 + len(_STAGES)) + "|")
    for row in rows:
        shares = " | ".join(f"{row['share'].get(s, 0):.1%}" for s in _STAGES)
        print(
            f"| {row['video']} | {row['size']} | {row['people']:.2f} | {row['fps']:.1f} | "
            f"{row['spread']:.0%} | {row['real_time']:.2f} | {row['fps'] / 30:.2f} | {shares} |"
        )
    if args.json:
        write_json(args.json, facts, rows)
    return 0


def measure(video: Path, recognizer: Recognizer, runs: int, draw: bool) -> dict:
    """The median of several runs over one video."""
    frontend = create_frontend()
    try:
        results = [_run(video, frontend, recognizer, draw) for _ in range(runs + 1)][1:]
    finally:
        frontend.close()
    seconds = statistics.median(s for s, _ in results)
    _, result = min(results, key=lambda r: abs(r[0] - seconds))
    frames = len(result.recording.frame_times)
    counted = {s: result.timing.get(s, 0.0) for s in _STAGES}
    return {
        "video": video.name,
        "size": "x".join(map(str, result.frame_size)),
        "people": len(result.recording.frame) / max(frames, 1),
        "frames": frames,
        "seconds": seconds,
        "fps": frames / seconds,
        "spread": float(np.subtract(*np.percentile([s for s, _ in results], [75, 25]))) / seconds,
        "real_time": (result.recording.end + 1 / result.info.fps) / seconds,
        "share": {s: t / seconds for s, t in counted.items()},
    }


def _scaled(video: Path, height: int | None, folder: Path) -> Path:
    """The video, or a copy of it that is `height` pixels high."""
    reader = VideoReader(video)
    width, before = reader.size
    if height is None or height == before:
        return video
    size = round(width * height / before / 2) * 2, height
    with VideoWriter(folder / f"{video.stem}.mp4", size, reader.info.fps, quality=18) as writer:
        for frame in reader:
            writer.write(cv2.resize(frame.image, size, interpolation=cv2.INTER_CUBIC), frame.time)
    return folder / f"{video.stem}.mp4"


def _run(video: Path, frontend, recognizer: Recognizer, draw: bool) -> tuple[float, Result]:
    begin = time.perf_counter()
    result = recognize_video(video, frontend, recognizer)
    if draw:
        with tempfile.TemporaryDirectory() as folder:
            result.timing.update(annotate_video(video, result, Path(folder) / "out.mp4"))
    return time.perf_counter() - begin, result


if __name__ == "__main__":
    raise SystemExit(main())
