"""A trained model with everything needed to use it: weights, labels, how its input is cut.

A checkpoint is a folder, or a repository of the Hugging Face Hub: `model.safetensors` (weights),
`config.json` (everything else) and `README.md` (the card). Opening one never executes anything.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from skeletr.files import atomic_path
from skeletr.hub import CARD, CONFIG, WEIGHTS, HubError, download, is_repository, model_card, upload
from skeletr.model import SkeleTR, SkeleTRConfig
from skeletr.sequences import SequenceConfig

CONFIG_FORMAT = 1
# What a configuration from elsewhere may end in: sizes that are no sizes, or beyond the memory.
_DOES_NOT_FIT = (
    *(ArithmeticError, AttributeError, LookupError, MemoryError),
    *(RuntimeError, TypeError, ValueError),
)
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

    interactions: those among them that it takes two people to do. rests: those of people who do
    nothing in particular. passing: what people do on the way to something else, or away from it.
    task: what it was trained on and for, plain values, see `skeletr.evaluation.task`; None where
    nothing is known. card: its description in Markdown; "" = none.
    """

    model: SkeleTR
    labels: tuple[str, ...]
    sequences: SequenceConfig
    calibration: Calibration = field(default_factory=Calibration)
    interactions: tuple[str, ...] = ()
    rests: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()
    task: Mapping[str, Any] | None = None
    card: str = ""

    def __post_init__(self) -> None:
        strangers = {*self.interactions, *self.rests, *self.passing} - set(self.labels)
        if strangers:
            raise CheckpointError(
                f"{sorted(strangers)}, named as interactions, rests or passing, are not labels"
            )
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
        """Write weights, configuration and, if there is one, the card into `folder`; each file
        appears whole."""
        folder = Path(folder)
        weights = {k: v.detach().cpu().contiguous() for k, v in self.model.state_dict().items()}
        with atomic_path(folder / WEIGHTS) as partial:
            save_file(weights, partial)
        with atomic_path(folder / CONFIG) as partial:
            partial.write_text(json.dumps(self.as_config(), indent=2) + "\n", encoding="utf-8")
        if self.card:
            with atomic_path(folder / CARD) as partial:
                partial.write_text(self.card, encoding="utf-8")

    def as_config(self) -> dict[str, Any]:
        """Everything but the weights, as in `config.json`."""
        config = {
            "format": CONFIG_FORMAT,
            "model": asdict(self.model.config),
            "sequences": asdict(self.sequences),
            "labels": list(self.labels),
            "interactions": list(self.interactions),
            "rests": list(self.rests),
            "passing": list(self.passing),
            "calibration": asdict(self.calibration),
        }
        return config if self.task is None else {**config, "task": dict(self.task)}

    @classmethod
    def from_pretrained(
        cls,
        name_or_path: str | os.PathLike[str],
        device: torch.device | str = "cpu",
        *,
        revision: str | None = None,
        token: str | None = None,
    ) -> Checkpoint:
        """Read what `save_pretrained` wrote; the model is in evaluation mode.

        Args:
            name_or_path: a folder, or, where there is none of that name, OWNER/NAME of a
                repository of the Hugging Face Hub. A folder never needs the network.
            revision: branch, tag or commit of the repository. token: for private ones.

        Raises:
            CheckpointError: a file is missing, broken or does not fit the others.
        """
        folder = Path(name_or_path)
        if is_repository(name_or_path):
            try:
                folder = download(str(name_or_path), revision, token)
            except HubError as error:
                raise CheckpointError(str(error)) from error
        config = _read_config(folder / CONFIG)
        try:
            model = SkeleTR(SkeleTRConfig(**config["model"]))
            about = about_model(config)
        except _DOES_NOT_FIT as error:
            raise CheckpointError(f"{folder.name}/{CONFIG} does not fit: {error}") from error
        _load_weights(model, folder / WEIGHTS)
        return cls(model.eval().to(device), **about, card=_read_card(folder / CARD))

    def push_to_hub(
        self,
        repository: str,
        *,
        private: bool | None = None,
        token: str | None = None,
        message: str = "Upload SkeleTR checkpoint",
    ) -> str:
        """Upload to OWNER/NAME of the Hugging Face Hub, with its card or a short one.

        Returns:
            The address of the commit.

        Raises:
            HubError: no access, or no connection.
        """
        folder = Path(tempfile.mkdtemp(prefix="skeletr-"))
        try:
            self.save_pretrained(folder)
            if not self.card:
                card = model_card(repository.split("/")[-1], self.labels, self._facts())
                (folder / CARD).write_text(card, encoding="utf-8")
            return upload(folder, repository, private=private, token=token, message=message)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _facts(self) -> list[str]:
        size = sum(p.numel() for p in self.model.parameters())
        sequences = self.sequences
        return [
            f"{size:,} parameters, {self.model.config.stream} stream",
            f"short sequences of {sequences.frames} frames at {sequences.rate:g} frames/s, "
            f"{len(sequences.joints)} joints of COCO-17, normalised to the {sequences.normalise}",
            f'below a probability of {self.calibration.threshold} the answer is "unknown"',
        ]


def about_model(config: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a `Checkpoint` beside its model and card, from what `as_config` gave.

    Raises one of `_DOES_NOT_FIT` where something is missing or impossible.
    """
    return {
        "labels": tuple(str(label) for label in config["labels"]),
        "sequences": SequenceConfig(**config["sequences"]),
        "calibration": Calibration(**config["calibration"]),
        "interactions": tuple(str(label) for label in config["interactions"]),
        "rests": tuple(str(label) for label in config.get("rests", ())),
        "passing": tuple(str(label) for label in config.get("passing", ())),
        "task": _task(config),
    }


def _task(config: Mapping[str, Any]) -> Mapping[str, Any] | None:
    task = config.get("task")
    if task is not None and not isinstance(task, dict):
        raise ValueError(f"task is {task!r}, expected keys and values")
    return task


def _read_card(path: Path) -> str:
    """The card, "" where there is none that can be read: nothing depends on it."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _read_config(path: Path) -> dict:
    try:
        config = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise CheckpointError(
            f"no checkpoint in the folder {path.parent.name}: {path.name} is missing; "
            "expected a folder with config.json and model.safetensors"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
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
    except FileNotFoundError as error:
        raise CheckpointError(f"{_short(path)} is missing, a safetensors file") from error
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{_short(path)} is not a readable safetensors file: {error}"
        ) from error
    except RuntimeError as error:
        raise CheckpointError(f"{_short(path)} does not fit its config.json: {error}") from error
