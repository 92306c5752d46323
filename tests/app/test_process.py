"""The program as a service manager sees it: it answers, it ends in order, it logs lines."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app import foreign_logs

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


def fail_in_two_ways(url: str) -> None:
    """Ask for what Gradio itself refuses, in line and at once."""
    secret = {"path": "/etc/secret holiday.mp4", "meta": {"_type": "gradio.FileData"}}
    body = {"data": [secret, 6, None, "mediapipe"]}
    asked = httpx.post(f"{url}/gradio_api/call/recognize", json=body, timeout=60)
    address = f"{url}/gradio_api/call/recognize/{asked.json()['event_id']}"
    assert "error" in httpx.get(address, timeout=60).text
    functions = httpx.get(f"{url}/config", timeout=60).json()["dependencies"]
    look = next(f for f in functions if f["queue"] is False and len(f["inputs"]) == 2)
    body = {"fn_index": look["id"], "data": [secret, "", ""], "session_hash": "a"}
    assert httpx.post(f"{url}/gradio_api/run/predict", json=body, timeout=60).status_code == 500


def test_faults_that_gradio_meets_are_lines_without_personal_data(
    started: tuple[subprocess.Popen, str, Path],
) -> None:
    process, url, log = started
    wait_for(url, process)
    fail_in_two_ways(url)
    process.terminate()
    process.wait(END)
    text = log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    faults = [line for line in lines if line["event"] == "an event of the page failed"]
    assert len(faults) == 2 and all(line["error"] and line["trace"] for line in faults)
    assert "holiday" not in text


def test_what_others_would_print_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    for module in foreign_logs._PRINTING:
        monkeypatch.setattr(module, "traceback", module.traceback)
    monkeypatch.setattr(foreign_logs, "LOGGING_CONFIG", told := {"handlers": {"a": 1}})
    foreign_logs.take_over("json")
    thread = threading.Thread(target=lambda: 1 / 0, name="a thread")
    thread.start()
    thread.join()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = foreign_logs._log_warning
        warnings.warn("the holiday of a visitor", UserWarning, stacklevel=1)
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "a thread ended by a fault" and caplog.records[0].exc_info
    assert said[1].startswith("UserWarning at app/test_process.py:")
    assert told == {"handlers": {}, "loggers": {}}


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
