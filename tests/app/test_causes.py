"""What the machine lacks is said in one sentence, and all goes on once it is there again."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from app import views
from app.engine import Engine, EngineState, NotReady
from app.sessions import Sessions
from app.settings import AppSettings, UserOptions
from app.vault import Vault
from skeletr.pose import models
from skeletr.recording import Person
from skeletr.video.process import AVAILABLE
from tests.app.fakes import FakePose, untrained
from tests.conftest import pattern

OPTIONS = UserOptions("fake")
IMAGE = np.full((120, 160, 3), 90, np.uint8)
ROOT = Path(__file__).parents[2]
# Memory as a disk, of the size in MB, that exists for the command behind it only.
MOUNT = 'mount -t tmpfs -o size="$1"m none "$2" && exec "$3" "$4" "$2"'
SMALL_DISK = ("unshare", "-rm", "sh", "-c", MOUNT)


@pytest.fixture
def engine() -> Engine:
    made = Engine(AppSettings(), untrained, lambda options: FakePose())
    made.wait(60)
    return made


FULL = {
    "allocator": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
    "library": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"),
}


@pytest.fixture(params=FULL)
def card_is_full(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> pytest.MonkeyPatch:
    """Computing on a graphics card that others fill; undo it to free the card."""

    def full(*_: object, **__: object) -> None:
        raise FULL[request.param]

    monkeypatch.setattr("skeletr.model.skeletr.SkeleTR.relate", full)
    return monkeypatch


def test_a_full_graphics_card_is_said_to_a_video(
    engine: Engine, moving_video: Path, tmp_path: Path, card_is_full: pytest.MonkeyPatch
) -> None:
    session = Sessions(engine, Vault(tmp_path, 3600)).get("a")
    job = session.begin(moving_video, "film.mp4", OPTIONS)
    assert job.wait(60)
    assert job.outcome.problem.startswith("The graphics card of the server has no memory left.")
    assert "CUDA" not in job.outcome.problem and len(engine._turns) == 0
    card_is_full.undo()
    job = session.begin(moving_video, "film.mp4", OPTIONS)
    assert job.wait(60) and not job.outcome.problem
    session.close()


def test_a_full_graphics_card_is_said_to_a_camera(
    engine: Engine, tmp_path: Path, card_is_full: pytest.MonkeyPatch
) -> None:
    session = Sessions(engine, Vault(tmp_path, 3600)).get("a")

    def play(begin: float) -> None:
        for index in range(40):
            with session.lock:
                session.live(OPTIONS).step(IMAGE, False, now=begin + index / 10)

    with pytest.raises(NotReady, match="no memory left"):
        play(0.0)
    card_is_full.undo()
    play(10.0)
    session.close()


@pytest.mark.parametrize("error", FULL.values(), ids=FULL)
def test_a_full_graphics_card_is_said_at_the_start(error: RuntimeError) -> None:
    def full(settings: AppSettings) -> None:
        raise error

    engine = Engine(AppSettings(), full, lambda options: FakePose())
    with pytest.raises(NotReady, match="no memory left"):
        engine.wait(60)
    assert engine.state is EngineState.FAILED


def test_other_faults_of_computing_are_not_taken_for_a_full_card(
    engine: Engine, moving_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("The size of tensor a (3) must match the size of tensor b (4)")

    monkeypatch.setattr("skeletr.model.skeletr.SkeleTR.relate", broken)
    session = Sessions(engine, Vault(tmp_path, 3600)).get("a")
    job = session.begin(moving_video, "film.mp4", OPTIONS)
    assert job.wait(60) and "fault in this program" in job.outcome.problem
    session.close()


def test_a_pose_model_that_cannot_be_fetched_is_said_and_found_later(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pose_model: None
) -> None:
    there = models.pose_model()
    monkeypatch.delenv("SKELETR_POSE_MODEL", raising=False)
    monkeypatch.setenv("SKELETR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(models, "_spare_folder", lambda: tmp_path / "spare")
    # The real ways, through a network in which nothing answers.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(models, "URL", "http://127.0.0.1:9/{variant}.task")
    monkeypatch.setattr("app.engine._RETRY", 0.0)
    engine = Engine(AppSettings(), untrained)
    with pytest.raises(NotReady, match="could not be fetched") as error:
        engine.wait(120)
    assert "SKELETR_POSE_MODEL" in str(error.value) and "Traceback" not in str(error.value)
    monkeypatch.setenv("SKELETR_POSE_MODEL", str(there))
    engine.wait(120)
    assert engine.state is EngineState.READY


def test_a_video_that_is_refused_costs_no_pose_model(tmp_path: Path) -> None:
    made = []

    def frontend(options: UserOptions) -> FakePose:
        made.append(options)
        return FakePose()

    engine = Engine(AppSettings(), untrained, frontend)
    engine.wait(60)
    made.clear()  # one is made at the start, to see whether it can be
    video = tmp_path / "film.mp4"
    video.write_bytes(b"no video")
    session = Sessions(engine, Vault(tmp_path / "files", 3600)).get("a")
    job = session.begin(video, "film.mp4", OPTIONS)
    assert job.wait(60) and job.outcome.problem.startswith("film.mp4 is not a video")
    assert not made
    session.close()


@pytest.mark.skipif(not AVAILABLE, reason="this system has no limits on processes")
def test_what_came_before_a_crash_of_the_decoder_is_shown(
    engine: Engine, make_video: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_video("crash.mp4", (pattern(i) for i in range(60)), g="5")
    seen = []

    def estimate(self: FakePose, image: np.ndarray, time: float) -> tuple[Person, ...]:
        seen.append(time)
        if len(seen) == 25:
            for child in psutil.Process().children():
                child.send_signal(signal.SIGSEGV)
        return found(self, image, time)

    found = FakePose.estimate
    monkeypatch.setattr(FakePose, "estimate", estimate)
    session = Sessions(engine, Vault(tmp_path, 3600)).get("a")
    job = session.begin(video, "film.mp4", OPTIONS)
    assert job.wait(60) and not job.outcome.problem
    result = job.outcome.result
    assert 25 <= len(result.recording.frame_times) < 60
    assert result.warnings[0].endswith("which was used: its decoder crashed.")
    assert result.warnings[0] in views.verdict(result)
    assert job.outcome.files.video.is_file()
    session.close()


def _small_disks() -> bool:
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.skipif(not _small_disks(), reason="this machine lends no disk of its own to tests")
def test_a_full_disk_is_said_and_the_next_video_works(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    script = str(Path(__file__).with_name("full_disk.py"))
    found = subprocess.run(
        [*SMALL_DISK, "sh", "2", str(disk), sys.executable, script],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert found.returncode == 0, found.stderr
    full, after, left = found.stdout.splitlines()
    assert full == "The results of film.mp4 cannot be kept: No space left on device."
    assert after == "done" and left == "0 files left"
