"""`recognize` over folders: several processes, going on after a stop, bad files, Ctrl-C."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from skeletr.checkpoint import DEFAULT_CHECKPOINT
from skeletr.cli import main
from skeletr.cores import LIMIT_VARIABLE, usable_cores
from skeletr.many import processes
from skeletr.many.jobs import RESULT, VIDEO, Job, find_jobs, forget_video, is_done, with_video
from skeletr.many.processes import WorkersError, run_processes
from skeletr.many.worker import Settings, VideoWorker, share_among
from skeletr.overlay import PICTURES
from skeletr.pipeline import Cancelled
from skeletr.recording import Recording
from skeletr.video.process import _MODULE as CHILD
from skeletr.video.process import AVAILABLE
from tests import test_cli
from tests.conftest import pattern, write_video

portrait = test_cli.portrait  # two seconds of one person; skips where there is no pose model
SETTINGS = Settings(str(DEFAULT_CHECKPOINT))
DRAWN = Settings(str(DEFAULT_CHECKPOINT), picture=PICTURES[0])


@pytest.fixture(scope="module")
def folder(portrait, moving_video, tmp_path_factory) -> Path:
    """One person, nobody, and a letter that calls itself a video."""
    root = tmp_path_factory.mktemp("holiday")
    (root / "day 2").mkdir()
    shutil.copy(portrait, root / "portrait.mp4")
    shutil.copy(moving_video, root / "day 2" / "square.mp4")
    (root / "day 2" / "letter.mp4").write_text("Dear all")
    return root


@pytest.fixture(scope="module")
def one(folder, tmp_path_factory) -> Path:
    """The results of one worker."""
    out = tmp_path_factory.mktemp("one")
    assert main(["recognize", str(folder), "--out", str(out), "--no-video"]) == 1
    return out


def results(out: Path) -> dict[str, dict]:
    """result.json by the folder it lies in, without what differs from run to run."""
    found = {str(p.parent.relative_to(out)): json.loads(p.read_text()) for p in out.rglob("*.json")}
    for facts in found.values():
        assert facts.pop("timing_seconds")["total"] > 0
    return found


def hidden(out: Path) -> list[Path]:
    return [p for p in out.rglob("*") if p.name.startswith(".")]


def test_two_workers_find_what_one_finds(folder, one, tmp_path, capsys):
    command = ["recognize", str(folder), "--out", str(tmp_path), "--no-video", "--workers", "2"]
    assert main(command) == 1
    found = results(tmp_path)
    assert found == results(one)
    assert sorted(found) == ["day 2/square", "portrait"]
    assert found["portrait"]["people"] and not found["day 2/square"]["people"]
    ours, theirs = (Recording.load(o / "portrait" / "recording.npz") for o in (one, tmp_path))
    np.testing.assert_array_equal(ours.keypoints, theirs.keypoints)
    said = capsys.readouterr()
    assert "letter.mp4 is not a video" in said.err and "Traceback" not in said.err
    assert "2 of 3 videos are done" in said.out
    assert not hidden(tmp_path)


def test_what_is_done_is_left_out(folder, one, tmp_path, capsys):
    out = tmp_path / "out"
    shutil.copytree(one, out)
    before = {p: p.stat().st_mtime_ns for p in out.rglob("result.json")}
    command = ["recognize", str(folder), "--out", str(out), "--no-video"]
    assert main(command) == 1
    assert {p: p.stat().st_mtime_ns for p in out.rglob("result.json")} == before
    said = capsys.readouterr()
    assert "2 videos were done before" in said.out and "letter.mp4" in said.err
    assert main([*command, "--threshold", "0.9"]) == 1
    assert all(p.stat().st_mtime_ns > t for p, t in before.items())
    assert {f["settings"]["threshold"] for f in results(out).values()} == {0.9}


@pytest.fixture(scope="module")
def recorded(portrait) -> dict:
    worker = VideoWorker(SETTINGS)
    worker.close()
    return worker.recorded


def test_done_means_whole_and_of_this_file_with_these_settings(folder, one, recorded, tmp_path):
    (tmp_path / "x").mkdir()
    video = shutil.copy2(folder / "portrait.mp4", tmp_path / "portrait.mp4")
    result = Path(shutil.copy(one / "portrait" / "result.json", tmp_path / "x" / "result.json"))
    job = Job(Path(video), tmp_path / "x")
    assert is_done(job, recorded)
    assert not is_done(job, recorded | {"checkpoint": "another"})
    assert not is_done(job, recorded | {"new setting": 1})
    os.utime(video, (1, 1))
    assert not is_done(job, recorded)
    os.utime(video, ((folder / "portrait.mp4").stat().st_mtime,) * 2)
    assert is_done(job, recorded)
    text = result.read_text()
    for broken in (text[: len(text) // 2], "[]", "{}", ""):
        result.write_text(broken)
        assert not is_done(job, recorded)
    result.unlink()
    assert not is_done(job, recorded)


def test_videos_are_found_below_folders(tmp_path):
    for name in ("b.mp4", "a/c.MOV", "a/c.mkv", "a/notes.txt", ".hidden/d.mp4", "a/.e.mp4"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    out = tmp_path / "out"
    for name in ("out/b/annotated.mp4", "old/annotated.mp4", "old/result.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    found = find_jobs([tmp_path, Path("elsewhere/b.mp4")], out)
    assert {j.video.name: str(j.folder.relative_to(out)) for j in found[:-1]} == {
        "c.MOV": "a/c",
        "c.mkv": "a/c-2",
        "b.mp4": "b",
    }
    assert found[-1] == Job(Path("elsewhere/b.mp4"), out / "b-2", 0)


def test_what_was_found_in_another_video_is_not_written_over(tmp_path):
    out, videos = tmp_path / "out", [tmp_path / k / "x.mp4" for k in "ab"]
    for size, video in enumerate(videos, start=1):
        video.parent.mkdir()
        video.write_bytes(bytes(size))

    def work(*paths: Path) -> list[str]:
        jobs = find_jobs(paths, out)
        for job in jobs:
            job.folder.mkdir(parents=True, exist_ok=True)
            settings = with_video({"a": 1}, job.video)
            (job.folder / RESULT).write_text(json.dumps({"settings": settings}))
        return [job.folder.name for job in jobs]

    a, b = videos
    assert work(a) == ["x"]
    assert work(b) == ["x-2"]
    assert work(b, a) == ["x-2", "x"]
    b.write_bytes(bytes(7))  # the same place: it is recognised anew
    assert work(b) == ["x-2"]
    moved = tmp_path / "x.mp4"
    a.rename(moved)
    assert work(moved) == ["x"]
    assert is_done(find_jobs([moved], out)[0], {"a": 1})


def test_results_without_a_video_leave_no_older_one_beside_them(tmp_path):
    for name in (RESULT, VIDEO, "actions.csv"):
        (tmp_path / name).write_text("old")
    forget_video(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["actions.csv"]
    (tmp_path / RESULT).write_text("new")
    forget_video(tmp_path)  # nothing to forget
    assert (tmp_path / RESULT).exists()


def test_a_folder_without_videos_is_said_before_any_work(tmp_path, capsys):
    assert main(["recognize", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "there is no video in this folder" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_workers_must_be_some(portrait, tmp_path, capsys):
    assert main(["recognize", str(portrait), "--out", str(tmp_path), "--workers", "0"]) == 2
    assert "expected at least 1" in capsys.readouterr().err


@pytest.mark.parametrize("part", [0.2, 0.6])
def test_what_is_stopped_leaves_nothing(portrait, make_video, tmp_path, part):
    """While people are recognised, and while the annotated video is half written."""
    video = make_video("square.mp4", (pattern(i) for i in range(100)))
    stop, seen = threading.Event(), []

    def watch(share: float) -> None:
        if share > part and not stop.is_set():
            seen.extend(hidden(tmp_path))
            stop.set()

    worker = VideoWorker(DRAWN)
    with pytest.raises(Cancelled):
        worker.work(Job(video, tmp_path / "out"), watch, stop)
    worker.close()
    assert bool(seen) == (part > 0.5)
    assert not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def long_videos(portrait, tmp_path_factory) -> list[Path]:
    """Two videos without people that take far longer than a message about progress."""
    root = tmp_path_factory.mktemp("long")
    return [write_video(root / f"{n}.mp4", (pattern(i) for i in range(1500))) for n in "ab"]


def test_a_worker_that_dies_costs_one_video(long_videos, portrait, tmp_path):
    killed = []

    def kill(job: Job, share: float) -> None:
        if not killed:
            killed.append(job)
            (worker,) = multiprocessing.active_children()
            worker.kill()

    jobs = find_jobs([long_videos[0], portrait], tmp_path)
    first, second = run_processes(SETTINGS, jobs, 1, kill)
    assert (first.job, second.job) == (jobs[0], jobs[1]) and killed == [jobs[0]]
    assert "died (signal 9)" in first.problem
    assert second.problem is None and (tmp_path / "portrait" / "result.json").exists()


@pytest.mark.skipif(not AVAILABLE, reason="this system has no limits on processes")
def test_a_decoder_that_crashes_costs_the_rest_of_one_video(long_videos, portrait, tmp_path):
    psutil = pytest.importorskip("psutil")
    worker, crashed = VideoWorker(SETTINGS), []

    def crash(share: float) -> None:
        if not crashed:
            crashed.extend(c for c in psutil.Process().children() if CHILD in c.cmdline())
            crashed[0].send_signal(signal.SIGSEGV)

    first = worker.work(Job(long_videos[0], tmp_path / "a"), crash)
    second = worker.work(Job(portrait, tmp_path / "b"))
    worker.close()
    assert first.problem is None and 0 < first.frames < 1500
    assert first.warnings[0].endswith("which was used: its decoder crashed.")
    assert second.problem is None and not second.warnings and second.frames == 20


MEMORY = {
    "card": (torch.OutOfMemoryError("CUDA out of memory"), "card has no memory left; free some"),
    "machine": (MemoryError(), "needs more memory than this machine has left"),
}


@pytest.mark.parametrize(("error", "said"), MEMORY.values(), ids=MEMORY)
def test_no_memory_left_is_one_sentence_and_the_next_video_is_done(
    error, said, portrait, tmp_path, monkeypatch
):
    def full(*_: object, **__: object) -> None:
        raise error

    worker = VideoWorker(SETTINGS)
    with monkeypatch.context() as patch:
        patch.setattr("skeletr.model.skeletr.SkeleTR.relate", full)
        outcome = worker.work(Job(portrait, tmp_path / "a"))
    assert outcome.problem.startswith("portrait.mp4: ") and outcome.problem.count("\n") == 0
    assert said in outcome.problem and "CUDA" not in outcome.problem
    assert worker.work(Job(portrait, tmp_path / "a")).problem is None
    worker.close()


def test_ctrl_c_ends_the_workers_and_takes_back_their_work(long_videos, tmp_path):
    def interrupt(job: Job, share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_processes(DRAWN, find_jobs(long_videos, tmp_path), 2, interrupt))
    assert not multiprocessing.active_children()
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
def test_ctrl_c_in_a_terminal_is_one_line(long_videos, tmp_path):
    psutil = pytest.importorskip("psutil")
    command = [sys.executable, "-m", "skeletr", "recognize", *map(str, long_videos)]
    process = subprocess.Popen(
        [*command, "--workers", "2", "--out", str(tmp_path)],
        start_new_session=True,
        # Of a test run in the background, which ignores Ctrl-C, it would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        family = psutil.Process(process.pid)
        while process.poll() is None and len(family.children(recursive=True)) < 3:
            time.sleep(0.05)  # two workers, and what multiprocessing starts beside them
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
        said = process.communicate(timeout=120)[1]
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Stopped." in said and "Traceback" not in said
    assert not list(tmp_path.rglob("*"))


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="Ctrl-C cannot be held back")
def test_ctrl_c_waits_for_a_start_though_another_thread_takes_it():
    done, steps = threading.Event(), []
    other = threading.Thread(target=done.wait)
    other.start()  # does not block the signal
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), processes._ctrl_c_later():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)
            steps.append("the end of the block")
        assert steps and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, usual)
        done.set()
        other.join()


def test_workers_that_cannot_begin_say_why(long_videos, tmp_path):
    nowhere = Settings(str(tmp_path / "nowhere"))
    with pytest.raises(WorkersError, match=r"config.json is missing"):
        list(run_processes(nowhere, find_jobs(long_videos, tmp_path), 2, lambda *_: None))


def test_workers_share_the_cores(monkeypatch):
    monkeypatch.delenv(LIMIT_VARIABLE, raising=False)
    cores = usable_cores()
    assert [share_among(n) for n in (1, cores, 10 * cores)] == [cores, 1, 1]
    monkeypatch.setenv(LIMIT_VARIABLE, "1")
    assert usable_cores() == 1
    monkeypatch.setenv(LIMIT_VARIABLE, str(cores + 5))
    assert usable_cores() == cores
