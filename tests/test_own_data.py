"""A new user's own data: prepare, train, be killed, go on, evaluate; on one process and on two."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from skeletr.checkpoint import Checkpoint
from skeletr.cli import main
from skeletr.evaluation.fusion import ScoreFile
from skeletr.training.log import read_metrics

from .own_store import LABELS, write_recordings

ROOT = Path(__file__).parent.parent
STEPS = 8


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    source = write_recordings(folder / "recordings")
    assert main(["prepare", "recordings", str(source), "--out", str(folder / "store")]) == 0
    return folder / "store"


def arguments(store: Path, folder: Path, *more: str) -> list[str]:
    """Of `train` with the config for own data, made small."""
    return [
        "train",
        str(ROOT / "configs" / "own.yaml"),
        f"init={ROOT / 'checkpoints' / 'skeletr-s'}",
        f"tasks.0.data={store}",
        f"output={folder / 'out'}",
        f"run={folder / 'run'}",
        "epochs=0",
        f"steps={STEPS}",
        "scenes_per_batch=2",
        "sequences_per_scene=[2, 3]",
        "warmup=2",
        "validate_every=4",
        "save_every=2",
        "log_every=1",
        "workers=0",
        "threads=1",
        "bf16=false",
        "device=cpu",
        *more,
    ]


def losses(folder: Path) -> list[tuple[float, float]]:
    """(step, loss) of every step that was logged."""
    return [(m["step"], m["loss"]) for m in read_metrics(folder / "run" / "metrics.jsonl")]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def kill_after(steps: int, command: list[str], folder: Path) -> None:
    """Start a run and kill it, without warning, once so many steps are logged."""
    process = subprocess.Popen(
        [sys.executable, "-m", "skeletr", *command],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.DEVNULL,
    )
    metrics = folder / "run" / "metrics.jsonl"
    deadline = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < deadline:
        if metrics.exists() and metrics.read_text().count("\n") >= steps:
            process.send_signal(signal.SIGKILL)
        time.sleep(0.01)
    assert process.wait() == -signal.SIGKILL, "the run ended before it was killed"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_killed_run_goes_on_as_if_nothing_had_happened(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert main(arguments(store, whole)) == 0
    kill_after(3, arguments(store, killed), killed)
    assert 3 <= len(losses(killed)) < STEPS
    assert main(arguments(store, killed)) == 0
    assert losses(killed) == losses(whole)  # to the last bit
    assert [step for step, _ in losses(whole)] == list(range(1, STEPS + 1))
    text = (killed / "run" / "train.log").read_text()
    assert "continue after step" in text
    assert "trunk from" in text
    assert list((killed / "run" / "tensorboard").iterdir())
    for name in ("out", "run/last/own"):
        assert Checkpoint.from_pretrained(killed / name).labels == LABELS

    capsys.readouterr()
    scores = tmp_path / "scores.npz"
    command = ["evaluate", str(killed / "out"), "--json", "-", "--scores", str(scores)]
    assert main(command) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert (result["task"], result["kind"], result["units"]) == ("own", "video", 2)
    assert 0 <= result["top1"] <= result["top5"] == 1
    assert sorted(ScoreFile.load(scores).names) == ["stroll/5", "sway/5"]


def test_two_processes_learn_what_one_learns(store: Path, tmp_path: Path) -> None:
    """Of a frozen trunk, whose batch statistics do not depend on how a batch is divided."""
    one, two = tmp_path / "one", tmp_path / "two"
    more = ("freeze=trunk", "steps=3", "scenes_per_batch=4", "batch=4")
    assert main(arguments(store, one, *more)) == 0
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2"]
    process = subprocess.run(
        [*launch, "--num_machines", "1", "-m", "skeletr", *arguments(store, two, *more)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    assert [loss for _, loss in losses(two)] == pytest.approx(
        [loss for _, loss in losses(one)], rel=1e-4
    )
    assert process.stdout.count("step 3/3") == 1  # only the main process writes
    assert Checkpoint.from_pretrained(two / "out").labels == LABELS
