"""configs/paper: every file is the paper's recipe, and runs on data in the true formats."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
import yaml

from skeletr.checkpoint import Checkpoint
from skeletr.cli import main
from skeletr.datasets.clip import DatasetError
from skeletr.evaluation.pictures import draw
from skeletr.evaluation.task import evaluate_task
from skeletr.model import SkeleTR, small
from skeletr.sequences import SequenceConfig
from skeletr.training import ConfigError, TrainConfig, load_config, train
from skeletr.training.task_config import LAMBDA

from .paper_stores import make_stores

FOLDER = Path(__file__).parent.parent / "configs" / "paper"
CONFIGS = sorted(path for path in FOLDER.glob("*.yaml") if path.stem != "recipe")
FORTY = {"ava_5s", "ava_10s", "ava_finetuned", "ava_gcn", "volleyball"}  # epochs
# What makes a run short; the networks are whole.
QUICK = [
    "epochs=0",
    "steps=3",
    "scenes_per_batch=4",
    "batch=12",
    "sequences_per_scene=[2,3]",
    "sequences.frames=16",
    "workers=0",
    "threads=1",
    "device=cpu",
    "bf16=false",
    "validate_every=3",
    "save_every=3",
    "log_every=1",
]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return make_stores(tmp_path_factory.mktemp("paper"))


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A SkeleTR-S as configs/paper/posetics.yaml leaves it."""
    folder = tmp_path_factory.mktemp("pretrained")
    model = SkeleTR(small(instance_classes=2, scene_classes=2))
    Checkpoint(model, ("a", "b"), SequenceConfig()).save_pretrained(folder)
    return str(folder)


def _load(path: Path, pretrained: str, *overrides: str) -> TrainConfig:
    init = [f"init={pretrained}"] if "init" in yaml.safe_load(path.read_text()) else []
    return load_config(path, [*init, *overrides])


def _short(path: Path, stores: Path, out: Path, pretrained: str, *overrides: str) -> TrainConfig:
    """The run of a file, with its stores where they are here."""
    tasks = yaml.safe_load(path.read_text())["tasks"]
    data = [
        f"tasks.{number}.data={stores / Path(task['data']).name}"
        for number, task in enumerate(tasks)
    ]
    places = [f"output={out / 'out'}", f"run={out / 'run'}"]
    return _load(path, pretrained, *QUICK, *data, *places, *overrides)


def test_all_experiments_are_there():
    names = {path.stem for path in CONFIGS}
    assert {"posetics", "k400", "volleyball", "posetics_and_ava", "posetics_classic"} <= names
    assert {"ntu60_xsub", "ntu60_xview", "ntu120_xsub", "ntu120_xset"} <= names
    assert {"ava_5s", "ava_10s", "ava_finetuned", "ava_gcn"} <= names


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_it_is_the_recipe_of_the_paper(path, pretrained):
    config = _load(path, pretrained)
    assert (config.optimiser, config.rate, config.scenes_per_batch) == ("sgd", 0.1, 128)
    assert config.epochs == (40 if path.stem in FORTY else 100)
    drops = [round(share * config.epochs) for share in config.milestones]
    assert drops == ([30, 35] if path.stem in FORTY else [70, 85])
    classic = path.stem == "posetics_classic"
    assert config.sequences.normalise == "image"
    assert len(config.sequences.joints) == 17
    assert config.sequences.frames == (300 if classic else 30)
    assert config.sequences_per_scene == ((2, 2) if classic else (5, 20))
    for task in config.tasks:
        assert task.factor == (LAMBDA if task.name == "ava" else 1)
        if task.name == "ava":
            window = config.task_sequences(task).window
            assert window == (5 if "5s" in task.data else 10)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_it_trains_and_can_be_evaluated(path, stores, pretrained, tmp_path):
    config = _short(path, stores, tmp_path, pretrained)
    folders = train(config)
    log = (tmp_path / "run" / "train.log").read_text()
    assert "step 3/3" in log
    assert set(folders) == {task.name for task in config.tasks}
    for task in config.tasks:
        checkpoint = Checkpoint.from_pretrained(folders[task.name])
        figure = "mean_ap" if task.kind == "multilabel" else "top1"
        drawn = partial(draw, tmp_path / "pictures")
        assert 0 <= evaluate_task(checkpoint, split="val", judged=drawn)[figure] <= 1
        assert (tmp_path / "pictures" / f"{task.name.replace('_', '-')}-labels.png").exists()
        if task.kind == "multilabel":
            with pytest.raises(DatasetError, match="ava-detect"):
                evaluate_task(checkpoint, split="val", scores=tmp_path / "scores.npz")
        assert checkpoint.model.config.interaction == config.interaction
        assert checkpoint.sequences.linking == config.sequences.linking
    assert ("trunk from" in log) == bool(config.init)


@pytest.mark.parametrize(
    "overrides",
    [
        ["size=L", "backbone=ctrgcn", "interaction=non-local"],
        ["interaction=concat global", "aggregation=[1x1,Tx1]", "backbone=stgcn"],
        ["sequences.frames=15", "sequences.max_sequences=40", "sequences_per_scene=[10,40]"],
    ],
    ids=lambda overrides: overrides[0],
)
def test_what_the_recipe_offers_runs(overrides, stores, pretrained, tmp_path):
    path = FOLDER / "posetics.yaml"
    config = _short(path, stores, tmp_path, pretrained, *overrides, "steps=1", "validate_every=1")
    found = Checkpoint.from_pretrained(train(config)["posetics"]).model.config
    for name in ("interaction", "aggregation"):
        assert getattr(found, name) == getattr(config, name)
    assert found.backbone.kind == config.backbone


def test_two_streams_are_fused(stores, pretrained, tmp_path, capsys):
    files = []
    for stream in ("joint", "bone"):
        out = tmp_path / stream
        path = FOLDER / "ntu60_xsub.yaml"
        assert _load(path, pretrained, f"stream={stream}").output.endswith(stream)
        config = _short(path, stores, out, pretrained, f"stream={stream}", "steps=1")
        checkpoint = Checkpoint.from_pretrained(train(config)["ntu_inter"])
        assert checkpoint.model.config.stream == stream
        files.append(str(out / "scores.npz"))
        evaluate_task(checkpoint, scores=files[-1])
    pictures = tmp_path / "pictures"
    assert main(["fuse", *files, "--pictures", str(pictures)]) == 0
    assert "fused" in capsys.readouterr().out
    assert {p.name for p in pictures.iterdir()} == {"fused-confusion.png", "fused-labels.png"}
    assert main(["fuse", *files, "--pictures", str(tmp_path / "joint" / "scores.npz")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_folds_are_measured_together_and_drawn_one_by_one(stores, pretrained, tmp_path, capsys):
    outputs = []
    for seed in (0, 1):
        path, out = FOLDER / "ntu60_xsub.yaml", tmp_path / str(seed)
        config = _short(path, stores, out, pretrained, f"seed={seed}", "steps=1")
        outputs.append(str(train(config)["ntu_inter"]))
    assert main(["evaluate", *outputs, "--json", str(tmp_path / "all.json")]) == 0
    assert "mean of 2" in capsys.readouterr().out
    first, second, mean = json.loads((tmp_path / "all.json").read_text())
    assert mean["top1"] == pytest.approx((first["top1"] + second["top1"]) / 2)
    spread = abs(first["top1"] - second["top1"]) / 2**0.5
    assert mean["top1_spread"] == pytest.approx(spread)
    pictures = ["--pictures", str(tmp_path / "drawn")]
    assert main(["evaluate", outputs[0], *pictures]) == 0
    names = {p.name for p in (tmp_path / "drawn").iterdir()}
    assert names == {"ntu-inter-confusion.png", "ntu-inter-labels.png"}
    assert main(["evaluate", *outputs, *pictures]) == 1
    assert "of one checkpoint" in capsys.readouterr().err


def test_the_network_of_a_start_need_not_be_given(tmp_path):
    config = small(interaction="add global", aggregation="1x1+Tx1")
    config = replace(config, backbone=replace(config.backbone, kind="stgcn"))
    start = tmp_path / "start"
    Checkpoint(SkeleTR(config), (), SequenceConfig()).save_pretrained(start)
    path = tmp_path / "c.yaml"
    path.write_text(f"output: a\nrun: b\ninit: {start}\n")
    assert replace(load_config(path).model(), dropout=0.0) == config
    for wrong in ("backbone=ctrgcn", "interaction=none"):
        with pytest.raises(ConfigError, match=wrong.split("=")[0]):
            load_config(path, [wrong])


def test_a_base_is_a_plain_file(tmp_path):
    (tmp_path / "base.yaml").write_text("output: a\nrun: b\nsteps: 9\nsequences: {window: 4}\n")
    path = tmp_path / "c.yaml"
    path.write_text("base: base.yaml\nsteps: 8\nsequences: {frames: 12}\n")
    config = load_config(path)
    assert (config.output, config.steps) == ("a", 8)
    assert (config.sequences.window, config.sequences.frames) == (4, 12)
    (tmp_path / "base.yaml").write_text("base: c.yaml\noutput: a\nrun: b\n")
    with pytest.raises(ConfigError, match="base"):
        load_config(path)
    path.write_text("base: absent.yaml\n")
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        load_config(path)
