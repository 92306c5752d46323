"""How long an answer to "what if" takes, of a long recording.

    python -m benchmarks.what_if RECORDING.npz [--minutes 10]

The recording, as `recognize` writes it, is played forwards and backwards until it is so long. What
the page asks beforehand is asked first; then each question twice, new and once more. Time is of
the processor, on one core, as what else the machine does then hardly matters.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import torch

from app import what_if_view
from app.engine import Engine
from app.exploration import Exploration
from app.outcome import Outcome
from app.settings import AppSettings, UserOptions
from skeletr.pose import FRONTENDS
from skeletr.recording import Frame, Recording
from skeletr.replay import recognize_recording


def main() -> int:
    """Print a line per question."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recording", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    engine = Engine(AppSettings())
    engine.wait()
    short = Recording.load(given.recording)
    frames = list(_repeated(short, 60 * given.minutes))
    recording = Recording.from_frames(frames, short.image_size, source="repeated")
    exploration = _explored(engine, recording)
    people = recording.people
    for name, who, when in (
        ("one person, throughout", people[:1], None),
        ("everybody for 10 s", [], (100.0, 110.0)),
        ("one person for a minute", people[1:2], (200.0, 260.0)),
        ("two people, throughout", people[:2], None),
    ):
        new, known = (_ask(exploration, who, when) for _ in range(2))
        print(f"{name}: {new:.2f} s, asked again {known:.2f} s", flush=True)
    return 0


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
    begin = time.process_time()
    exploration = Exploration(engine, Outcome(result))
    exploration.start()
    for thread in [t for t in threading.enumerate() if t.name == "exploration"]:
        thread.join()
    print(f"made ready in {time.process_time() - begin:.0f} s")
    return exploration


def _ask(exploration: Exploration, people: list[int], interval: tuple | None) -> float:
    """Seconds of the processor that an answer takes."""
    begin = time.process_time()
    before, after = exploration.without(people, interval)
    what_if_view.answer(before, after, what_if_view.named(people, interval))
    return time.process_time() - begin


if __name__ == "__main__":
    raise SystemExit(main())
