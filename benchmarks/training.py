"""Training throughput: sequences and clips per second of one optimiser step, and of the loader.

    python -m benchmarks.training [--data DIR] [--device auto|cpu|cuda] [--busy] [--json FILE]

Candidates take turns within one run, so that a busy machine slows all of them. A clip is a scene
of M = 8 sequences. With --data the loader is measured too: scenes composed from the data sets.
Run it on an otherwise idle machine; where there is none, --busy counts the processor time of the
main thread instead of the time that passes. With OMP_WAIT_POLICY=PASSIVE, so that a thread that
waits does not count as one that works, the ratios of that hold for several threads too.
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
from skeletr.batch import SequenceBatch
from skeletr.datasets import load_clips
from skeletr.datasets.archives import data_root
from skeletr.datasets.vocabulary import vocabulary
from skeletr.devices import DEVICES, has_bf16, pick_device
from skeletr.model import SkeleTR, large, small
from skeletr.model.stgcnpp import SpatialGraphConv
from skeletr.skeleton import C, V
from skeletr.training import load_config
from skeletr.training.memory import keep_freed_memory
from skeletr.training.sources import ComposedSource

_M = 8  # sequences per clip
_CLASSES = 74
_SEQUENCES = 64  # per step on a CPU; above, memory traffic costs more than it brings
_SEQUENCES_GPU = 1024
_CONFIG = Path(__file__).parent.parent / "configs" / "default.yaml"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", help="folder with the data sets, for the loader")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--busy", action="store_true", help="processor time of the main thread")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args()
    keep_freed_memory()
    device = pick_device(args.device)
    clock = time.thread_time if args.busy else time.perf_counter
    found = race(candidates(device), args.rounds, device, clock=clock)
    sequences = _sequences(device)
    rows = [
        {"what": name, "sequences_per_second": sequences / median, "spread": spread}
        for name, (median, spread) in found.items()
    ]
    if args.data:
        rows.append(loader_row(args.data, args.rounds, clock))
    facts = machine(device) | {"clock": clock.__name__}
    show(rows, facts)
    if args.json:
        write_json(args.json, facts, rows)
    return 0


def candidates(device: torch.device) -> dict[str, Callable[[], None]]:
    """Name -> one training step: sizes S and L, T = 15 and 30, fp32 and bf16; and fp32 in the
    published order of the graph convolution, which is what "plain" means."""
    steps = {}
    for size, make in (("S", small), ("L", large)):
        for frames in (15, 30):
            plain = _step(make, frames, False, device, channels_first=True)
            steps[f"SkeleTR-{size}, T={frames}, fp32, published order"] = plain
            for bf16 in (False, True):
                kind = "bf16" if bf16 else "fp32"
                if bf16 and not has_bf16(device):
                    continue  # imitated in software: several times slower, never used
                steps[f"SkeleTR-{size}, T={frames}, {kind}"] = _step(make, frames, bf16, device)
    return steps


def _sequences(device: torch.device) -> int:
    return _SEQUENCES_GPU if device.type == "cuda" else _SEQUENCES


def _step(
    make: Callable,
    frames: int,
    bf16: bool,
    device: torch.device,
    channels_first: bool = False,
) -> Callable[[], None]:
    torch.manual_seed(0)
    model = SkeleTR(make(dropout=0.1, instance_classes=_CLASSES, scene_classes=_CLASSES))
    model.to(device).train()
    if channels_first:
        for module in model.modules():
            if isinstance(module, SpatialGraphConv):
                module.joints_first = module.channels_first
    if bf16:
        model.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), 1e-3)
    clips = _sequences(device) // _M
    batch = SequenceBatch(
        torch.randn(clips, _M, frames, V, C),
        torch.randn(clips, _M, 5),
        torch.ones(clips, _M, dtype=torch.bool),
    ).to(device)
    targets = torch.randint(_CLASSES, (clips, _M), device=device)

    def step() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            output = model(batch)
        loss = torch.nn.functional.cross_entropy(
            output.instance.float().flatten(0, 1), targets.flatten()
        ) + torch.nn.functional.cross_entropy(output.scene.float(), targets[:, 0])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    return step


def loader_row(data: str, rounds: int, clock: Callable[[], float] = time.perf_counter) -> dict:
    """What one loader process composes, in sequences per second."""
    config = load_config(_CONFIG, [])
    clips = load_clips(data_root(data), config.datasets)
    labels = vocabulary(config.datasets)
    train = [c for c in clips if c.split == "train"]
    source = ComposedSource(train, labels, config.scenes, config.sequences)
    most = round(sum(config.sequences_per_scene) / 2)
    rates = []
    for number in range(rounds + 1):
        rng = np.random.default_rng(number)
        begin, made = clock(), 0
        for scene in range(20):
            made += len(source.draw(scene, most, rng).x)
        if number:
            rates.append(made / (clock() - begin))
    median, spread = middle(rates)
    return {"what": "loader, one process", "sequences_per_second": median, "spread": spread}


def show(rows: list[dict], facts: dict[str, object]) -> None:
    """The table, for people."""
    print(told(facts))
    print(f"| training step | sequences/s | clips/s (M = {_M}) | spread of the middle half |")
    print("|---|---|---|---|")
    for row in rows:
        rate = row["sequences_per_second"]
        print(f"| {row['what']} | {rate:.1f} | {rate / _M:.1f} | {row['spread']:.0%} |")


if __name__ == "__main__":
    raise SystemExit(main())
