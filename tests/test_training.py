from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from skeletr import evaluation, training
from skeletr.checkpoint import Checkpoint
from skeletr.datasets import load_clips
from skeletr.datasets.targets import IGNORE
from skeletr.evaluation.metrics import mean_class_accuracy, restrict, top_k
from skeletr.evaluation.protocol import (
    clip_recording,
    clip_windows,
    consecutive,
    window_scores,
)
from skeletr.model import SkeleTR, small
from skeletr.sequences import SequenceConfig
from skeletr.training import ConfigError, TrainConfig, Trainer, TrainingError, load_config
from skeletr.training.calibrate import Judged, calibrate
from skeletr.training.data import LabelledBatch, StepBatches
from skeletr.training.loss import Losses, Rules, contrast, counts, losses
from skeletr.training.multitask import TaskOutput
from skeletr.training.optim import learning_rate, make_optimiser
from skeletr.training.state import StateError, load_state, save_state
from skeletr.training.task_config import TaskConfig
from skeletr.training.tasks import load_tasks

from .skeleton_files import write_all
from .synthetic import scene

CONFIGS = Path(__file__).parent.parent / "configs"
SMALL = {
    "datasets": ("sbu", "kinder_gator"),
    "batch": 6,
    "sequences_per_scene": (2, 3),
    "warmup": 2,
    "workers": 0,
    "threads": 1,
    "bf16": False,
    "validation_scenes": 4,
    "sequences": SequenceConfig(frames=12, rate=8.0),
    "log_every": 1,
    "validate_every": 100,
    "save_every": 2,
}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_all(tmp_path_factory.mktemp("data"))


def _config(folder: Path, root: Path, **changes: object) -> TrainConfig:
    values = {"output": str(folder / "out"), "run": str(folder / "run"), "data": str(root)}
    return TrainConfig(**(values | SMALL | changes))


def _trainer(folder: Path, root: Path, **changes: object) -> Trainer:
    config = _config(folder, root, **changes)
    return Trainer(config, load_tasks(config))


def _weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return trainer.net.state_dict()


# Configuration


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda p: p.name)
def test_every_shipped_config_is_valid(path: Path) -> None:
    assert load_config(path).steps > 0


def _yaml(tmp_path: Path, text: str = "") -> Path:
    path = tmp_path / "c.yaml"
    path.write_text("output: a\nrun: b\n" + text)
    return path


def test_overrides_reach_into_parts(tmp_path: Path) -> None:
    overrides = ["scenes.pair=0.5", "rate=2e-3", "steps=7", "scenes.noise.white=0", "data=x"]
    config = load_config(_yaml(tmp_path, "sequences: {window: 4}"), overrides)
    assert (config.scenes.pair, config.rate, config.steps) == (0.5, 0.002, 7)
    assert config.sequences.window == 4.0
    assert config.scenes.noise.white == 0
    assert config.data == "x"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("stepz=3", "stepz"),
        ("scenes.pairs=1", r"scenes\.pairs"),
        ("steps=many", "expected int"),
        ("rate=fast", "expected a number"),
        ("steps", "KEY=VALUE"),
        ("steps.x=1", r"expected KEY=VALUE|unknown|expected int"),
        ("datasets=[moon]", "datasets"),
        ("optimiser=lion", "optimiser"),
        ("scenes.crowd=[0.5]", "crowd"),
        ("sequences.window=-1", "sequences"),
    ],
)
def test_wrong_values_are_refused(tmp_path: Path, override: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_config(_yaml(tmp_path), [override])


@pytest.mark.parametrize("text", ["- a\n- b\n", "{", "\x00"])
def test_files_that_are_no_configuration(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"c\.yaml"):
        load_config(path)
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        load_config(tmp_path / "absent.yaml")


def test_learning_rates(tmp_path: Path) -> None:
    config = TrainConfig("a", "b", steps=100, warmup=10, rate=1.0)
    rates = [learning_rate(i, config) for i in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] < 0.02
    stepped = replace(config, schedule="multistep")
    assert learning_rate(85, stepped) == pytest.approx(0.1)
    assert learning_rate(99, stepped) == pytest.approx(0.01)


# Data and loss


def test_batches_depend_on_their_number_only(tmp_path: Path, root: Path) -> None:
    trainer = _trainer(tmp_path, root, steps=3)
    (one,), (again,) = trainer.batches[1], trainer.batches[1]
    assert torch.equal(one.scenes.x, again.scenes.x)
    assert not torch.equal(one.scenes.x, trainer.batches[2][0].scenes.x[: len(one.scenes.x)])
    assert one.scenes.mask.sum(dim=1).max() <= 3  # adaptive M
    assert (one.instance[~one.scenes.mask] == IGNORE).all()
    assert one.instance.max() < len(trainer.tasks[0].labels)
    sources = trainer.batches.sources
    other = StepBatches(sources, trainer.config, 3, stream=1)
    assert not torch.equal(one.scenes.x, other[1][0].scenes.x)
    second = StepBatches(sources, trainer.config, 3, place=(1, 2))
    assert not torch.equal(one.scenes.x, second[1][0].scenes.x)


def _losses(
    instance: torch.Tensor, scene: torch.Tensor, batch: LabelledBatch, rules: Rules
) -> Losses:
    return losses([TaskOutput(instance, scene)], batch, [rules], counts([batch], 1))


def _batch(instance: torch.Tensor, scene: torch.Tensor) -> LabelledBatch:
    return LabelledBatch(None, torch.zeros(len(scene), dtype=torch.int64), instance, scene)


def test_loss_leaves_out_what_has_no_label() -> None:
    instance = torch.zeros(1, 3, 4)
    instance[0, 0, 1] = 20
    instance[0, 1, 2] = 20  # no label: must not count
    scene = torch.zeros(1, 4, requires_grad=True)
    batch = _batch(torch.tensor([[1, IGNORE, IGNORE]]), torch.tensor([IGNORE]))
    result = _losses(instance, scene, batch, Rules(TaskConfig(), scene_weight=0.5))
    assert result.parts[0].tolist() == pytest.approx([0, 0, 1], abs=1e-6)
    result.total.backward()
    assert scene.grad.abs().sum() == 0


def test_labels_that_never_met_in_a_data_set_are_weak_negatives() -> None:
    labels = ("kick", "golf swing", "squat", "stand", "hug")
    weights = contrast(labels, stranger=0.25).exp()
    # Penn Action has golf and squats, KARD kicks; resting and interactions are told from all.
    assert weights[1, 2] == weights[0, 3] == weights[0, 4] == weights[0, 0] == 1
    assert weights[0, 2] == weights[2, 0] == pytest.approx(0.25)
    assert torch.equal(weights, weights.T)


def test_a_weak_negative_is_pushed_down_less() -> None:
    logits = torch.zeros(1, 1, 3, requires_grad=True)
    batch = _batch(torch.tensor([[0]]), torch.tensor([IGNORE]))
    negatives = torch.zeros(3, 3)
    negatives[0, 2] = np.log(0.1)
    rules = Rules(TaskConfig(), negatives=negatives)
    _losses(logits, torch.zeros(1, 3), batch, rules).total.backward()
    push = logits.grad[0, 0]
    assert push[2] == pytest.approx(0.1 * push[1].item(), rel=1e-5)


# Training


def test_training_learns_and_evaluation_works(
    tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer = _trainer(tmp_path, root, steps=12, dropout=0.0, label_smoothing=0.0)
    batch = trainer.batches[0]
    first = [trainer.step(batch).total.item() for _ in range(12)]
    assert first[-1] < 0.7 * first[0]
    trainer.validate()
    checkpoint = Checkpoint.from_pretrained(trainer.config.output)
    assert "push someone" in checkpoint.labels

    parser = argparse.ArgumentParser()
    evaluation.add_arguments(parser)
    out = tmp_path / "results.json"
    args = [trainer.config.output, "--data", str(root), "--json", str(out)]
    assert evaluation.run(parser.parse_args(args)) == 0
    assert "sbu" in capsys.readouterr().out
    results = json.loads(out.read_text())
    assert {(r["dataset"], r["noise"]) for r in results} == {
        (d, n) for d in ("sbu", "kinder_gator") for n in (False, True)
    }
    assert all(0 <= r["open_top1"] <= r["open_top5"] <= 1 for r in results)
    assert all(r["open_top1"] <= r["top1"] for r in results)


def test_a_resumed_run_continues_identically(tmp_path: Path, root: Path) -> None:
    whole = _trainer(tmp_path / "whole", root, steps=4)
    whole.run()
    half = _trainer(tmp_path / "half", root, steps=4)
    for index in range(2):
        half.step(half.batches[index])
    half.save()
    resumed = _trainer(tmp_path / "half", root, steps=4)
    resumed.run()
    assert resumed.progress.step == 4
    for name, value in _weights(whole).items():
        assert torch.equal(value, _weights(resumed)[name]), name
    log = (Path(half.config.run) / "train.log").read_text()
    assert "continue after step 2" in log
    assert "left" in log


def test_command_trains_from_a_file(tmp_path: Path, root: Path) -> None:
    plain = SMALL | {"sequences": {"frames": 12, "rate": 8}}
    lines = [f"{k}: {json.dumps(v)}" for k, v in plain.items()]
    path = tmp_path / "c.yaml"
    path.write_text("\n".join([f"output: {tmp_path}/out", f"run: {tmp_path}/run", *lines]))
    parser = argparse.ArgumentParser()
    training.add_arguments(parser)
    args = [str(path), "steps=1", f"data={root}"]
    assert training.run(parser.parse_args(args)) == 0
    assert (tmp_path / "out" / "model.safetensors").is_file()
    assert training.run(parser.parse_args([str(path), "steps=x"])) == 1


def test_a_loss_that_is_not_finite_stops(tmp_path: Path, root: Path) -> None:
    trainer = _trainer(tmp_path, root, steps=1)
    with torch.no_grad():
        trainer.net.heads[0].instance.weight.fill_(float("nan"))
    with pytest.raises(TrainingError, match="step 0"):
        trainer.step(trainer.batches[0])


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_state_survives_saving(tmp_path: Path, name: str) -> None:
    torch.manual_seed(0)
    config = TrainConfig("a", "b", optimiser=name)
    model = torch.nn.Linear(3, 2)
    optimiser = make_optimiser(model, config)
    model(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    save_state(tmp_path / "s.safetensors", {"model": model}, optimiser, {"step": 5})
    fresh = torch.nn.Linear(3, 2)
    restored = make_optimiser(fresh, config)
    assert load_state(tmp_path / "s.safetensors", {"model": fresh}, restored) == {"step": 5}
    assert torch.equal(fresh.weight, model.weight)
    for old, new in zip(
        optimiser.state_dict()["state"].values(),
        restored.state_dict()["state"].values(),
        strict=True,
    ):
        for key, value in old.items():
            assert torch.equal(torch.as_tensor(new[key]), torch.as_tensor(value))


@pytest.mark.parametrize("content", [b"", b"no safetensors at all"])
def test_a_broken_state_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "last.safetensors"
    path.write_bytes(content)
    model = torch.nn.Linear(3, 2)
    with pytest.raises(StateError, match=r"last\.safetensors"):
        load_state(path, {"model": model}, make_optimiser(model, TrainConfig("a", "b")))


# Calibration and evaluation


def test_calibration_cools_an_overconfident_model() -> None:
    generator = torch.Generator().manual_seed(0)
    targets = torch.randint(0, 5, (400,), generator=generator)
    guess = torch.where(torch.rand(400, generator=generator) < 0.8, targets, (targets + 1) % 5)
    logits = 12 * torch.nn.functional.one_hot(guess, 5).float()
    found = calibrate(Judged(logits, targets))
    assert found.temperature > 1.5
    assert 0 < found.threshold < 1
    # A fifth of those who rest as 0 are said to do 1: too many, however sure one has to be.
    assert calibrate(Judged(logits, targets), rest=[0]).threshold > found.threshold
    # Where 1 is a rest as well, that is no false alarm.
    assert calibrate(Judged(logits, targets), rest=range(5)) == found


def test_metrics() -> None:
    scores = np.array([[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7]])
    targets = np.array([0, 1, 0, 2])
    assert top_k(scores, targets) == 0.5
    assert top_k(scores, targets, 2) == 1
    assert mean_class_accuracy(scores, targets) == pytest.approx((0.5 + 0 + 1) / 3)
    limited = restrict(scores, np.array([True, False, True]))
    assert limited.argmax(axis=1).tolist() == [0, 0, 0, 2]
    with pytest.raises(ValueError, match="expected"):
        top_k(scores, targets[:2])


def test_protocol_gives_probabilities_for_every_clip(root: Path) -> None:
    clips = load_clips(root, ["sbu", "jhmdb"])[:4]
    config = SequenceConfig()
    windows = [clip_windows(clip_recording(c), config) for c in clips]
    assert all(len(w) for w in windows)
    model = SkeleTR(small(instance_classes=5, scene_classes=5)).eval()
    scores = window_scores(model, [*windows, []], config)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(scores[-1], 0.2)


def test_windows_hold_every_sequence_once() -> None:
    recording = scene([100, 300, 500], np.arange(30) / 10)
    config = SequenceConfig(frames=8, rate=10.0, max_sequences=4)
    windows = consecutive(recording, config)
    assert max(map(len, windows)) == 4
    found = [(t, p) for w in windows for t, p in zip(w.times.tolist(), w.person, strict=True)]
    whole = consecutive(recording, replace(config, max_sequences=100))
    assert len(whole) == 1
    expected = zip(whole[0].times.tolist(), whole[0].person, strict=True)
    assert sorted(found) == sorted(expected)
