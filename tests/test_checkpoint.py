"""Checkpoints: what is saved comes back; what is broken is named and never executed."""

from __future__ import annotations

import json
import pickle

import pytest
import torch

from skeletr.checkpoint import DEFAULT_CHECKPOINT, Calibration, Checkpoint, CheckpointError
from skeletr.devices import DeviceError, pick_device
from skeletr.model import SkeleTR, SkeleTRConfig
from skeletr.model.config import BackboneConfig
from skeletr.sequences import SequenceConfig

LABELS = ("a", "b", "c")


@pytest.fixture
def saved(tmp_path):
    config = SkeleTRConfig(BackboneConfig((12,), (1,)), instance_classes=3, scene_classes=3)
    checkpoint = Checkpoint(
        SkeleTR(config), LABELS, SequenceConfig(frames=20, rate=10), Calibration(1.5, 0.25), ("b",)
    )
    checkpoint.save_pretrained(tmp_path / "mine")
    return checkpoint, tmp_path / "mine"


def test_saved_and_loaded_it_is_the_same(saved):
    checkpoint, folder = saved
    again = Checkpoint.from_pretrained(folder)
    assert again.labels == LABELS
    assert again.sequences == checkpoint.sequences
    assert again.calibration == checkpoint.calibration
    assert again.interactions == ("b",)
    assert again.model.config == checkpoint.model.config
    assert not again.model.training
    for name, tensor in checkpoint.model.state_dict().items():
        assert torch.equal(tensor, again.model.state_dict()[name])
    assert sorted(p.name for p in folder.iterdir()) == ["config.json", "model.safetensors"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        Checkpoint.from_pretrained(tmp_path / "nowhere")


def test_a_pickle_is_not_opened(saved, tmp_path):
    _, folder = saved

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "executed"), "w"))

    (folder / "model.safetensors").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(CheckpointError, match="not a readable safetensors"):
        Checkpoint.from_pretrained(folder)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"format": 99},
        {"model": {"colour": "red"}},
        {"sequences": {"frames": 0}},
        {"labels": ["a"]},
        {"interactions": ["z"]},
        {"calibration": {"temperature": 0}},
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(saved, change):
    _, folder = saved
    config = json.loads((folder / "config.json").read_text())
    for key, value in change.items():
        nested = isinstance(value, dict)
        config[key] = {**config[key], **value} if nested else value
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError):
        Checkpoint.from_pretrained(folder)


@pytest.mark.parametrize("content", ["", "[]", "{", '"text"'])
def test_broken_json_is_refused(saved, content):
    _, folder = saved
    (folder / "config.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"config\.json"):
        Checkpoint.from_pretrained(folder)


def test_weights_of_another_model_are_refused(saved):
    _, folder = saved
    config = json.loads((folder / "config.json").read_text())
    config["model"]["layers"] = 3
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="does not fit"):
        Checkpoint.from_pretrained(folder)


def test_the_default_checkpoint_opens():
    checkpoint = Checkpoint.from_pretrained(DEFAULT_CHECKPOINT)
    assert {"walk", "jump", "stand"} <= set(checkpoint.labels)
    assert len(set(checkpoint.labels)) == len(checkpoint.labels)
    assert (DEFAULT_CHECKPOINT / "README.md").read_text().startswith("---")


def test_devices():
    assert pick_device("cpu").type == "cpu"
    assert pick_device("auto").type in ("cpu", "cuda")
    with pytest.raises(DeviceError, match="expected one of"):
        pick_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match="no CUDA device"):
            pick_device("cuda")
