"""Checkpoints from strangers: opened without executing anything, or refused in one sentence.

`SKELETR_FLIPS=1000` tries that many damaged files.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from skeletr.checkpoint import Checkpoint, CheckpointError
from skeletr.model import SkeleTR, SkeleTRConfig
from skeletr.model.config import BackboneConfig
from skeletr.sequences import SequenceConfig
from tests.broken.test_recordings import Trap
from tests.broken.test_videos import flipped

FLIPS = int(os.environ.get("SKELETR_FLIPS", "20"))
WEIGHTS, CONFIG = "model.safetensors", "config.json"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint") / "whole"
    config = SkeleTRConfig(BackboneConfig((12,), (2,)), instance_classes=2, scene_classes=2)
    Checkpoint(SkeleTR(config), ("walk", "run"), SequenceConfig()).save_pretrained(folder)
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def refused(folder: Path) -> str:
    with pytest.raises(CheckpointError) as error:
        Checkpoint.from_pretrained(folder)
    assert str(folder.parent) not in str(error.value)
    return str(error.value)


def test_pickled_weights_are_not_opened(copy: Path, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    torch.save({"weight": Trap(trap)}, copy / WEIGHTS)
    assert "safetensors" in refused(copy)
    (copy / WEIGHTS).write_bytes(pickle.dumps(Trap(trap)))
    assert "safetensors" in refused(copy)
    (copy / WEIGHTS).rename(copy / "pytorch_model.bin")
    refused(copy)
    (copy / CONFIG).write_bytes(pickle.dumps(Trap(trap)))
    refused(copy)
    assert not trap.exists()


WRONG_WEIGHTS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "text": lambda data: b"Dear all, these are no weights.",
    "cut off in the header": lambda data: data[:40],
    "cut off at a half": lambda data: data[: len(data) // 2],
    "a header of eight exabytes": lambda data: b"\xff" * 7 + b"\x7f" + data[8:],
    "a header of nothing": lambda data: bytes(8) + data[8:],
    "other weights": lambda data: b"\x02\x00\x00\x00\x00\x00\x00\x00{}",
}


@pytest.mark.parametrize("name", WRONG_WEIGHTS)
def test_wrong_weights_are_one_sentence(name: str, copy: Path) -> None:
    data = (copy / WEIGHTS).read_bytes()
    (copy / WEIGHTS).write_bytes(WRONG_WEIGHTS[name](data))
    assert WEIGHTS in refused(copy)


def model(**changes: object) -> Callable[[dict], dict]:
    return lambda config: {**config, "model": {**config["model"], **changes}}


WRONG_CONFIGS: dict[str, Callable[[dict], object]] = {
    "a list": lambda config: [],
    "another format": lambda config: {**config, "format": 2},
    "no model": lambda config: {k: v for k, v in config.items() if k != "model"},
    "a model of words": lambda config: {**config, "model": "large"},
    "an unknown option": model(speed=3),
    "classes of words": model(instance_classes="many"),
    "fewer than no classes": model(instance_classes=-3),
    "classes beyond the memory": model(instance_classes=2**50),
    "other labels": lambda config: {**config, "labels": ["one"]},
    "labels that are none": lambda config: {**config, "labels": 3},
    "a temperature of zero": lambda config: {
        **config,
        "calibration": {"temperature": 0, "threshold": 0.5},
    },
}


@pytest.mark.parametrize("name", WRONG_CONFIGS)
def test_wrong_configurations_are_one_sentence(name: str, copy: Path) -> None:
    config = json.loads((copy / CONFIG).read_text())
    (copy / CONFIG).write_text(json.dumps(WRONG_CONFIGS[name](config)))
    refused(copy)


def test_a_configuration_nested_deeply_is_refused(copy: Path) -> None:
    (copy / CONFIG).write_text("[" * 100_000)
    refused(copy)


@pytest.mark.parametrize("name", [WEIGHTS, CONFIG])
def test_flipped_bytes(name: str, copy: Path) -> None:
    data = (copy / name).read_bytes()
    for seed in range(-(-FLIPS // 2)):
        (copy / name).write_bytes(flipped(data, seed))
        try:
            found = Checkpoint.from_pretrained(copy)
        except CheckpointError as error:
            assert "copy" in str(error) or "head" in str(error) or "labels" in str(error), seed
        else:
            assert len(found.labels) == 2, seed
