"""python -m skeletr train: train a model, or continue a run."""

from __future__ import annotations

import argparse
import sys

from skeletr.datasets import DatasetError
from skeletr.training.config import ConfigError, load_config
from skeletr.training.state import StateError
from skeletr.training.trainer import TrainingError, train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `train`."""
    parser.add_argument("config", help="YAML file, for instance configs/default.yaml")
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="for instance steps=100 scenes.pair=0.3"
    )


def run(args: argparse.Namespace) -> int:
    """Train; 1 where configuration, data or the saved state are not right."""
    try:
        train(load_config(args.config, args.overrides))
    except (ConfigError, DatasetError, StateError, TrainingError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    return 0
