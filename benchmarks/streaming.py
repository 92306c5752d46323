"""What recognition costs live: one key frame, and one frame of the video, for more and more people.

    python -m benchmarks.streaming [--checkpoint FOLDER] [--people 1 4 10] [--busy]
        [--precision auto|fp32|bf16] [--json FILE]

At a key frame every person brings one new short sequence; the window holds all of the last
seconds, at most as many as the checkpoint admits. The ways to answer take turns:

    plain, anew      the readable form of the network, all sequences of the window
    anew             the form for inference, all sequences of the window
    cached           stage 1 for the new sequences only, then stage 2: what the recogniser does
    no attention     the same where nobody looks at the attention
    new only         the labels of the new sequences and nothing else

"ms a frame" is the whole recogniser over 10 s of video at 25 frames/s, with cutting sequences.
Run it on an otherwise idle machine; where there is none, --busy counts the processor time of a
single thread instead of the time that passes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks.machine import machine, told, write_json
from benchmarks.race import middle, race
from skeletr.checkpoint import DEFAULT_CHECKPOINT, Checkpoint
from skeletr.devices import PRECISIONS, dtype_of, share_cores
from skeletr.model.fused import FusedSkeleTR
from skeletr.recognizer import Recognizer, RecognizerConfig
from skeletr.recording import Recording
from skeletr.skeleton import C, V

_RATE, _SECONDS = 25, 10
_SIZE = (1280, 720)
_WAYS = ("plain, anew", "anew", "cached", "no attention", "new only")


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT)
    parser.add_argument("--people", type=int, nargs="+", default=[1, 2, 4, 8, 10, 16])
    parser.add_argument("--precision", choices=PRECISIONS, default="auto")
    parser.add_argument("--busy", action="store_true", help="processor time of one thread")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args()
    share_cores()  # as the app does
    clock = time.perf_counter
    if args.busy:
        torch.set_num_threads(1)
        clock = time.process_time
    checkpoint = Checkpoint.from_pretrained(args.checkpoint)
    rows = [row(checkpoint, people, args.rounds, clock, args.precision) for people in args.people]
    facts = machine() | {"clock": clock.__name__, "precision": str(dtype_of(args.precision))}
    print(f"{told(facts)}; medians of {args.rounds} rounds; ms")
    show(rows)
    if args.json:
        write_json(args.json, facts, rows)
    return 0


def row(
    checkpoint: Checkpoint, people: int, rounds: int, clock: Callable[[], float], precision: str
) -> dict[str, object]:
    """All ways for so many people, in seconds, and the whole recogniser per frame."""
    config = checkpoint.sequences
    window = min(people * (int(config.window / config.interval) + 1), config.max_sequences)
    with torch.inference_mode():
        steps = ways(checkpoint, min(people, window), window, precision)
        found = race(steps, rounds, warm_up=3, clock=clock)
    frame, spread = middle([_per_frame(checkpoint, people, clock, precision) for _ in range(3)])
    return {
        "people": people,
        "window": window,
        "key_frame": {name: median for name, (median, _) in found.items()},
        "spread": {name: part for name, (_, part) in found.items()},
        "frame": frame,
        "frame_spread": spread,
        "interval": config.interval,
    }


def ways(
    checkpoint: Checkpoint, new: int, window: int, precision: str = "auto"
) -> dict[str, Callable[[], object]]:
    """One key frame with `new` of the `window` sequences not seen before, by each way."""
    plain = checkpoint.model
    fast = FusedSkeleTR(plain, dtype_of(precision))
    x = torch.randn(window, checkpoint.sequences.frames, V, C)
    embedding, mask = torch.randn(1, window, 5), torch.ones(1, window, dtype=torch.bool)
    kept = fast.tokens(x[new:])
    asked = torch.arange(window - new, window)

    def cached() -> torch.Tensor:
        return torch.cat([kept, fast.tokens(x[:new])])

    steps = (
        lambda: plain.relate(plain.tokens(x)[None], embedding, mask, True),
        lambda: fast.relate(fast.tokens(x)[None], embedding, mask, True),
        lambda: fast.relate(cached()[None], embedding, mask, True),
        lambda: fast.relate(cached()[None], embedding, mask),
        lambda: fast.instances(cached(), embedding[0], asked),
    )
    return dict(zip(_WAYS, steps, strict=True))


def _per_frame(
    checkpoint: Checkpoint, people: int, clock: Callable[[], float], precision: str
) -> float:
    """Seconds that the recogniser takes for one frame, over a whole recording."""
    recording = _recording(people)
    recognizer = Recognizer(checkpoint, RecognizerConfig(precision=precision))
    frames = list(recording.frames())
    begin = clock()
    for frame in frames:
        recognizer.step(frame.people, frame.time, recording.image_size)
    return (clock() - begin) / len(frames)


def _recording(people: int) -> Recording:
    """Bodies side by side whose joints drift; what they do costs the same as anything else."""
    rng = np.random.default_rng(0)
    times = np.arange(_RATE * _SECONDS) / _RATE
    keypoints = np.ones((people, len(times), V, C), np.float32)
    keypoints[..., :2] = rng.normal(0, 1, (people, len(times), V, 2)).cumsum(axis=1)
    places = (np.arange(people) + 0.5) * _SIZE[0] / people
    keypoints[..., 0] += places[:, None, None] + np.linspace(-20, 20, V)
    keypoints[..., 1] += _SIZE[1] / 2 + np.linspace(-200, 200, V)
    return Recording.from_arrays(keypoints, times, _SIZE)


def show(rows: list[dict]) -> None:
    """A row for each number of people; the ratio is that of anew and cached in one form."""
    titles = ("people", "sequences", *_WAYS, "anew / cached", "ms a frame")
    print("| " + " | ".join(titles) + " |")
    print("|---" * len(titles) + "|")
    for found in rows:
        taken = found["key_frame"]
        cells = [f"{1e3 * taken[way]:.1f} ± {found['spread'][way] / 2:.0%}" for way in _WAYS]
        gain = taken["anew"] / taken["cached"]
        frame = f"{1e3 * found['frame']:.2f}"
        values = (str(found["people"]), str(found["window"]), *cells, f"{gain:.1f}", frame)
        print("| " + " | ".join(values) + " |")


if __name__ == "__main__":
    raise SystemExit(main())
