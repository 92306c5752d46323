"""The command line: python -m skeletr COMMAND ..."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from skeletr import __version__

# Command -> (module with `add_arguments(parser)` and `run(args)`, what it does). Only the module
# of the command that is given is imported: help and `summary` need no video and no data sets.
COMMANDS: dict[str, tuple[str, str]] = {
    "recognize": ("skeletr.commands.recognize", "Recognise the people of video files."),
    "prepare": ("skeletr.datasets.prepare_command", "Make a data set ready for training."),
    "train": ("skeletr.training.command", "Train a model, or continue a run."),
    "average": ("skeletr.training.average_command", "The mean of two checkpoints' weights."),
    "evaluate": ("skeletr.evaluation.command", "Measure a checkpoint on held-out data."),
    "ava-detect": (
        "skeletr.evaluation.detect_command",
        "What people do at every second of AVA's videos.",
    ),
    "ava": ("skeletr.evaluation.ava_command", "Frame mAP of AVA predictions."),
    "fuse": ("skeletr.evaluation.fusion_command", "Late fusion of score files."),
    "import-pyskl": ("skeletr.commands.import_pyskl", "A checkpoint of PYSKL's published weights."),
    "export": ("skeletr.commands.export", "A checkpoint as an ONNX file."),
    "summary": ("skeletr.commands.summary", "Parameters and cost of a model."),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code, 130 when interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="python -m skeletr", description="SkeleTR Live")
    parser.add_argument("--version", action="version", version=f"SkeleTR Live {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module_name, what) in COMMANDS.items():
        sub = commands.add_parser(
            name, help=what, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name in words[:1]:
            module = importlib.import_module(module_name)
            sub.description = (module.__doc__ or what).strip()
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    args = parser.parse_args(words)
    try:
        return args.run(args)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
