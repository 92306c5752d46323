"""How many people of a crowd are followed: copies of a clip side by side.

    python -m benchmarks.pose_crowd --video exercise_three_people.avi --people 3
    python -m benchmarks.pose_crowd --video CLIP --people 3 --grids 2x2 --write crowd.mp4

Every copy shows another moment, every other one mirrored, frame by frame as live. The people of the
clip are to be in all of its frames. `--write` keeps the first of the crowds as a video instead, for
other benchmarks.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skeletr.pose import create_frontend
from skeletr.tracking import Tracker
from skeletr.video import VideoReader, VideoWriter

_APART = 17  # frames between what one copy shows and the next
_FRAMES = 60


def side_by_side(frames: Sequence[np.ndarray], step: int, columns: int, rows: int) -> np.ndarray:
    """The picture at a step: copies of a clip, (H * rows, W * columns, 3) uint8."""
    lines = []
    for y in range(rows):
        moments = [(step + _APART * (x + columns * y)) % len(frames) for x in range(columns)]
        cells = [frames[m][:, :: 1 - 2 * ((x + y) % 2)] for x, m in enumerate(moments)]
        lines.append(np.hstack(cells))
    return np.vstack(lines)


def followed(frames: Sequence[np.ndarray], rate: float, grid: tuple[int, int], most: int) -> dict:
    """People followed in each picture, and what it costs.

    Args:
        rate: pictures a second. most: people that may be followed.
    """
    frontend, tracker = create_frontend("mediapipe", max_people=most), Tracker()
    counts: list[int] = []
    try:
        begin = time.process_time()
        for step in range(_FRAMES):
            picture, now = side_by_side(frames, step, *grid), step / rate
            counts.append(len(tracker.update(frontend.estimate(picture, now), now)))
        cost = 1e3 * (time.process_time() - begin) / _FRAMES
    finally:
        frontend.close()
    return {"counts": counts, "ms": cost, "size": picture.shape[1::-1]}


def write(frames: Sequence[np.ndarray], rate: float, grid: tuple[int, int], path: Path) -> None:
    """A video of a crowd, as long as the clip."""
    height, width = side_by_side(frames, 0, *grid).shape[:2]
    with VideoWriter(path, (width, height), rate, quality=18) as writer:
        for step in range(len(frames)):
            writer.write(side_by_side(frames, step, *grid), step / rate)


def grid_of(text: str) -> tuple[int, int]:
    """Columns and rows of "4x3"."""
    columns, rows = (int(number) for number in text.split("x"))
    return columns, rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--people", type=int, required=True, help="in every frame of the clip")
    parser.add_argument("--grids", nargs="+", default=["2x2", "3x2", "4x3"], metavar="COLUMNSxROWS")
    parser.add_argument("--write", type=Path, metavar="VIDEO.mp4", help="keep the first crowd")
    args = parser.parse_args(arguments)
    reader = VideoReader(args.video)
    frames = [frame.image for frame, _ in zip(reader, range(200), strict=False)]
    if args.write:
        write(frames, reader.info.fps, grid_of(args.grids[0]), args.write)
        return 0
    print("| picture | people | followed after 1, 2, ... s | ms of processor time a frame |")
    print("|---|---|---|---|")
    rate = reader.info.fps
    for text in args.grids:
        columns, rows = grid_of(text)
        people = columns * rows * args.people
        row = followed(frames, rate, (columns, rows), people + 4)
        each = row["counts"][round(rate) :: round(rate)] + row["counts"][-1:]
        told = ", ".join(map(str, each))
        width, height = row["size"]
        print(f"| {width}x{height} | {people} | {told} | {row['ms']:.0f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
