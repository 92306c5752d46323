"""Growth: what more people cost, and what a longer video costs.

    python -m benchmarks.growth people --video VIDEO [--people 1 2 4 8 16] [--rates 15 30]
        [--rounds 5] [--video-rounds 2] [--seconds 5]
    python -m benchmarks.growth length --video VIDEO [--minutes 1 4 15 60] [--rate 5]
        [--replayed] [--no-video]
    both: [--json FILE]

`people` prints two tables. The first is recognition alone, of skeletons of VIDEO, which shows one
person, side by side in one recording, at several frame rates. The second is the whole road of a
video file of `--seconds`, 1280x720, with so many copies of that person, and as many followed as
there are. Numbers of people take turns, `--rounds` times, or `--video-rounds`. What counts is
processor time, which other programs disturb less than the time that passes. `length` does one
video, repeated, of each length in a process of its own; with `--replayed` the pose networks look
at it once, and all else is done for every repeat.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks import growth_length, growth_people, growth_video
from benchmarks.machine import machine, told, write_json
from skeletr.checkpoint import DEFAULT_CHECKPOINT, Checkpoint
from skeletr.devices import share_cores
from skeletr.pipeline import record_video
from skeletr.pose import create_frontend
from skeletr.recognizer import Recognizer, RecognizerConfig


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=("people", "length"))
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--people", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--rates", type=float, nargs="+", default=[15, 30], help="frames a second")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--video-rounds", type=int, default=2, help="0 leaves out the video file")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of the video file")
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 4, 15, 60])
    parser.add_argument("--rate", type=float, help="frames a second of the long videos, at most")
    parser.add_argument("--replayed", action="store_true", help="people are found only once")
    parser.add_argument("--no-video", action="store_true", help="without drawing and encoding")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args(arguments)
    share_cores()
    facts = machine()
    print(told(facts))
    rows = people(args) if args.what == "people" else length(args)
    if args.json:
        write_json(args.json, facts, rows)
    return 0


def people(args: argparse.Namespace) -> dict[str, list[dict]]:
    """Both tables of numbers of people."""
    frontend = create_frontend()
    try:
        one, _ = record_video(args.video, frontend)
    finally:
        frontend.close()
    if len(one.people) != 1:
        raise SystemExit(f"{args.video.name} shows {len(one.people)} people, expected one")
    checkpoint, counts = Checkpoint.from_pretrained(DEFAULT_CHECKPOINT), sorted(args.people)
    alone = growth_people.recognition(checkpoint, one, counts, args.rates, args.rounds)
    table(growth_people.TITLES, [growth_people.cells(row, alone) for row in alone])
    if not args.video_rounds:
        return {"recognition": alone}
    recognizer = Recognizer(checkpoint, RecognizerConfig(attention_kept=0))
    whole = growth_video.whole_road(
        recognizer, args.video, one, counts, args.video_rounds, args.seconds
    )
    print()
    table(growth_video.TITLES, [growth_video.cells(row, whole) for row in whole])
    return {"recognition": alone, "video": whole}


def length(args: argparse.Namespace) -> list[dict]:
    """The table of lengths, row by row."""
    head(growth_length.TITLES)
    first: list[dict] = []

    def show(row: dict) -> None:
        first.append(row)
        line(growth_length.cells(row, first[0]))

    options = growth_length.LengthOptions(not args.no_video, args.rate, args.replayed)
    return growth_length.by_length(args.video, args.minutes, options, show)


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A whole table."""
    head(titles)
    for row in rows:
        line(row)


def head(titles: Sequence[str]) -> None:
    """The titles of a table."""
    line(titles)
    print("|---" * len(titles) + "|")


def line(values: Sequence[str]) -> None:
    """One row, at once."""
    print("| " + " | ".join(values) + " |", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
