"""Uploads of programs are kept for as long as they wait or are used, however long that is."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gradio as gr
import pytest
from gradio_client import Client, handle_file

from app.engine import Engine
from app.gradio_line import files_in_line
from app.settings import AppSettings
from app.ui import build, launch_options, stop
from app.vault import Vault
from tests.app.fakes import FakePose, untrained
from tests.app.serving import wait_until
from tests.conftest import pattern

AGO = 10_000  # seconds, more than files are kept


class Waiting(FakePose):
    """A pose model that finds nobody before it may go on."""

    go_on = threading.Event()

    def estimate(self, image: object, time: float) -> tuple:
        assert self.go_on.wait(120)
        return super().estimate(image, time)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[gr.Blocks]:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "files"))
    monkeypatch.setattr(Waiting, "go_on", threading.Event())
    settings = AppSettings(jobs=1)
    page = build(settings, Engine(settings, untrained, lambda options: Waiting()))
    page.sessions.in_line = lambda: files_in_line(page)
    page.launch(prevent_thread_lock=True, quiet=True, **launch_options(settings, page))
    page.engine.wait(60)
    yield page
    Waiting.go_on.set()
    stop(page)


def grow_old(root: Path) -> None:
    then = time.time() - AGO
    for path in (*root.glob("*/*.mp4"), *root.glob("*/")):
        os.utime(path, (then, then))


def look_after(served: gr.Blocks) -> set[str]:
    """Remove what is too old, as is done every few seconds; the uploads that are left."""
    served.sessions.sweep()
    served.sessions.vault.sweep()
    return {path.name for path in served.sessions.vault.root.glob("*/*.mp4")}


def test_they_stay_until_they_are_done(
    served: gr.Blocks, moving_video: Path, make_video: Callable[..., Path]
) -> None:
    second = make_video("second.mp4", (pattern(i) for i in range(15)))
    root = served.sessions.vault.root
    client = Client(served.local_url, verbose=False)
    jobs = [client.submit(handle_file(moving_video), api_name="/recognize")]
    wait_until(lambda: FakePose.open)  # it runs
    jobs.append(client.submit(handle_file(second), api_name="/recognize"))
    wait_until(lambda: [path.name for path in files_in_line(served)] == ["second.mp4"])
    grow_old(root)
    assert look_after(served) == {"moving.mp4", "second.mp4"}
    Waiting.go_on.set()
    assert [len(job.result(60)["people"]) for job in jobs] == [1, 1]
    grow_old(root)
    assert look_after(served) == set()


def test_only_files_in_the_folder_are_kept(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "root", keep=100.0)
    mine, other = vault.root / ("0" * 64) / "a.mp4", tmp_path / "own.mp4"
    mine.parent.mkdir(parents=True)
    then = time.time() - AGO
    for path in (mine, other):
        path.touch()
        os.utime(path, (then, then))
    vault.keep([vault.root / "../own.mp4", Path("a\0b"), Path("x" * 5000), vault.root, mine])
    assert other.stat().st_mtime == pytest.approx(then)
    assert mine.stat().st_mtime > then + AGO / 2
