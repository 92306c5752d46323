"""Parameters and multiply-accumulates of a model, in the paper's convention."""

from __future__ import annotations

import argparse
import json
import sys

from skeletr.model.config import INTERACTIONS, STREAMS
from skeletr.model.cost import MODELS, measure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `summary`."""
    parser.add_argument(
        "model", choices=MODELS, help="SkeleTR-S, -L and [C]; or a GCN alone over long sequences"
    )
    parser.add_argument("--sequences", type=int, default=20, help="M, sequences per scene")
    parser.add_argument("--frames", type=int, default=30, help="T, frames per sequence")
    parser.add_argument("--classes", type=int, default=320, help="K of the classifier")
    parser.add_argument(
        "--aggregation", metavar="1x1+Tx1", help=f"of {', '.join(STREAMS)} (paper, Table 5)"
    )
    parser.add_argument("--interaction", choices=INTERACTIONS, help="paper, Table 4")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(args: argparse.Namespace) -> int:
    """Print the cost; exit code 2 for sizes or options that cannot be."""
    given = {"aggregation": args.aggregation, "interaction": args.interaction}
    options = {name: value for name, value in given.items() if value}
    try:
        cost = measure(args.model, args.sequences, args.frames, args.classes, **options)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    facts = cost.as_dict()
    if args.json:
        print(json.dumps(facts, indent=2))
        return 0
    about = "".join(f", {name} {value}" for name, value in options.items())
    print(f"{cost.model}, {cost.sequences} sequences of {cost.frames} frames{about}")
    print(f"  parameters            {facts['parameters_M']:8.3f} M  ({cost.parameters:,})")
    print(f"  multiply-accumulates  {facts['macs_G']:8.3f} G  (norms as at evaluation, Table 2)")
    print(f"                        {facts['macs_training_G']:8.3f} G  (as in training, Table 6)")
    print(f"    stage 1             {facts['stage1_G']:8.3f} G  (GCN, aggregation)")
    print(f"    stage 2             {facts['stage2_G']:8.3f} G  (interaction, Table 5)")
    print("  G = 2^30, M = 2^20; the final classifier is not among the parameters.")
    return 0
