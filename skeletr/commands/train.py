"""Train a model: python -m skeletr train configs/default.yaml key=value ..."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `train`."""
    from skeletr.training import add_arguments as add

    add(parser)


def run(args: argparse.Namespace) -> int:
    """See `skeletr.training`."""
    from skeletr.training import run as run_training

    return run_training(args)
