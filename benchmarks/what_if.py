"""How long an answer to "what if" takes, of a long recording.

    python -m benchmarks.what_if RECORDING.npz [--minutes 10] [--people 3 4 6]

The recording, as `recognize` writes it, is played forwards and backwards until it is so long; where
more people are wanted, it stands beside itself, moved in time. What the page asks beforehand is
asked first; then each question twice, new and once more. Time is of the processor, on one core, as
what else the machine does then hardly matters; memory is what the process has more.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import psutil
import torch

from app import what_if_view
from app.engine import Engine
from app.exploration import Exploration
from app.outcome import Outcome
from app.settings import AppSettings, UserOptions
from skeletr.pose import FRONTENDS
from skeletr.recording import Frame, Person, Recording
from skeletr.replay import recognize_recording

_LATER = 170  # frames between two copies of a recording that stand beside each other
_ASIDE = 150.0  # pixels between them


def main() -> int:
    """Print a line per question."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recording", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--people", type=int, nargs="+", help="as many as there are if not given")
    given = parser.parse_args()
    torch.set_num_threads(1)
    engine = Engine(AppSettings())
    engine.wait()
    short = Recording.load(given.recording)
    for people in given.people or [len(short.people)]:
        _measure(engine, short, 60 * given.minutes, people)
    return 0


def _measure(engine: Engine, short: Recording, seconds: float, people: int) -> None:
    print(f"{people} people, {seconds / 60:g} minutes", flush=True)
    frames = list(_crowd(list(_repeated(short, seconds)), people))
    recording = Recording.from_frames(frames, short.image_size, source="repeated")
    exploration = _explored(engine, recording)
    ids = list(recording.people)
    for name, who, when in (
        ("one person, throughout", ids[:1], None),
        ("everybody for 10 s", [], (100.0, 110.0)),
        ("one person for a minute", ids[1:2], (200.0, 260.0)),
        ("two people, throughout", ids[:2], None),
        ("all but one, throughout", ids[1:], None),
    ):
        new, known = (_ask(exploration, who, when) for _ in range(2))
        print(f"  {name}: {new:.2f} s, asked again {known:.2f} s", flush=True)


def _crowd(frames: list[Frame], people: int) -> Iterator[Frame]:
    """The frames, beside which other moments of theirs stand until there are so many people."""
    ids = sorted({p.id for frame in frames for p in frame.people})
    copies = -(-people // len(ids))
    for index, frame in enumerate(frames):
        crowd = []
        for copy in range(copies):
            other = frames[(index + copy * _LATER) % len(frames)]
            crowd += [_moved(p, ids, copy) for p in other.people]
        yield Frame(frame.time, tuple(p for p in crowd if p.id < people))


def _moved(person: Person, ids: list[int], copy: int) -> Person:
    """Of a copy: beside where he or she was, with a number of its own."""
    move, keypoints = np.float32(copy * _ASIDE), person.keypoints.copy()
    keypoints[:, 0] += move
    box = person.box + np.array([move, 0, move, 0], np.float32)
    return Person(keypoints, box, ids.index(person.id) + copy * len(ids))


def _repeated(recording: Recording, seconds: float) -> Iterator[Frame]:
    """Forwards, backwards and so on, so that nobody jumps."""
    frames = list(recording.frames())
    step = (recording.end - recording.start) / max(len(frames) - 1, 1)
    for turn in count():
        for index, frame in enumerate(frames[:: -1 if turn % 2 else 1]):
            time_now = (turn * len(frames) + index) * step
            if time_now > seconds:
                return
            yield Frame(time_now, frame.people)


def _explored(engine: Engine, recording: Recording) -> Exploration:
    """The recording as the page shows it, once everything is made ready."""
    options = UserOptions(FRONTENDS[0])
    result = recognize_recording(recording, engine.recognizer(options))
    memory, begin = _resident(), time.process_time()
    exploration = Exploration(engine, Outcome(result))
    exploration.start()
    exploration.ready.wait()
    asked, ready = time.process_time() - begin, _resident() - memory
    for thread in [t for t in threading.enumerate() if t.name == "exploration"]:
        thread.join()
    explorer, spent = exploration.explorer(), time.process_time() - begin
    print(
        f"  can be asked after {asked:.1f} s ({ready:.0f} MB); looked ahead for {spent:.0f} s: "
        f"{explorer.remembered} sequences ({_resident() - memory:.0f} MB in all)",
        flush=True,
    )
    return exploration


def _resident() -> float:
    """MB of memory that the process has."""
    return psutil.Process().memory_info().rss / 2**20


def _ask(exploration: Exploration, people: list[int], interval: tuple | None) -> float:
    """Seconds of the processor that an answer takes."""
    begin = time.process_time()
    before, after = exploration.without(people, interval)
    what_if_view.answer(before, after, what_if_view.named(people, interval))
    return time.process_time() - begin


if __name__ == "__main__":
    raise SystemExit(main())
