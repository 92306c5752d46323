"""What two threads and more gain where each takes sequences of its own through stage 1.

    OMP_WAIT_POLICY=PASSIVE python -m benchmarks.shares [--pyskl PATH] [--threads 2] [--rounds 9]

For a busy machine: the processor time of the thread that asks and of the slowest that works for
it, one after the other, which is the time by the clock on a machine with nothing else to do.
What a thread waits for its fellows within a product is left out, for all rows alike.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import torch
from torch import Tensor

from benchmarks.inference import _network, _scene
from benchmarks.machine import machine, told
from benchmarks.peers import peers
from skeletr.model import fused, large, small
from skeletr.skeleton import C, V

_SIZES = {"S": small, "L": large}
_FORMATS = {"fp32": torch.float32, "bf16": torch.bfloat16}
_shares = fused.in_shares


def main() -> int:
    """Print milliseconds, median and least: products shared by the threads, and sequences."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pyskl", type=Path, help="a copy of PYSKL's repository")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    steps = candidates(args.pyskl)
    times: dict[str, list[float]] = {name: [] for name in steps}
    with torch.inference_mode():
        for number in range(args.rounds + 2):
            for name, step in steps.items():
                spent = step()
                if number > 1:
                    times[name].append(spent * 1e3)
    print(told(machine()))
    for name, found in times.items():
        print(f"{name:36s} {statistics.median(found):7.1f} {min(found):7.1f}")
    return 0


def candidates(pyskl: Path | None) -> dict[str, Callable[[], float]]:
    """Name -> a call that returns seconds."""
    cpu, long = torch.device("cpu"), torch.randn(1, 2, 300, V, C)
    steps = {}
    for name, peer in peers(pyskl).items():
        steps[name] = _timed(lambda peer=peer: peer(long), together=True)
    for size, config in _SIZES.items():
        plain = _network(config(scene_classes=320), cpu)
        for count, frames in ((20, 30), (40, 15)):
            scene = _scene(count, frames, cpu)
            for kind, dtype in _FORMATS.items():
                network = fused.for_inference(plain, dtype)
                for together, what in ((True, "products"), (False, "sequences")):
                    name = f"SkeleTR-{size}, {count}x{frames}, {kind}, {what}"
                    steps[name] = _timed(lambda n=network, s=scene: n(s), together)
    return steps


def _timed(run: Callable[[], object], together: bool) -> Callable[[], float]:
    def step() -> float:
        slowest: list[float] = [0.0]

        def shares(function: Callable[[Tensor], Tensor], x: Tensor, least: int) -> list[Tensor]:
            if together:
                return [function(x)]
            found = _shares(_clocked(function), x, least)
            slowest[0] = max(spent for _, spent in found)
            return [tokens for tokens, _ in found]

        with patch.object(fused, "in_shares", shares):
            begin = time.thread_time()
            run()
            return time.thread_time() - begin + slowest[0]

    return step


def _clocked(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], tuple[Tensor, float]]:
    def call(x: Tensor) -> tuple[Tensor, float]:
        begin = time.thread_time()
        return function(x), time.thread_time() - begin

    return call


if __name__ == "__main__":
    raise SystemExit(main())
