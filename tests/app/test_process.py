"""The program as a service manager sees it: it answers, it ends in order, it logs lines."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
START = 180.0  # seconds, on a machine that does other work
END = 30.0


def environment(**more: str) -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1"} | more


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[subprocess.Popen, str, Path]]:
    """`launch.py` without a model: the process, its address and its log."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "launch.py", "--port", str(port)]
    command += ["--checkpoint", str(tmp_path / "none"), "--device", "cpu"]
    log = tmp_path / "log.txt"
    settings = environment(SKELETR_LOG="json", GRADIO_TEMP_DIR=str(tmp_path / "files"))
    with log.open("w") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env=settings, stdout=subprocess.DEVNULL, stderr=out
        )
    yield process, f"http://127.0.0.1:{port}", log
    process.kill()
    process.wait()


def wait_for(url: str, process: subprocess.Popen) -> httpx.Response:
    deadline = time.monotonic() + START
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return httpx.get(f"{url}/health", timeout=10)
        except httpx.HTTPError:
            time.sleep(0.2)
    raise AssertionError(f"the app does not answer, it ended with {process.poll()}")


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGTERM")
def test_it_answers_without_a_model_and_ends_in_order(
    started: tuple[subprocess.Popen, str, Path], tmp_path: Path
) -> None:
    process, url, log = started
    assert wait_for(url, process).json()["status"] in ("loading", "failed")
    assert "SkeleTR" in httpx.get(url, timeout=60).text
    process.send_signal(signal.SIGTERM)
    assert process.wait(END) == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    events = [line["event"] for line in lines]
    assert "serving" in events and events[-1] == "stopping"
    assert {"time", "level", "logger"} <= set(lines[0])
    assert not list((tmp_path / "files").glob("visitor-*"))


def test_a_variable_that_cannot_be_read_is_said_at_once() -> None:
    found = subprocess.run(
        [sys.executable, "launch.py", "--device", "cpu"],
        cwd=ROOT,
        env=environment(SKELETR_MAX_LIVE="many"),
        capture_output=True,
        text=True,
        timeout=START,
    )
    assert found.returncode == 2
    assert found.stderr.strip().splitlines()[-1] == (
        "SKELETR_MAX_LIVE is 'many', expected a whole number above 0"
    )
