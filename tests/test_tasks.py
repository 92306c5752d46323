"""Several tasks at once: what is learnt from them, what is kept, what is judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from skeletr.checkpoint import DEFAULT_CHECKPOINT, Checkpoint
from skeletr.evaluation.answers import answer, pose, results, unit_scores
from skeletr.evaluation.task import evaluate_task
from skeletr.model import SkeleTR
from skeletr.sequences import SequenceConfig
from skeletr.training import ConfigError, TrainConfig, Trainer
from skeletr.training.data import LabelledBatch
from skeletr.training.loss import Rules, counts, losses
from skeletr.training.multitask import TaskOutput
from skeletr.training.task_config import LAMBDA, TaskConfig
from skeletr.training.tasks import load_tasks

from .own_store import LABELS, config, make_store, own, samples
from .skeleton_files import write_all


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_all(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("stores")
    return {kind: make_store(folder / kind, kind) for kind in ("video", "multilabel")}


def test_joint_training_gives_a_checkpoint_for_every_task(
    tmp_path: Path, root: Path, stores: dict[str, Path]
) -> None:
    tasks = (
        TaskConfig(name="composed", datasets=("sbu", "kinder_gator"), share=0.3),
        TaskConfig(name="sbu", source="clips", data="sbu"),
        TaskConfig(name="film", source="store", data=str(stores["video"]), kind="video"),
        TaskConfig(
            name="ava", source="store", data=str(stores["multilabel"]), kind="multilabel", window=10
        ),
    )
    setting = config(tmp_path, tasks, data=str(root), scenes_per_batch=12, batch=10)
    setting = replace(setting, validation_scenes=2)
    trainer = Trainer(setting, load_tasks(setting))
    batches = trainer.batches[0]
    assert len(batches) > 1  # accumulated
    assert {int(t) for b in batches for t in b.task} == {0, 1, 2, 3}
    assert sum(len(b.task) for b in batches) == 12
    trainer.run()
    log = (tmp_path / "run" / "train.log").read_text()
    for task in ("composed", "sbu", "film", "ava"):
        assert f"validation {task} " in log
        checkpoint = Checkpoint.from_pretrained(tmp_path / "out" / task)
        assert checkpoint.task["name"] == task
    assert checkpoint.labels == ("be there", *LABELS)
    assert checkpoint.sequences.window == 10
    assert 0 <= evaluate_task(checkpoint)["mean_ap"] <= 1
    sbu = Checkpoint.from_pretrained(tmp_path / "out" / "sbu")
    assert sbu.labels == ("push", "shake hands")
    assert evaluate_task(sbu, root)["units"] == 2


def test_the_loss_of_micro_batches_adds_up(tmp_path: Path, stores: dict[str, Path]) -> None:
    setting = config(tmp_path, (own(stores["multilabel"], "multilabel"),))
    trainer = Trainer(setting, load_tasks(setting))
    (batch,) = trainer.batches[0]
    known = ~batch.several[..., 0].isnan()
    (output,) = trainer.net.eval()(batch.scenes, batch.task)
    rules = [Rules(setting.tasks[0])]
    whole = losses([output], batch, rules, counts([batch], 1))
    expected = LAMBDA * torch.nn.functional.binary_cross_entropy_with_logits(
        output.instance[known], batch.several[known]
    )
    assert whole.total.item() == pytest.approx(expected.item(), rel=1e-5)
    halves = [_slice(batch, slice(0, 2)), _slice(batch, slice(2, 4))]
    count = counts(halves, 1)
    parts = [
        losses([TaskOutput(output.instance[part], None)], half, rules, count)
        for half, part in zip(halves, (slice(0, 2), slice(2, 4)), strict=True)
    ]
    assert (parts[0] + parts[1]).total.item() == pytest.approx(whole.total.item(), rel=1e-5)


def _slice(batch: LabelledBatch, part: slice) -> LabelledBatch:
    return replace(
        batch,
        task=batch.task[part],
        instance=batch.instance[part],
        scene=batch.scene[part],
        several=batch.several[part],
    )


@pytest.mark.parametrize("frozen", ["backbone", "trunk"])
def test_what_is_frozen_stays(tmp_path: Path, stores: dict[str, Path], frozen: str) -> None:
    shipped = Checkpoint.from_pretrained(DEFAULT_CHECKPOINT)
    setting = config(
        tmp_path,
        (own(stores["video"]),),
        init=str(DEFAULT_CHECKPOINT),
        freeze=frozen,
        sequences=shipped.sequences,
    )
    trainer = Trainer(setting, load_tasks(setting))
    before = {k: v.clone() for k, v in trainer.net.state_dict().items()}
    trainer.step(trainer.batches[0])
    after = trainer.net.state_dict()
    moved = {k.split(".")[1] for k, v in after.items() if not torch.equal(v, before[k])}
    assert moved.isdisjoint({"backbone"})
    assert ("encoder" in moved) == (frozen == "backbone")
    weight = "trunk.backbone.blocks.0.gcn.conv.weight"
    assert torch.equal(after[weight], shipped.model.state_dict()[weight.removeprefix("trunk.")])


def test_stage_1_alone_goes_into_a_network_of_another_form(
    tmp_path: Path, stores: dict[str, Path]
) -> None:
    setting = config(
        tmp_path,
        (own(stores["video"]),),
        init=str(DEFAULT_CHECKPOINT),
        init_part="backbone",
        interaction="add global",
        aggregation=("1x1",),
    )
    trainer = Trainer(setting, load_tasks(setting))
    shipped = Checkpoint.from_pretrained(DEFAULT_CHECKPOINT).model.backbone.state_dict()
    for name, weight in trainer.net.trunk.backbone.state_dict().items():
        assert torch.equal(weight, shipped[name])
    assert any("stage 1 from" in note for note in trainer._notes)
    ctrgcn = replace(setting, backbone="ctrgcn")
    with pytest.raises(ConfigError, match="backbone"):
        Trainer(ctrgcn, load_tasks(ctrgcn))
    for change in ({"init": ""}, {"freeze": "trunk"}, {"init_part": "all"}):
        with pytest.raises(ConfigError, match="init_part"):
            replace(setting, **change)


def test_a_head_of_the_same_labels_is_taken_over(tmp_path: Path, stores: dict[str, Path]) -> None:
    setting = config(tmp_path, (own(stores["video"]),))
    first = Trainer(setting, load_tasks(setting))
    first._keeper.write_last(0)
    init = str(tmp_path / "run" / "last" / "own")
    setting = replace(setting, init=init, seed=5)
    second = Trainer(setting, load_tasks(setting))
    assert torch.equal(second.net.heads[0].scene.weight, first.net.heads[0].scene.weight)
    assert any("head for own from there" in note for note in second._notes)
    bones = replace(setting, stream="bone")
    assert "it was trained on the joint stream" in Trainer(bones, load_tasks(bones))._notes
    frozen = {"stream": "bone", "freeze": "backbone"}
    large = replace(setting, size="L")
    grown = Trainer(large, load_tasks(large))
    assert any("trunk grown from" in note for note in grown._notes)
    assert any("head for own from there" in note for note in grown._notes)
    other_kind = {"backbone": "ctrgcn"}
    for change, said in ((other_kind, "backbone"), (frozen, "joint stream only")):
        other = replace(setting, **change)
        with pytest.raises(ConfigError, match=said):
            Trainer(other, load_tasks(other))
    other = replace(setting, init=str(tmp_path / "nothing"))
    with pytest.raises(ConfigError, match="init"):
        Trainer(other, load_tasks(other))


def test_a_single_head_answers_for_sequences_and_scenes(
    tmp_path: Path, stores: dict[str, Path]
) -> None:
    setting = config(tmp_path, (own(stores["video"]),))
    trainer = Trainer(setting, load_tasks(setting))
    (batch,) = trainer.batches[0]
    model = trainer.net.single(0)
    assert isinstance(model, SkeleTR)
    with torch.no_grad():
        output = model(batch.scenes)
        (trained,) = trainer.net.eval()(batch.scenes, batch.task)
    torch.testing.assert_close(output.scene, trained.scene)
    count = batch.scenes.mask.sum(dim=1, keepdim=True)
    torch.testing.assert_close(output.instance.sum(dim=1) / count, trained.scene)


def test_units_of_judgement() -> None:
    setting = SequenceConfig(frames=8, rate=10.0)
    video = pose(samples()[0], LABELS, "video", setting)
    assert video.targets.tolist() == [0]
    assert pose(samples()[0], ("other", "labels"), "video", setting).targets.tolist() == []
    instance = pose(samples()[0], LABELS, "instance", setting)
    assert instance.targets.tolist() == [0]  # what is said of all is judged once
    labels = ("be there", *LABELS)
    several = pose(samples("multilabel")[0], labels, "multilabel", setting)
    assert several.targets.tolist() == [[1, 1, 0], [1, 0, 0]]  # a unit per person
    model = SkeleTR(replace(TrainConfig("a", "b").model(), instance_classes=3)).eval()
    answers = answer(model, [several, several], "multilabel")
    assert len(answers.targets) == 4
    assert set(answers.unit) == {0, 1, 2, 3}
    scores = unit_scores(answers, "multilabel")
    assert 0 < results(scores, answers.targets)["mean_ap"] <= 1
