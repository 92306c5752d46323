"""Make a data set ready for training: python -m skeletr prepare KIND SOURCE --out STORE ..."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `prepare`."""
    from skeletr.datasets.prepare_command import add_arguments as add

    add(parser)


def run(args: argparse.Namespace) -> int:
    """See `skeletr.datasets.prepare_command`."""
    from skeletr.datasets.prepare_command import run as run_prepare

    return run_prepare(args)
