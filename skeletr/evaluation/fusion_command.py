"""Accuracy of score files on the same clips, each alone and all fused.

SCORES:WEIGHT gives a file a weight, 1 if left out: rgb.npz:2 skeleton.npz is 2 to 1.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from skeletr.evaluation.fusion import ScoreError, ScoreFile, align, fuse
from skeletr.evaluation.metrics import mean_class_accuracy, top_k
from skeletr.evaluation.pictures import draw
from skeletr.files import atomic_path


@dataclass(frozen=True)
class FusionResult:
    """Accuracies in [0, 1] of one file, or of all fused (`weight` is None)."""

    scores: str
    weight: float | None
    clips: int
    labels: int
    top1: float
    top5: float
    mean_class: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the fusion."""
    parser.add_argument("scores", nargs="+", metavar="SCORES[:WEIGHT]", help=".npz or .json files")
    parser.add_argument(
        "--softmax", action="store_true", help="the scores are logits: make them probabilities"
    )
    parser.add_argument("--out", metavar="FILE", help="write the fused scores, .npz or .json")
    parser.add_argument("--json", metavar="FILE", help="write the results as JSON, - for stdout")
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="FOLDER",
        help="also draw what is taken for what by the fused scores, and how right each label is",
    )


def run(args: argparse.Namespace) -> int:
    """Print a table, or JSON; 1 where a file is missing or broken or does not fit."""
    try:
        parts = [(ScoreFile.load(path), weight) for path, weight in map(parse, args.scores)]
        fused = fuse(parts, args.softmax)
        results = measure(parts, fused)
    except ScoreError as error:
        print(f"fuse: {error}", file=sys.stderr)
        return 1
    try:
        if args.out:
            fused.save(args.out)
        if args.pictures:
            draw(args.pictures, "fused", fused.scores, fused.targets, fused.labels)
    except OSError as error:
        print(f"fuse: the results cannot be written: {error}", file=sys.stderr)
        return 1
    text = json.dumps([asdict(r) for r in results], indent=2)
    if args.json == "-":
        print(text)
        return 0
    print(table(results))
    if args.json:
        with atomic_path(args.json) as partial:
            partial.write_text(text + "\n", encoding="utf-8")
    return 0


def parse(argument: str) -> tuple[str, float]:
    """A file and its weight; a colon without a number behind it belongs to the name."""
    path, colon, weight = argument.rpartition(":")
    if not colon or Path(argument).exists():
        return argument, 1.0
    try:
        return path, float(weight)
    except ValueError:
        return argument, 1.0


def measure(parts: Sequence[tuple[ScoreFile, float]], fused: ScoreFile) -> list[FusionResult]:
    """Each part by itself, in the order given, and at last what they are fused to.

    Raises:
        ScoreError: no file knows the true labels.
    """
    if fused.targets is None:
        names = ", ".join(part.source for part, _ in parts)
        raise ScoreError(f"no targets in {names}; expected them in at least one file")
    alone = [
        _result(part.source, weight, align(part, fused).scores, fused.targets)
        for part, weight in parts
    ]
    return [*alone, _result("fused", None, fused.scores, fused.targets)]


def table(results: Sequence[FusionResult]) -> str:
    """Results as a table for people, in percent."""
    wide = max(len(r.scores) for r in results)
    lines = [
        f"{results[-1].clips} clips, {results[-1].labels} labels",
        f"{'scores':{wide}s} {'weight':>7s} {'top-1':>7s} {'top-5':>7s} {'class':>7s}",
    ]
    for r in results:
        cells = " ".join(f"{100 * v:7.2f}" for v in (r.top1, r.top5, r.mean_class))
        weight = "" if r.weight is None else f"{r.weight:g}"
        lines.append(f"{r.scores:{wide}s} {weight:>7s} {cells}")
    return "\n".join(lines)


def _result(
    name: str, weight: float | None, scores: np.ndarray, targets: np.ndarray
) -> FusionResult:
    return FusionResult(
        name,
        weight,
        *scores.shape,
        top_k(scores, targets),
        top_k(scores, targets, 5),
        mean_class_accuracy(scores, targets),
    )
