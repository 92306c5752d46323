"""Results as files: JSON, CSV. The formats are described in docs/RESULT_FORMAT.md."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from skeletr import __version__
from skeletr.actions import ActionLog, Prediction, Status, Track
from skeletr.files import atomic_path
from skeletr.pipeline import Result
from skeletr.recording import Recording

SCHEMA_VERSION = 1
_TOP = 5
# What makes a spreadsheet compute a cell, or ask for what it names, instead of showing it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
CSV_COLUMNS = (
    "time",
    "person",
    "status",
    "label",
    "score",
    "x1",
    "y1",
    "x2",
    "y2",
)


def result_dict(result: Result) -> dict:
    """Everything about a recognised video in plain Python types, ready for JSON."""
    log = result.log
    return {
        "schema_version": SCHEMA_VERSION,
        "program": {"name": "SkeleTR Live", "version": __version__},
        "video": asdict(result.info)
        | {
            "frames_used": len(result.recording.frame_times),
            "frame_size": list(result.frame_size),
        },
        "labels": list(log.labels),
        "step_seconds": log.interval,
        "video_labels": _labels(log.overall()),
        "people": [_person(i, track, log) for i, track in log.people.items()],
        "scene_steps": [_step(t, p, log) for t, p in _steps(log.scene)],
        "timing_seconds": {k: _round(v) for k, v in result.timing.items()},
        "warnings": list(result.warnings),
    }


def write_json(
    result: Result, path: str | os.PathLike[str], settings: Mapping[str, Any] | None = None
) -> None:
    """`result_dict` as a file that appears whole; settings: plain values to keep with it."""
    facts = result_dict(result) | ({} if settings is None else {"settings": dict(settings)})
    with atomic_path(path) as partial, partial.open("w", encoding="utf-8") as file:
        json.dump(facts, file, indent=1)  # piece by piece: that of hours is large
        file.write("\n")


def write_csv(result: Result, path: str | os.PathLike[str]) -> None:
    """One row per person and key frame, columns `CSV_COLUMNS`; boxes in pixels."""
    with atomic_path(path) as partial:
        partial.write_text(actions_csv(result), encoding="utf-8", newline="")


def actions_csv(result: Result) -> str:
    """The text of `write_csv`."""
    rows = [
        (time, person, prediction)
        for person, track in result.log.people.items()
        for time, prediction in _steps(track)
    ]
    observed = _observed(result.recording)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS)
    for time, person, prediction in sorted(rows, key=lambda r: r[:2]):
        box = _box(observed.get(person), time)
        score = _round(prediction.score) if prediction.label else ""
        writer.writerow(
            [_round(time), person, prediction.status.value, _cell(prediction.label), score, *box]
        )
    return out.getvalue()


def _cell(label: str) -> str:
    """A label as a spreadsheet shows it; it may come from somebody else's session."""
    return f"'{label}" if label.startswith(_FORMULA) else label


def _steps(track: Track) -> list[tuple[float, Prediction]]:
    return list(zip(track.times.tolist(), track.predictions, strict=True))


def _person(number: int, track: Track, log: ActionLog) -> dict:
    return {
        "id": number,
        "start": _round(track.start),
        "end": _round(track.end),
        "labels": _labels(log.summary(track)),
        "steps": [_step(t, p, log) for t, p in _steps(track)],
    }


def _labels(shares: list[tuple[str, float]]) -> list[dict]:
    return [{"label": name, "score": _round(share)} for name, share in shares[:_TOP]]


def _step(time: float, prediction: Prediction, log: ActionLog) -> dict:
    return {
        "time": _round(time),
        "status": prediction.status.value,
        "label": prediction.label if prediction.status is Status.OK else None,
        "score": _round(prediction.score),
        "top": _top(prediction.scores, log) if prediction.scores.any() else [],
    }


def _top(scores: np.ndarray, log: ActionLog) -> list[dict]:
    best = np.argsort(-scores)[:_TOP]
    return [{"label": log.labels[i], "score": _round(scores[i])} for i in best]


def _observed(recording: Recording) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Person id -> times and boxes (n,), (n, 4) of the observations of that person, in order."""
    order = np.argsort(recording.person, kind="stable")
    people, first = np.unique(recording.person[order], return_index=True)
    rows = np.split(order, first[1:])
    times = recording.times
    pairs = zip(people, rows, strict=False)  # without people there is one piece, empty
    return {int(person): (times[own], recording.boxes[own]) for person, own in pairs}


def _box(observed: tuple[np.ndarray, np.ndarray] | None, time: float) -> list[float | str]:
    """The box in the observation nearest to `time`, of two as near the earlier one."""
    if observed is None:
        return [""] * 4
    times, boxes = observed
    after = int(np.searchsorted(times, time))
    near = range(max(after - 1, 0), min(after + 1, len(times)))
    nearest = min(near, key=lambda i: abs(times[i] - time))
    return [_round(v, 1) for v in boxes[nearest]]


def _round(value: float, digits: int = 4) -> float:
    return round(float(value), digits)
