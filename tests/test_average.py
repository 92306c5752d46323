"""The mean of two checkpoints' weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from skeletr.checkpoint import Checkpoint, CheckpointError
from skeletr.cli import main
from skeletr.datasets.vocabulary import vocabulary
from skeletr.model import SkeleTR, small
from skeletr.sequences import SequenceConfig
from skeletr.training.average_command import average

from .skeleton_files import write_all

DATASETS = ("sbu", "kinder_gator")
LABELS = vocabulary(DATASETS)
SEQUENCES = SequenceConfig(frames=12, rate=8.0)


def _checkpoint(seed: int) -> Checkpoint:
    torch.manual_seed(seed)
    model = SkeleTR(small(instance_classes=len(LABELS), scene_classes=len(LABELS)))
    return Checkpoint(model.eval(), LABELS, SEQUENCES, card=f"number {seed}")


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_every_weight_is_the_mean(share: float) -> None:
    one, two = _checkpoint(1), _checkpoint(2)
    first, second = ({k: v.clone() for k, v in c.model.state_dict().items()} for c in (one, two))
    mean = average(one, two, share)
    for name, value in mean.model.state_dict().items():
        if value.is_floating_point():
            expected = (1 - share) * first[name] + share * second[name]
            torch.testing.assert_close(value, expected)
    assert mean.card == ""  # neither card is true of it


def test_only_two_of_a_kind_have_a_mean() -> None:
    one, two = _checkpoint(1), _checkpoint(2)
    with pytest.raises(CheckpointError, match="labels"):
        average(one, replace(two, labels=(*LABELS[:-1], "fly")), 0.5)
    with pytest.raises(CheckpointError, match="sequences"):
        average(one, replace(two, sequences=SequenceConfig()), 0.5)
    with pytest.raises(CheckpointError, match="between 0 and 1"):
        average(one, two, 1.5)
    classes = len(LABELS)
    other = SkeleTR(small(instance_classes=classes, scene_classes=classes, layers=1))
    with pytest.raises(CheckpointError, match="different networks"):
        average(one, replace(two, model=other), 0.5)


def test_the_command_measures_and_calibrates_it(tmp_path: Path, capsys) -> None:
    for seed in (1, 2):
        _checkpoint(seed).save_pretrained(tmp_path / str(seed))
    config = {
        "output": "out",
        "run": "run",
        "data": str(write_all(tmp_path / "data")),
        "datasets": list(DATASETS),
        "sequences": {"frames": 12, "rate": 8.0},
        "validation_scenes": 4,
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    given = [str(tmp_path / name) for name in ("config.yaml", "1", "2", "mean")]
    assert main(["average", *given, "--share", "0.25", "--window", "2"]) == 0
    told = capsys.readouterr().out
    written = Checkpoint.from_pretrained(tmp_path / "mean")
    assert written.sequences == replace(_checkpoint(1).sequences, window=2.0)
    assert f"unknown below {written.calibration.threshold}" in told
    expected = average(*(Checkpoint.from_pretrained(path) for path in given[1:3]), 0.25)
    for name, value in expected.model.state_dict().items():
        assert torch.equal(value, written.model.state_dict()[name])

    assert main(["average", *given, "--window", "0"]) == 1
    assert "window" in capsys.readouterr().err

    config["datasets"] = ["sbu"]
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    assert main(["average", *given]) == 1
    assert "labels" in capsys.readouterr().err
