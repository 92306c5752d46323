"""Configuration of a training run: YAML file, then KEY=VALUE, into one frozen dataclass."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_type_hints

import yaml

from skeletr.datasets import DATASETS
from skeletr.datasets.scenes import SceneConfig
from skeletr.model import SkeleTRConfig, large, small
from skeletr.sequences import SequenceConfig


class ConfigError(ValueError):
    """A configuration that cannot be: says the key, what was given and what was expected."""


@dataclass(frozen=True)
class TrainConfig:
    """Everything that defines a training run.

    output: folder for the weights. run: folder for log and resumable state. data: folder with
    the data sets, "" = from the environment. size: SkeleTR-S or -L. steps: optimiser steps.
    batch: real sequences per step; above 80 the memory traffic on a CPU costs more than it
    brings. sequences_per_scene: range of M~, drawn once per batch (paper, adaptive M).
    rate: peak learning rate. milestones: shares of the steps after which multi-step schedules
    divide the rate by 10. stranger: weight of a label as a negative of one that no data set tells
    apart from it. scene_weight: of the scene's loss beside the instances'. ema: decay of
    the averaged weights, which are the ones that are kept; 0 = off. threads: of the network, 0 =
    as many as there are cores. compile: let torch.compile fuse the backbone; takes one or two
    minutes and a C++ compiler, then trains about twice as fast on a CPU. validation_scenes:
    composed from the validation clips.
    """

    output: str
    run: str
    data: str = ""
    datasets: tuple[str, ...] = ("sbu", "kinder_gator", "jhmdb")
    seed: int = 0
    size: Literal["S", "L"] = "S"
    dropout: float = 0.1
    sequences: SequenceConfig = field(default_factory=SequenceConfig)
    scenes: SceneConfig = field(default_factory=SceneConfig)
    steps: int = 5000
    batch: int = 60
    sequences_per_scene: tuple[int, int] = (5, 20)
    optimiser: Literal["adamw", "sgd"] = "adamw"
    schedule: Literal["cosine", "multistep"] = "cosine"
    milestones: tuple[float, ...] = (0.7, 0.85)
    rate: float = 2e-3
    warmup: int = 100
    weight_decay: float = 0.05
    clip_norm: float = 2.0
    label_smoothing: float = 0.1
    stranger: float = 0.3
    scene_weight: float = 0.5
    ema: float = 0.998
    bf16: bool = True
    workers: int = 1
    threads: int = 0
    compile: bool = False
    log_every: int = 20
    validate_every: int = 500
    save_every: int = 200
    validation_scenes: int = 200

    def __post_init__(self) -> None:
        for name in ("datasets", "sequences_per_scene", "milestones"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        low, high = self.sequences_per_scene
        checks = {
            "datasets": bool(self.datasets) and set(self.datasets) <= set(DATASETS),
            "size": self.size in ("S", "L"),
            "optimiser": self.optimiser in ("adamw", "sgd"),
            "schedule": self.schedule in ("cosine", "multistep"),
            "sequences_per_scene": 1 <= low <= high,
            "steps": self.steps >= 1,
            "batch": self.batch >= 2,
            "rate": self.rate > 0,
            "stranger": 0 < self.stranger <= 1,
            "ema": 0 <= self.ema < 1,
            "workers": self.workers >= 0,
            "threads": self.threads >= 0,
            "label_smoothing": 0 <= self.label_smoothing < 1,
        }
        for name, good in checks.items():
            if not good:
                raise ConfigError(f"{name} is {getattr(self, name)!r}, which cannot be")
        for name in ("log_every", "validate_every", "save_every"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}, expected at least 1")

    def model(self, classes: int) -> SkeleTRConfig:
        """The network for so many labels."""
        make = small if self.size == "S" else large
        return make(dropout=self.dropout, instance_classes=classes, scene_classes=classes)


def load_config(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> TrainConfig:
    """Read a YAML file and apply `KEY=VALUE`, with dots for parts: `scenes.pair=0.3`.

    Raises:
        ConfigError: not readable, unknown key, or a value that cannot be.
    """
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} is not a readable YAML file: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} holds a {type(values).__name__}, expected keys and values")
    for override in overrides:
        _override(values, override)
    return _build(TrainConfig, values, "")


def _override(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals:
        raise ConfigError(f"{override!r}: expected KEY=VALUE")
    *parents, name = key.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise ConfigError(f"{override!r}: {parent} holds no keys of its own")
    values[name] = yaml.safe_load(text)


def _build(kind: type, values: dict[str, Any], prefix: str) -> Any:
    """A dataclass from a dict; unknown keys are refused, numbers like 2e-3 are read as such."""
    hints = get_type_hints(kind)
    known = [f.name for f in fields(kind)]
    unknown = [prefix + str(k) for k in values if k not in known]
    if unknown:
        raise ConfigError(f"unknown {unknown}; expected some of {[prefix + k for k in known]}")
    built = {
        k: _build(hints[k], v, f"{prefix}{k}.")
        if is_dataclass(hints[k]) and isinstance(v, dict)
        else _value(prefix + k, v, hints[k])
        for k, v in values.items()
    }
    try:
        return kind(**built)
    except ConfigError:
        raise
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{prefix.rstrip('.') or 'configuration'}: {error}") from error


def _value(key: str, value: Any, kind: Any) -> Any:
    """Check plain types; YAML reads 2e-3 as text, which is meant as a number."""
    if kind is float and isinstance(value, str | int) and not isinstance(value, bool):
        try:
            return float(value)
        except ValueError as error:
            raise ConfigError(f"{key} is {value!r}, expected a number") from error
    if kind in (int, float, bool, str) and type(value) is not kind:
        raise ConfigError(f"{key} is {value!r}, expected {kind.__name__}")
    return value
