"""A trained model with everything needed to use it: weights, labels, how its input is cut.

A checkpoint is a folder: `model.safetensors` (weights), `config.json` (everything else) and
`README.md` (the card). Opening one never executes anything.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from skeletr.files import atomic_path
from skeletr.model import SkeleTR, SkeleTRConfig
from skeletr.sequences import SequenceConfig

CONFIG_FORMAT = 1
DEFAULT_CHECKPOINT = Path(__file__).parent.parent / "checkpoints" / "skeletr-s"


class CheckpointError(ValueError):
    """A checkpoint that cannot be used: the message names the file, what was found, expected."""


@dataclass(frozen=True)
class Calibration:
    """How logits become an honest answer; chosen on validation data.

    temperature: logits are divided by it before the softmax.
    threshold: below this probability the answer is "unknown".
    """

    temperature: float = 1.0
    threshold: float = 0.3

    def __post_init__(self) -> None:
        if self.temperature <= 0 or not 0 <= self.threshold <= 1:
            raise ValueError(
                f"temperature {self.temperature} must be above 0, "
                f"threshold {self.threshold} between 0 and 1"
            )


@dataclass(frozen=True)
class Checkpoint:
    """labels: K names, one for each output of the instance and of the scene head.

    interactions: those among them that it takes two people to do.
    """

    model: SkeleTR
    labels: tuple[str, ...]
    sequences: SequenceConfig
    calibration: Calibration = field(default_factory=Calibration)
    interactions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        strangers = set(self.interactions) - set(self.labels)
        if strangers:
            raise CheckpointError(f"interactions {sorted(strangers)} are not among the labels")
        config = self.model.config
        for name, classes in (
            ("instance", config.instance_classes),
            ("scene", config.scene_classes),
        ):
            if classes not in (0, len(self.labels)):
                raise CheckpointError(
                    f"the {name} head has {classes} classes, the vocabulary {len(self.labels)}"
                )

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write weights and configuration into `folder`; each file appears whole."""
        folder = Path(folder)
        config = {
            "format": CONFIG_FORMAT,
            "model": asdict(self.model.config),
            "sequences": asdict(self.sequences),
            "labels": list(self.labels),
            "interactions": list(self.interactions),
            "calibration": asdict(self.calibration),
        }
        weights = {k: v.detach().cpu().contiguous() for k, v in self.model.state_dict().items()}
        with atomic_path(folder / "model.safetensors") as partial:
            save_file(weights, partial)
        with atomic_path(folder / "config.json") as partial:
            partial.write_text(json.dumps(config, indent=2) + "\n")

    @classmethod
    def from_pretrained(
        cls, folder: str | os.PathLike[str], device: torch.device | str = "cpu"
    ) -> Checkpoint:
        """Read a folder that `save_pretrained` wrote; the model is in evaluation mode.

        Raises CheckpointError when a file is missing, broken or does not fit the others.
        """
        folder = Path(folder)
        config = _read_config(folder / "config.json")
        try:
            model = SkeleTR(SkeleTRConfig(**config["model"]))
            sequences = SequenceConfig(**config["sequences"])
            calibration = Calibration(**config["calibration"])
            labels = tuple(str(label) for label in config["labels"])
            interactions = tuple(str(label) for label in config["interactions"])
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{folder.name}/config.json does not fit: {error}") from error
        _load_weights(model, folder / "model.safetensors")
        return cls(model.eval().to(device), labels, sequences, calibration, interactions)


def _read_config(path: Path) -> dict:
    try:
        config = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise CheckpointError(
            f"no checkpoint in the folder {path.parent.name}: {path.name} is missing; "
            "expected a folder with config.json and model.safetensors"
        ) from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{_short(path)} is not readable JSON: {error}") from error
    if not isinstance(config, dict) or config.get("format") != CONFIG_FORMAT:
        found = config.get("format") if isinstance(config, dict) else type(config).__name__
        raise CheckpointError(f"{_short(path)} has format {found}, expected {CONFIG_FORMAT}")
    return config


def _short(path: Path) -> str:
    """Enough to find the file; the rest of the path is no business of a visitor's."""
    return f"{path.parent.name}/{path.name}"


def _load_weights(model: SkeleTR, path: Path) -> None:
    try:
        model.load_state_dict(load_file(path))
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{_short(path)} is not a readable safetensors file: {error}"
        ) from error
    except RuntimeError as error:
        raise CheckpointError(f"{_short(path)} does not fit its config.json: {error}") from error
