"""The app as its own process, and visitors who talk to it the way that its page does."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from tests.app.protocol import Page

_ROOT = Path(__file__).parents[1]
_PATIENCE = 300.0  # seconds until the app answers, and until its models are loaded
_SAMPLE = re.compile(r"^skeletr_(\w+)(?:\{.*\})? (\S+)$", re.MULTILINE)


class App:
    """A running app, as much of it as `Page` needs to know.

    Attributes:
        local_url: its address. fns: number of a function of the page -> its name.
        process: the process that serves it.
    """

    def __init__(self, url: str, process: subprocess.Popen) -> None:
        self.local_url = url
        self.process = process
        config = json.loads(_get(f"{url}/config"))
        self._parts = {part["id"]: part for part in config["components"]}
        self._functions = {d["id"]: d for d in config["dependencies"]}
        self.fns = {i: SimpleNamespace(name=d["api_name"]) for i, d in self._functions.items()}

    def camera_inputs(self, picture: dict) -> list:
        """What the page sends with a camera picture before anybody has touched a control."""
        return self.inputs("step", picture)

    def inputs(self, function: str, first: object) -> list:
        """What the page sends for a function before anybody has touched a control."""
        asked = next(d for d in self._functions.values() if d["api_name"] == function)
        return [first, *(self._parts[i]["props"].get("value") for i in asked["inputs"][1:])]

    def metrics(self) -> dict[str, float]:
        """What /metrics says, summed over labels."""
        found: dict[str, float] = {}
        for name, value in _SAMPLE.findall(_get(f"{self.local_url}/metrics")):
            found[name] = found.get(name, 0.0) + float(value)
        return found


def open_page(app: App) -> Page:
    """A visitor's page."""
    return Page(app)


@contextmanager
def answering_app(
    folder: Path, *arguments: str, **environment: str
) -> Iterator[tuple[str, subprocess.Popen]]:
    """The app, started the way a user starts it, as soon as it answers: its address and process.
    Its models may still be loading.

    Args:
        folder: for its log and visitors' files. arguments: of `launch.py`. environment: variables
            that set it up.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "log.txt"
    variables = os.environ | {"GRADIO_TEMP_DIR": str(folder / "uploads")} | environment
    command = [sys.executable, "launch.py", "--port", str(port), *arguments]
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=_ROOT, stdout=out, stderr=out, env=variables)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until(lambda: _get(url), process, log)
        yield url, process
        if "Traceback" in log.read_text():
            print(f"the app's log has a traceback:\n{log.read_text()}", file=sys.stderr)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def running_app(folder: Path, **environment: str) -> Iterator[App]:
    """The same with its models loaded. Args: as of `answering_app`."""
    with answering_app(folder, "--device", "cpu", **environment) as (url, process):
        health = f"{url}/health"
        _wait_until(lambda: json.loads(_get(health))["status"] == "ok", process, folder / "log.txt")
        yield App(url, process)


def _wait_until(there: Callable[[], object], process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if there():
                return
        except OSError:  # not yet there, or 503
            pass
        time.sleep(0.1)
    raise RuntimeError(f"the app is not ready:\n{log.read_text()}")


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()
