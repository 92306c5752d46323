"""python -m skeletr average: the mean of two checkpoints' weights, calibrated anew.

Two trainings that began with the same weights often agree so far that the mean of their weights
is better than either (model soups, Wortsman et al., ICML 2022).
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch

from skeletr.checkpoint import Checkpoint, CheckpointError
from skeletr.datasets import DatasetError
from skeletr.training.config import ConfigError, TrainConfig
from skeletr.training.config_file import load_config
from skeletr.training.tasks import load_tasks
from skeletr.training.validate import validator


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `average`."""
    parser.add_argument(
        "config",
        help="how they were trained, for instance configs/default.yaml: its validation part "
        "judges and calibrates the mean",
    )
    parser.add_argument("first", help="checkpoint: folder or OWNER/NAME")
    parser.add_argument("second", help="another one of the same kind")
    parser.add_argument("output", help="folder for the mean")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="for instance data=DIR")
    parser.add_argument(
        "--share", type=float, default=0.5, help="of the second one, 0 to 1 (default: 0.5)"
    )
    parser.add_argument(
        "--window",
        type=float,
        metavar="SECONDS",
        help="that the mean relates when it recognises (default: as the two); it is calibrated so",
    )


def run(args: argparse.Namespace) -> int:
    """Write the mean; 1 where there is none."""
    try:
        config = load_config(args.config, args.overrides)
        found = average(
            Checkpoint.from_pretrained(args.first),
            Checkpoint.from_pretrained(args.second),
            args.share,
        )
        if args.window is not None:
            found = replace(found, sequences=replace(found.sequences, window=args.window))
        found, text = calibrated(found, config)
        found.save_pretrained(Path(args.output))
    except (CheckpointError, ConfigError, DatasetError, OSError, ValueError) as error:
        print(f"average: {error}", file=sys.stderr)
        return 1
    print(text)
    print(f"{args.output}: written")
    return 0


def average(first: Checkpoint, second: Checkpoint, share: float) -> Checkpoint:
    """The second checkpoint with the mean of both ones' weights, `share` of its own.

    Raises:
        CheckpointError: they are not of the same kind, or do not know the same labels.
    """
    if not 0 <= share <= 1:
        raise CheckpointError(f"share is {share}, expected between 0 and 1")
    for name in ("labels", "sequences"):
        if getattr(first, name) != getattr(second, name):
            raise CheckpointError(f"the two differ in their {name}, expected the same")
    if first.model.config != second.model.config:
        raise CheckpointError(
            f"the two are of different networks: {first.model.config} and {second.model.config}"
        )
    theirs, ours = first.model.state_dict(), second.model.state_dict()
    mean = {
        key: torch.lerp(theirs[key], value, share) if value.is_floating_point() else value
        for key, value in ours.items()
    }
    second.model.load_state_dict(mean)
    return replace(second, card="")


def calibrated(checkpoint: Checkpoint, config: TrainConfig) -> tuple[Checkpoint, str]:
    """Calibrated on the validation part of a run's first task, and how right it is there; by the
    sequences of the checkpoint.

    Raises:
        DatasetError: data are missing or broken. CheckpointError: it knows other labels.
    """
    config = replace(config, sequences=checkpoint.sequences)
    task = load_tasks(config)[0]
    if task.labels != checkpoint.labels:
        raise CheckpointError(f"the labels of {task.config.name} are not those of the checkpoint")
    judge = validator(task, config, (0, 1), list)
    model = checkpoint.model.eval()
    verdict, (calibration, text) = judge.measure(model), judge.calibrate(model)
    told = (
        f"validation {verdict.text}; {text}, temperature {calibration.temperature}, "
        f"unknown below {calibration.threshold}"
    )
    return replace(checkpoint, calibration=calibration), told
