"""Runs that cannot begin, or cannot go on: said before time is wasted, and no data lost."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from skeletr.datasets import DatasetError
from skeletr.datasets.store import write_store
from skeletr.training import Trainer, TrainingError, state, train
from skeletr.training.state import StateError
from skeletr.training.tasks import load_tasks

from .own_store import config, make_store, own, samples


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("stores") / "video")


def _only(folder: Path, keep: Callable[[str, str], bool]) -> Path:
    write_store(folder, [s for s in samples() if keep(s.name.split("/")[0], s.split)])
    return folder


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        (lambda label, split: label == "sway" or split != "train", "at least two"),
        (lambda label, split: split != "val", "no validation samples"),
        (lambda label, split: split != "train", "0 training samples"),
    ],
)
def test_data_that_cannot_be_learnt_from(tmp_path: Path, keep: Callable, said: str) -> None:
    setting = config(tmp_path, (own(_only(tmp_path / "store", keep)),))
    with pytest.raises(DatasetError, match=said):
        load_tasks(setting)


def test_folders_that_cannot_be_written(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    setting = config(tmp_path, (own(store),), run=str(tmp_path / "file" / "run"))
    with pytest.raises(TrainingError, match="cannot be written"):
        train(setting)
    full = shutil._ntuple_diskusage(10**9, 10**9 - 10**6, 10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(TrainingError, match="1 MB are free"):
        train(replace(setting, run=str(tmp_path / "run")))


def test_a_full_disk_leaves_the_last_state(
    tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = config(tmp_path, (own(store),))
    trainer = Trainer(setting, load_tasks(setting))
    trainer.step(trainer.batches[0])
    trainer.save()
    whole = (tmp_path / "run" / "last.safetensors").read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    trainer.step(trainer.batches[1])
    monkeypatch.setattr(state, "save_file", full)
    with pytest.raises(TrainingError, match=r"step 2.*No space left"):
        trainer.save()
    assert (tmp_path / "run" / "last.safetensors").read_bytes() == whole
    assert [p.name for p in (tmp_path / "run").glob("*safetensors*")] == ["last.safetensors"]


def test_a_state_of_other_labels_is_refused(tmp_path: Path, store: Path) -> None:
    setting = config(tmp_path, (own(store),))
    trainer = Trainer(setting, load_tasks(setting))
    trainer.progress.labels = {"own": ["other", "labels"]}
    trainer.save()
    with pytest.raises(StateError, match="other labels"):
        Trainer(setting, load_tasks(setting)).run()
