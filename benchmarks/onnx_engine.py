"""The recogniser's steps in torch and in ONNX Runtime, on the CPU.

    python -m benchmarks.onnx_engine [--threads N] [--rounds 60] [--json FILE]

A step of P people, as at a key frame of a live stream: stage 1 for their P new short sequences,
stage 2 for the window (those people in the last five seconds, at most 40 sequences). "whole" is 40
sequences from scratch. The engines take turns; medians, and the spread of the middle half. Run it
on an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import onnxruntime
import torch

from benchmarks.machine import machine, told, write_json
from benchmarks.race import race
from skeletr.batch import SequenceBatch
from skeletr.checkpoint import DEFAULT_CHECKPOINT, Checkpoint
from skeletr.model import SkeleTR
from skeletr.model.fused import for_inference
from skeletr.model.skeletr import EMBEDDING_INPUT
from skeletr.onnx_engine import OnnxModel, load_onnx
from skeletr.onnx_export import export_onnx
from skeletr.sequences import SequenceConfig
from skeletr.skeleton import C, V
from skeletr.synthetic import examples

_PEOPLE = (1, 4, 10)
_PLAIN, _FUSED, _ONNX = "torch, plain", "torch, for inference", "ONNX Runtime"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT)
    parser.add_argument("--threads", type=int, help="of each engine (default: as torch has)")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    checkpoint = Checkpoint.from_pretrained(args.checkpoint)
    facts = machine() | {"onnxruntime": onnxruntime.__version__}
    engines = _engines(checkpoint)
    rows = {}
    with torch.inference_mode():
        for work, (batch, new) in _work(checkpoint.sequences).items():
            steps = {name: _step(model, batch, new) for name, model in engines.items()}
            rows[work] = race(steps, args.rounds, warm_up=3)
    print(f"{told(facts)}; medians of {args.rounds} rounds, ms")
    print("| work | " + " | ".join(engines) + f" | {_PLAIN} / ONNX | {_FUSED} / ONNX |")
    print("|---" * (len(engines) + 3) + "|")
    for work, row in rows.items():
        cells = " | ".join(f"{1e3 * median:.1f} ± {spread:.0%}" for median, spread in row.values())
        ratios = [row[name][0] / row[_ONNX][0] for name in (_PLAIN, _FUSED)]
        print(f"| {work} | {cells} | " + " | ".join(f"{r:.2f}" for r in ratios) + " |")
    if args.json:
        write_json(args.json, facts, rows)
    return 0


def _engines(checkpoint: Checkpoint) -> dict[str, SkeleTR | OnnxModel]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        export_onnx(checkpoint, path, list(examples().values()))
        return {
            _PLAIN: checkpoint.model,
            _FUSED: for_inference(checkpoint.model),
            _ONNX: load_onnx(path).model,
        }


def _work(config: SequenceConfig) -> dict[str, tuple[SequenceBatch, int]]:
    """Name -> one scene, and how many of its sequences are new."""
    keys = int(config.window / config.interval + 1e-6)
    sizes = {f"step, people: {p}": (min(p * keys, config.max_sequences), p) for p in _PEOPLE}
    sizes["whole"] = (config.max_sequences, config.max_sequences)
    return {name: (_scene(m, config.frames), new) for name, (m, new) in sizes.items()}


def _scene(sequences: int, frames: int) -> SequenceBatch:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(1, sequences, frames, V, C, generator=generator)
    embedding = torch.rand(1, sequences, EMBEDDING_INPUT, generator=generator)
    return SequenceBatch(x, embedding, torch.ones(1, sequences, dtype=torch.bool))


def _step(model: SkeleTR | OnnxModel, batch: SequenceBatch, new: int) -> Callable[[], object]:
    """What `Recognizer` asks of a model at a key frame."""
    kept = model.tokens(batch.x[0])[new:]

    def step() -> object:
        tokens = torch.cat([kept, model.tokens(batch.x[0, :new])])
        return model.relate(tokens[None], batch.embedding, batch.mask)

    return step


if __name__ == "__main__":
    raise SystemExit(main())
