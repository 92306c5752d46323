"""Growth with people, recognition alone: one person's skeletons side by side, at a pace."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.crowd import crowd
from benchmarks.race import middle
from skeletr.checkpoint import Checkpoint
from skeletr.recognizer import Recognizer, RecognizerConfig
from skeletr.recording import Frame, Recording

_FULL = 7.0  # seconds until the window is full, and a newcomer's first sequence is there
_SECONDS = 15.0  # of the stream that are looked at after that


@dataclass
class Taken:
    """What some people took. frames: seconds a frame, a mean for each round. keys: seconds of each
    key frame. window: sequences related at the last key frame. labelled: people with a label."""

    people: int
    rate: float
    frames: list[float] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)
    window: int = 0
    labelled: int = 0


def recognition(
    checkpoint: Checkpoint,
    one: Recording,
    people: Sequence[int],
    rates: Sequence[float],
    rounds: int,
) -> list[dict]:
    """A row for each rate and number of people; all take turns in every round.

    One thread and the attention of the newest window, as live. Time is that of the processor.
    """
    crowds = [
        (Taken(n, rate), crowd(one, n, rate, _FULL + _SECONDS)) for rate in rates for n in people
    ]
    for number in range(rounds + 1):
        for taken, recording in crowds:
            _replay(checkpoint, recording, taken, counts=number > 0)  # the first warms up
    most = checkpoint.sequences.max_sequences
    return [_row(taken, most) for taken, _ in crowds]


def _replay(checkpoint: Checkpoint, recording: Recording, taken: Taken, counts: bool) -> None:
    recognizer = Recognizer(checkpoint, RecognizerConfig(attention_kept=1))
    frames: list[Frame] = list(recording.frames())
    spent = []
    for frame in frames:
        begin = time.process_time()
        actions = recognizer.step(frame.people, frame.time, recording.image_size)
        seconds = time.process_time() - begin
        if frame.time >= _FULL:
            spent.append(seconds)
            if counts and actions.fresh:
                taken.keys.append(seconds)
    if counts:
        taken.frames.append(sum(spent) / len(spent))
    taken.window = len(actions.attention.times) if actions.attention else 0
    taken.labelled = sum(bool(p.label) for p in actions.people.values())


def _row(taken: Taken, most: int) -> dict:
    frame, spread = middle(taken.frames)
    key, key_spread = middle(taken.keys)
    return {
        "people": taken.people,
        "rate": taken.rate,
        "labelled": taken.labelled,
        "window": taken.window,
        "window_at_most": most,
        "frame": frame,
        "spread": spread,
        "key_frame": key,
        "key_frame_spread": key_spread,
    }


TITLES = (
    "frames/s",
    "people",
    "labelled",
    "sequences in the window",
    "ms a frame",
    "times 1 person's",
    "ms a key frame",
    "times 1 person's",
)


def cells(row: dict, rows: Sequence[dict]) -> list[str]:
    """A row of the table; `rows`: all of them, the fewest people of the same rate are the 1."""
    first = min((r for r in rows if r["rate"] == row["rate"]), key=lambda r: r["people"])
    capped = " (the most)" if row["window"] >= row["window_at_most"] else ""
    return [
        f"{row['rate']:g}",
        str(row["people"]),
        str(row["labelled"]),
        f"{row['window']}{capped}",
        f"{1e3 * row['frame']:.2f} ± {row['spread'] / 2:.0%}",
        f"{row['frame'] / first['frame']:.1f}",
        f"{1e3 * row['key_frame']:.1f} ± {row['key_frame_spread'] / 2:.0%}",
        f"{row['key_frame'] / first['key_frame']:.1f}",
    ]
