"""Measure a checkpoint on the held-out parts of its data sets."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `evaluate`."""
    from skeletr.evaluation import add_arguments as add

    add(parser)


def run(args: argparse.Namespace) -> int:
    """See `skeletr.evaluation`."""
    from skeletr.evaluation import run as run_evaluation

    return run_evaluation(args)
