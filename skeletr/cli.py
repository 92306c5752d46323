"""The command line: python -m skeletr recognize | prepare | train | evaluate | summary."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from skeletr import __version__
from skeletr.commands import evaluate, prepare, recognize, summary, train

_COMMANDS = {
    "recognize": recognize,
    "prepare": prepare,
    "train": train,
    "evaluate": evaluate,
    "summary": summary,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="python -m skeletr", description=__doc__)
    parser.add_argument("--version", action="version", version=f"SkeleTR Live {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, module in _COMMANDS.items():
        description = (module.__doc__ or "").strip()
        sub = commands.add_parser(
            name,
            help=description.splitlines()[0],
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(sub)
        sub.set_defaults(run=module.run)
    args = parser.parse_args(argv)
    try:
        return args.run(args)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
