"""python -m skeletr train: train a model, or continue a run.

On several GPUs or machines: accelerate launch -m skeletr train CONFIG KEY=VALUE ...
"""

from __future__ import annotations

import argparse
import sys

from skeletr.datasets import DatasetError
from skeletr.devices import is_out_of_memory
from skeletr.training.config import ConfigError
from skeletr.training.config_file import load_config
from skeletr.training.folders import TrainingError
from skeletr.training.state import StateError
from skeletr.training.trainer import train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `train`."""
    parser.add_argument("config", help="YAML file, for instance configs/default.yaml")
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="for instance steps=100 scenes.pair=0.3"
    )


def run(args: argparse.Namespace) -> int:
    """Train; 1 where configuration, data or the saved state are not right."""
    try:
        folders = train(load_config(args.config, args.overrides))
    except (ConfigError, DatasetError, StateError, TrainingError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # of the log, say: what is saved is written whole or not at all
        print(f"train: {error}; the last saved state is whole", file=sys.stderr)
        return 1
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        print(
            "train: the graphics card has no memory left; the last saved state is whole. Free some "
            "and give the same command again, or begin a run with a smaller batch",
            file=sys.stderr,
        )
        return 1
    for name, folder in folders.items():
        print(f"{name}: best weights in {folder}")
    return 0
