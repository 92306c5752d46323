"""Decode files in another process, which may hang or die without taking the tests with it."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
START = 120.0  # seconds that the process may take to begin, on a machine that does other work


@dataclass(frozen=True)
class Decoded:
    """What became of one file.

    frames: how many came out. error: the sentence of a `VideoError`. fault: anything that must not
    happen: another exception, a wrong frame, a hang, the end of the process. seconds: time taken.
    """

    frames: int = 0
    error: str = ""
    fault: str = ""
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()


class Decoder:
    """A process that decodes one file after the other; a new one is started where it ended.

    Args:
        patience: seconds after which a file hangs.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._process: subprocess.Popen | None = None
        self._lines: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def decode(self, path: Path) -> Decoded:
        """All frames of a file."""
        if self._process is None:
            self._start()
        self._process.stdin.write(json.dumps(str(path)) + "\n")
        self._process.stdin.flush()
        try:
            line = self._lines.get(timeout=self._patience)
        except queue.Empty:
            self._end()
            return Decoded(fault=f"hangs: no answer in {self._patience:g} s")
        if not line:
            code = self._process.wait()
            self._end()
            return Decoded(fault=f"the process died with {code}")
        return Decoded(
            **{k: tuple(v) if k == "warnings" else v for k, v in json.loads(line).items()}
        )

    def _start(self) -> None:
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._lines = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.broken.worker"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        threading.Thread(
            target=_read, args=(self._process.stdout, self._lines), daemon=True
        ).start()
        if self._lines.get(timeout=START).strip() != "ready":
            raise RuntimeError("the decoding process does not start")

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process = None


def _read(stream, lines: queue.Queue[str]) -> None:
    with stream:
        for line in stream:
            lines.put(line)
    lines.put("")  # the end
