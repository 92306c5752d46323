"""What a benchmark ran on: the same facts under every table."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path

import torch

from skeletr.cores import usable_cores
from skeletr.files import atomic_path

_CPU_INFO = Path("/proc/cpuinfo")


def machine(device: torch.device | str = "cpu") -> dict[str, object]:
    """Plain values for JSON. load: programs that ran or waited to when this was asked, mean of a
    minute; above the number of cores, times are those of a busy machine."""
    device = torch.device(device)
    facts: dict[str, object] = {
        "processor": _processor(),
        "cores": usable_cores(),
        "threads": torch.get_num_threads(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "device": device.type,
    }
    if hasattr(os, "getloadavg"):  # not on Windows
        facts["load"] = round(os.getloadavg()[0], 1)
    if device.type == "cuda":
        facts["gpu"] = torch.cuda.get_device_name(device)
    return facts


def told(facts: dict[str, object]) -> str:
    """The facts in one line."""
    return ", ".join(f"{key} {value}" for key, value in facts.items())


def write_json(path: Path, facts: dict[str, object], rows: object) -> None:
    """A table and what it was measured on, as JSON."""
    with atomic_path(path) as partial:
        partial.write_text(json.dumps({"machine": facts, "rows": rows}, indent=2) + "\n")


def markdown(figures: dict[str, object]) -> str:
    """Single figures as a table: one a line."""
    lines = (f"| {key.replace('_', ' ')} | {value} |" for key, value in figures.items())
    return "\n".join(["| what | figure |", "|---|---|", *lines])


def _processor() -> str:
    try:
        for line in _CPU_INFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:  # not on macOS and Windows
        pass
    return platform.processor() or platform.machine()
