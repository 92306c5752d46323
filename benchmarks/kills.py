"""A training run that is killed again and again ends with the curve of one that was not.

    python -m benchmarks.kills [--kills 20] [--steps 120] [--minutes 6] [--json FILE]

Trains the smallest of models on a tiny store of its own, once in one go and once killed (SIGKILL)
at random moments: while it starts, computes, validates or saves. Every value of every step in
`metrics.jsonl`, and the last weights, must be the same.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from skeletr.hub import WEIGHTS
from tests.own_store import make_store

_ROOT = Path(__file__).parents[1]
_LONGEST = 4.0  # seconds of a start that is killed, at most
_WITHIN = 0.5  # seconds from a step to the kill, at most
_STARTING = 0.25  # share of kills that come while the program still starts
_CONFIG = {
    "sequences": {"frames": 8, "rate": 10.0},
    "scenes_per_batch": 4,
    "sequences_per_scene": [2, 3],
    "warmup": 1,
    "workers": 0,
    "threads": 1,
    "bf16": False,
    "device": "cpu",
    "log_every": 1,
    "validate_every": 7,
    "save_every": 3,
}


def main(arguments: list[str] | None = None) -> int:
    """Run both, compare, print and write the figures; 1 where they differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=6.0, help="no kills after that")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = make_store(folder / "store")
        whole = Run(folder / "whole", store, options.steps)
        whole.finish()
        killed = Run(folder / "killed", store, options.steps)
        moments = _kill(killed, options)
        killed.finish()
        figures = _compare(whole, killed) | {"kills": len(moments), "asked_kills": options.kills}
    figures["steps_at_the_kills"] = moments
    print(json.dumps(figures, indent=2))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0 if figures["curves_identical"] and figures["weights_identical"] else 1


class Run:
    """One training run, in processes of its own."""

    def __init__(self, folder: Path, store: Path, steps: int) -> None:
        folder.mkdir()
        self.folder = folder / "run"
        task = {"name": "own", "source": "store", "data": str(store), "kind": "video"}
        values = {"output": str(folder / "out"), "run": str(self.folder), "tasks": [task]}
        self._config = folder / "config.yaml"
        self._config.write_text(yaml.safe_dump(_CONFIG | values | {"steps": steps}))

    def start(self) -> subprocess.Popen:
        """Train in the background, going on from where the last process was."""
        command = [sys.executable, "-m", "skeletr", "train", str(self._config)]
        variables = os.environ | {"OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            command, cwd=_ROOT, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

    def finish(self) -> None:
        """Train to the end."""
        _, told = self.start().communicate()
        if not self.last_weights().is_file():
            raise RuntimeError(f"the run did not end:\n{told.decode()}")

    def curve(self) -> list[dict]:
        """The values of every step."""
        lines = (self.folder / "metrics.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def steps(self) -> int:
        """How many steps are in the log."""
        path = self.folder / "metrics.jsonl"
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def last_weights(self) -> Path:
        """The weights after the last step."""
        return self.folder / "last" / "own" / WEIGHTS


def _kill(run: Run, options: argparse.Namespace) -> list[int]:
    """Start and kill; the number of logged steps at each kill."""
    chance, moments = random.Random(options.seed), []
    deadline = time.monotonic() + 60 * options.minutes
    while len(moments) < options.kills and time.monotonic() < deadline:
        process, before = run.start(), run.steps()
        if chance.random() < _STARTING:
            time.sleep(chance.uniform(0, _LONGEST))
        else:
            further = before + chance.randint(1, max(2, options.steps // options.kills))
            while process.poll() is None and run.steps() < further:
                time.sleep(0.02)
            time.sleep(chance.uniform(0, _WITHIN))
        if process.poll() is not None:  # it came to its end
            break
        process.kill()
        process.communicate()
        moments.append(run.steps())
    return moments


def _compare(whole: Run, killed: Run) -> dict:
    expected, found = whole.curve(), killed.curve()
    return {
        "steps": len(expected),
        "curves_identical": expected == found,
        "weights_identical": whole.last_weights().read_bytes()
        == killed.last_weights().read_bytes(),
        "first_difference": next(
            (a["step"] for a, b in zip(expected, found, strict=False) if a != b), None
        ),
    }


if __name__ == "__main__":
    raise SystemExit(main())
