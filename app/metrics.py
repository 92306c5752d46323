"""Counts and times of what the app does, in the text format of Prometheus; nothing personal."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping

_PREFIX = "skeletr_"
# name: (kind, what it says)
_KNOWN = {
    "sessions_opened_total": ("counter", "Pages that asked for something for the first time."),
    "sessions_closed_total": ("counter", "Pages whose camera, results and files were freed."),
    "sessions_open": ("gauge", "Pages that hold a camera or results."),
    "sessions_refused_total": ("counter", "Pages refused because too many are open."),
    "pose_streams_opened_total": ("counter", "Cameras for which a pose model was made."),
    "pose_streams_closed_total": ("counter", "Cameras whose pose model was freed."),
    "live_served": ("gauge", "Visitors at the camera."),
    "live_waiting": ("gauge", "Visitors in line for the camera."),
    "frames_received_total": ("counter", "Camera pictures that pages sent after their first."),
    "frames_total": ("counter", "Camera pictures that were recognised."),
    "frames_unanswered_total": ("counter", "Camera pictures answered without recognition."),
    "frames_dropped_total": ("counter", "Camera pictures skipped as newer ones had come."),
    "stage_seconds_total": ("counter", "Seconds spent per stage."),
    "stage_runs_total": ("counter", "How often each stage ran; seconds / runs = mean time."),
    "videos_total": ("counter", "Videos by how they ended."),
    "videos_running": ("gauge", "Videos being recognised."),
    "videos_waiting": ("gauge", "Videos that wait for a free place."),
    "model_waiting": ("gauge", "Threads that wait for their turn at the model."),
    "memory_bytes": ("gauge", "Memory of this process, resident."),
    "open_files": ("gauge", "Open files and connections of this process."),
    "uptime_seconds": ("gauge", "Seconds since the start."),
}

Labels = tuple[tuple[str, str], ...]


class Metrics:
    """What is counted while the app runs; may be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, Labels], float] = defaultdict(float)

    def add(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Count `amount` more of a counter."""
        if _KNOWN[name][0] != "counter":
            raise ValueError(f"{name} is no counter")
        with self._lock:
            self._counts[name, tuple(sorted(labels.items()))] += amount

    def stages(self, seconds: Mapping[str, float], kind: str) -> None:
        """Count a run of each stage; kind: "live" or "video"."""
        for stage, spent in seconds.items():
            self.add("stage_seconds_total", spent, stage=stage, kind=kind)
            self.add("stage_runs_total", 1, stage=stage, kind=kind)

    def total(self, name: str) -> float:
        """The sum of a counter over all its labels."""
        with self._lock:
            return sum(v for (found, _), v in self._counts.items() if found == name)

    def text(self, gauges: Mapping[str, float]) -> str:
        """Everything, with the present values of the gauges."""
        with self._lock:
            found = {**self._counts, **{(name, ()): value for name, value in gauges.items()}}
        names = sorted({name for name, _ in found})
        return "".join(_block(name, found) for name in names)


def _block(name: str, found: Mapping[tuple[str, Labels], float]) -> str:
    kind, told = _KNOWN[name]
    whole = _PREFIX + name
    lines = [f"# HELP {whole} {told}", f"# TYPE {whole} {kind}"]
    for (other, labels), value in sorted(found.items()):
        if other == name:
            lines.append(f"{whole}{_braces(labels)} {value:.10g}")
    return "\n".join(lines) + "\n"


def _braces(labels: Labels) -> str:
    quoted = (f'{key}="{_quoted(value)}"' for key, value in labels)
    return f"{{{','.join(quoted)}}}" if labels else ""


def _quoted(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
