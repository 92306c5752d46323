"""The processes of a run: one, or those that `accelerate launch` started."""

from __future__ import annotations

import os

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object

from skeletr.cores import usable_cores
from skeletr.training.config import TrainConfig
from skeletr.training.folders import TrainingError


def make_accelerator(config: TrainConfig) -> Accelerator:
    """Puts models and tensors on the device; casting to bf16 is left to the trainer, so that two
    runs of one program may differ in it."""
    return Accelerator(cpu=config.device == "cpu", mixed_precision="no")


def share_cores(config: TrainConfig) -> None:
    """Threads of the network as configured, or this process's part of the cores."""
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    torch.set_num_threads(config.threads or max(1, usable_cores() // here))


def check_agreement(step: int, folder: os.PathLike[str]) -> None:
    """Raises `TrainingError` where processes would go on from different steps."""
    steps = gather_object([step])
    if len(set(steps)) > 1:
        raise TrainingError(
            f"processes found states of steps {sorted(set(steps))} in {folder}; run must be a "
            "folder that all machines share"
        )
