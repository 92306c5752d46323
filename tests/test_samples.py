"""Training samples: what can be configured, which come when, and how they vary."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from skeletr.checkpoint import DEFAULT_CHECKPOINT, Checkpoint
from skeletr.datasets import DatasetError
from skeletr.datasets.noise import NoiseConfig
from skeletr.evaluation.task import TaskInfo, task_clips
from skeletr.training import ConfigError, load_config
from skeletr.training.augment import AugmentConfig, clip_scene, vary
from skeletr.training.schedule import Order, TaskPlan
from skeletr.training.task_config import TaskConfig

from .own_store import config, recording
from .skeleton_files import write_all

STILL = AugmentConfig(camera=0, mirror=0, scale=0, shift=0, speed=0, noisy=0)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_all(tmp_path_factory.mktemp("data"))


# Configuration


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"source": "clips", "data": "moon"}, "moon"),
        ({"source": "store"}, "data is missing"),
        ({"source": "dream"}, "dream"),
        ({"kind": "poem", "source": "clips", "data": "sbu"}, "poem"),
        ({"kind": "video"}, "composed scenes"),
        ({"name": "a/b"}, "letters"),
        ({"weight": -1}, "negative"),
        ({"source": "clips", "data": "sbu", "merge": ["a"]}, "merge"),
    ],
)
def test_tasks_that_cannot_be(values: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        TaskConfig(**values)


def test_runs_that_cannot_be(tmp_path: Path) -> None:
    sbu = TaskConfig(name="sbu", source="clips", data="sbu")
    with pytest.raises(ConfigError, match="different names"):
        config(tmp_path, (sbu, sbu))
    with pytest.raises(ConfigError, match="without init"):
        config(tmp_path, (sbu,), freeze="trunk")
    with pytest.raises(ConfigError, match="never end"):
        config(tmp_path, (), epochs=3)
    filled = config(tmp_path, (sbu,), fold=3, stream="bone", output="a-{fold}-{stream}-{seed}")
    assert filled.output == "a-3-bone-0"
    assert filled.tasks[0].fold == 3


def test_what_init_fixes_need_not_be_given(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(
        f"output: a\nrun: b\ninit: {DEFAULT_CHECKPOINT}\nsequences: {{window: 4}}\n"
        "tasks:\n  - {name: own, source: store, data: x}\n  - {source: clips, data: sbu}\n"
    )
    shipped = Checkpoint.from_pretrained(DEFAULT_CHECKPOINT)
    assert load_config(path, ["stream=bone"]).stream == "bone"  # may start from joints
    assert load_config(path, ["size=L"]).size == "L"  # which a small one grows into
    found = load_config(path, ["tasks.1.fold=3", "tasks.0.weight=2"])
    assert found.stream == "joint"
    assert found.sequences == replace(shipped.sequences, window=4)
    assert (found.tasks[1].fold, found.tasks[0].weight) == (3, 2.0)
    for override, said in (
        ("backbone=ctrgcn", "init is of backbone 'stgcn\\+\\+'"),
        ("init=nowhere", "init: no checkpoint"),
        ("tasks.2.fold=1", "0 to 1"),
        ("tasks.0.colour=red", r"tasks\.0\.colour"),
        ("tasks=3", "list of parts"),
    ):
        with pytest.raises(ConfigError, match=said):
            load_config(path, [override])


# Which samples come when


def test_scenes_of_a_step_are_divided_by_shares() -> None:
    plan = TaskPlan([3, 1, 0.5], 10, 200, seed=1)
    assert (plan.counts.sum(axis=1) == 10).all()
    np.testing.assert_allclose(plan.counts.mean(axis=0), np.array([3, 1, 0.5]) / 0.45, atol=0.1)
    numbers: dict[int, list[int]] = {0: [], 1: [], 2: []}
    for step in range(200):
        for task, number in plan.step(step):
            numbers[task].append(number)
    for found in numbers.values():
        assert found == list(range(len(found)))  # none twice, none left out


def test_every_sample_comes_once_per_epoch() -> None:
    order, again = Order(7, [3, 1]), Order(7, [3, 1])
    first, second = [order(i) for i in range(7)], [order(i) for i in range(7, 14)]
    assert sorted(first) == sorted(second) == list(range(7))
    assert first != second
    assert again(9) == second[2]  # from its number alone


# How they vary


def test_without_strength_nothing_varies() -> None:
    made = recording("sway", 0)
    same = vary(made, STILL, np.random.default_rng(0))
    np.testing.assert_allclose(same.keypoints, made.keypoints, atol=1e-4)
    np.testing.assert_allclose(same.boxes, made.boxes, atol=1e-4)
    np.testing.assert_allclose(same.frame_times, made.frame_times)


def test_mirrored_twice_is_as_before() -> None:
    made = recording("sway", 0)
    mirrored = replace(STILL, mirror=1.0)
    once = vary(made, mirrored, np.random.default_rng(0))
    assert np.abs(once.keypoints - made.keypoints).max() > 1
    twice = vary(once, mirrored, np.random.default_rng(0))
    np.testing.assert_allclose(twice.keypoints, made.keypoints, atol=1e-3)
    np.testing.assert_allclose(twice.boxes, made.boxes, atol=1e-3)


def test_whoever_leaves_the_picture_is_not_there() -> None:
    made = recording("sway", 0)
    moved = vary(made, replace(STILL, shift=3.0), np.random.default_rng(3))
    assert len(moved.frame) < len(made.frame)
    assert len(moved.frame_times) == len(made.frame_times)
    assert (moved.keypoints[..., 2] > 0).any(axis=1).all()


def test_pose_errors_lower_scores_only() -> None:
    made = recording("sway", 0)
    noisy = replace(STILL, noisy=1.0, noise=NoiseConfig(absent=0))
    found = vary(made, noisy, np.random.default_rng(0))
    assert found.keypoints[..., 2].max() <= made.keypoints[..., 2].max()
    assert (found.keypoints[..., 2] > 0).mean() > 0.5


def test_clips_carry_their_own_names(root: Path) -> None:
    info = TaskInfo("kg", "clips", data="kinder_gator", merge={"Jump": "hop"})
    clips = task_clips(info, root)
    assert {c.original for c in clips} == {"Wave-your-hand", "hop"}
    made = clip_scene(clips[0], AugmentConfig(), np.random.default_rng(0))
    assert {a.label for a in made.actions} == {clips[0].original}  # rests have no label
    left_out = replace(info, merge={"Jump": None})
    assert {c.original for c in task_clips(left_out, root)} == {"Wave-your-hand"}
    with pytest.raises(DatasetError, match="Fly"):
        task_clips(replace(info, merge={"Fly": None}), root)
