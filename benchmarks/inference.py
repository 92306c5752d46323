"""Clips per second of the networks, against the peers of the paper's Table 2.

    python -m benchmarks.inference [--pyskl PATH] [--threads N] [--busy] [--json FILE]

A clip of SkeleTR is a scene of 20 sequences of 30 frames (20x30) or of 40 of 15; one of a peer 2
people over 300 frames, as in the paper. PATH is a copy of PYSKL's repository; without it the peers
are this project's own plain forms of the same networks. How the cost grows with the number of
people is in benchmarks/streaming.py. Where the processor computes in bfloat16, the form for
inference is measured in it too, and the peers under autocast. Run it on an otherwise idle machine;
where there is none, --busy counts the processor time of a single thread instead of the time that
passes. What several threads gain on a busy machine is in benchmarks/shares.py.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.machine import machine, told, write_json
from benchmarks.peers import PeerError, peers
from benchmarks.race import race
from skeletr.batch import SequenceBatch
from skeletr.cores import usable_cores
from skeletr.devices import DEVICES, has_bf16, pick_device
from skeletr.model import SkeleTR, SkeleTRConfig, ctr, large, small
from skeletr.model.fused import for_inference
from skeletr.skeleton import C, V

_CLASSES = 320
_LONG = (2, 300)  # M and T of a peer's clip

Step = Callable[[], object]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pyskl", type=Path, help="a copy of PYSKL's repository")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--threads", type=int, help="instead of one for each core")
    parser.add_argument("--busy", action="store_true", help="processor time of one thread")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args()
    device = pick_device(args.device)
    torch.set_num_threads(1 if args.busy else args.threads or usable_cores())
    clock = time.process_time if args.busy else time.perf_counter
    try:
        steps = candidates(device, args.pyskl)
    except PeerError as error:
        parser.error(str(error))
    with torch.inference_mode():
        found = race(steps, args.rounds, device, warm_up=3, clock=clock)
    facts = machine(device) | {"clock": clock.__name__}
    rows = [
        {"what": name, "milliseconds": 1e3 * median, "clips_per_second": 1 / median, "spread": part}
        for name, (median, part) in found.items()
    ]
    print(f"{told(facts)}; medians of {args.rounds} rounds")
    show(rows)
    if args.json:
        write_json(args.json, facts, rows)
    return 0


def candidates(device: torch.device, pyskl: Path | None) -> dict[str, Step]:
    """The peers first, then the sizes of SkeleTR, in plain form and for inference."""
    long = torch.randn(1, *_LONG, V, C, device=device)
    steps: dict[str, Step] = {
        f"{name}, 2x300": _call(model.to(device), long) for name, model in peers(pyskl).items()
    }
    for name, config, shape in (
        ("SkeleTR-S", small, (20, 30)),
        ("SkeleTR-S", small, (40, 15)),
        ("SkeleTR-L", large, (20, 30)),
        ("SkeleTR-L", large, (40, 15)),
        ("SkeleTR[C]", ctr, (20, 30)),
    ):
        plain = _network(config(scene_classes=_CLASSES), device)
        batch, title = _scene(*shape, device), f"{name}, {shape[0]}x{shape[1]}"
        steps[f"{title}, plain"] = _call(plain, batch)
        for dtype, what in _formats(device).items():
            fast = for_inference(plain, dtype)
            if fast is not plain:
                steps[f"{title}, for inference{what}"] = _call(fast, batch)
    if has_bf16(device):  # what the peers gain by the same instructions
        for name, model in peers(pyskl).items():
            steps[f"{name}, 2x300, autocast to bf16"] = _autocast(model.to(device), long)
    return steps


def _formats(device: torch.device) -> dict[torch.dtype, str]:
    formats = {torch.float32: ""}
    return formats | ({torch.bfloat16: ", bf16"} if has_bf16(device) else {})


def _autocast(model: torch.nn.Module, given: torch.Tensor) -> Step:
    def step() -> object:
        with torch.autocast(given.device.type, torch.bfloat16):
            return model(given)

    return step


def _network(config: SkeleTRConfig, device: torch.device) -> SkeleTR:
    torch.manual_seed(0)
    return SkeleTR(config).to(device).eval()


def _scene(sequences: int, frames: int, device: torch.device) -> SequenceBatch:
    return SequenceBatch(
        torch.randn(1, sequences, frames, V, C),
        torch.randn(1, sequences, 5),
        torch.ones(1, sequences, dtype=torch.bool),
    ).to(device)


def _call(model: torch.nn.Module, given: object) -> Step:
    return lambda: model(given)


def show(rows: list[dict]) -> None:
    """Every network against both peers, which are the first two rows."""
    first, second = (row["milliseconds"] for row in rows[:2])
    names = [row["what"].split(",")[0].split(" (")[0] for row in rows[:2]]
    print(f"| network | clips/s | ms a clip | spread | times {names[0]} | times {names[1]} |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        own = row["milliseconds"]
        print(
            f"| {row['what']} | {row['clips_per_second']:.1f} | {own:.1f} | {row['spread']:.0%} | "
            f"{first / own:.2f} | {second / own:.2f} |"
        )


if __name__ == "__main__":
    raise SystemExit(main())
