"""Training: one trunk, several data sets and tasks, one road with live video."""

from skeletr.training.command import add_arguments, run
from skeletr.training.config import ConfigError, TrainConfig
from skeletr.training.config_file import load_config
from skeletr.training.folders import TrainingError
from skeletr.training.trainer import Trainer, train

__all__ = [
    "ConfigError",
    "TrainConfig",
    "Trainer",
    "TrainingError",
    "add_arguments",
    "load_config",
    "run",
    "train",
]
