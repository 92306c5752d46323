"""Checkpoints: what is saved comes back; what is broken is named and never executed."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
import torch
from huggingface_hub.errors import LocalEntryNotFoundError

from skeletr.checkpoint import DEFAULT_CHECKPOINT, Calibration, Checkpoint, CheckpointError
from skeletr.devices import DeviceError, pick_device
from skeletr.hub import HubError
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


def test_task_and_card_come_back(saved):
    checkpoint, folder = saved
    task = {"name": "sbu", "source": "clips", "data": "sbu"}
    full = Checkpoint(checkpoint.model, LABELS, checkpoint.sequences, task=task, card="# Mine\n")
    full.save_pretrained(folder)
    again = Checkpoint.from_pretrained(folder)
    assert again.task == task
    assert again.card == "# Mine\n" == (folder / "README.md").read_text()


# Hugging Face Hub, without it


class FakeHub:
    """A Hub with one repository, and what was asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked, self.uploaded = folder, [], {}

    def snapshot_download(self, repository, **options):
        self.asked.append((repository, options))
        if repository != "me/mine":
            raise LocalEntryNotFoundError(f"no {repository}\nand more")
        return str(self.folder)

    def create_repo(self, repository, **options):
        self.asked.append((repository, options))
        if repository == "other/closed":
            raise OSError("403 Forbidden")
        return SimpleNamespace(repo_id=repository)

    def upload_folder(self, *, repo_id, folder_path, allow_patterns, commit_message):
        self.uploaded = {p.name: p.read_bytes() for p in Path(folder_path).iterdir()}
        assert set(self.uploaded) <= set(allow_patterns)
        return f"https://hub/{repo_id}/commit/1"


@pytest.fixture
def hub(saved, monkeypatch):
    fake = FakeHub(saved[1])
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fake.snapshot_download)
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda token=None: fake)
    return fake


def test_a_repository_is_fetched_without_anything_but_weights_and_configuration(hub):
    assert Checkpoint.from_pretrained("me/mine", revision="v2").labels == LABELS
    ((name, options),) = hub.asked
    assert name == "me/mine"
    assert options["revision"] == "v2"
    assert options["allow_patterns"] == ["config.json", "model.safetensors"]


def test_a_repository_that_is_not_there_is_named(hub):
    with pytest.raises(CheckpointError, match=r"me/other is no folder here.*no me/other$"):
        Checkpoint.from_pretrained("me/other")


def test_a_folder_never_needs_the_network(saved, hub, monkeypatch):
    _, folder = saved
    monkeypatch.chdir(folder.parent.parent)
    Checkpoint.from_pretrained(f"{folder.parent.name}/{folder.name}")
    with pytest.raises(CheckpointError, match="is missing"):
        Checkpoint.from_pretrained(Path("me/other"))
    with pytest.raises(CheckpointError, match="is missing"):
        Checkpoint.from_pretrained("./me/other")
    assert hub.asked == []


def test_pushing_gives_weights_configuration_and_a_card(saved, hub):
    checkpoint, folder = saved
    assert checkpoint.push_to_hub("me/new").endswith("commit/1")
    assert set(hub.uploaded) == {"config.json", "model.safetensors", "README.md"}
    assert hub.uploaded["config.json"] == (folder / "config.json").read_bytes()
    card = hub.uploaded["README.md"].decode()
    assert card.startswith("---\n")
    assert "a, b, c" in card
    with pytest.raises(HubError, match=r"other/closed.*403"):
        checkpoint.push_to_hub("other/closed")


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
