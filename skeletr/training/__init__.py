"""Training: scenes composed from several data sets, one vocabulary, one road with live video."""

from skeletr.training.command import add_arguments, run
from skeletr.training.config import ConfigError, TrainConfig, load_config
from skeletr.training.trainer import Trainer, TrainingError, train

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
