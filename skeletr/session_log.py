"""An `ActionLog` as plain arrays and a header, and back; used by `session`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from skeletr.actions import ActionLog, Attention, Prediction, Status, Track

MOST_LABELS = 2000
MOST_PEOPLE = 10_000
_MOST_LABEL = 100  # characters
_MOST_SEQUENCES = 400  # short sequences in one window of attention; models relate 40 at most
_STATUSES = tuple(Status)

Arrays = Mapping[str, np.ndarray]


def log_header(log: ActionLog) -> dict[str, Any]:
    """Names, and the order of the tracks: the scene (person null) first."""
    tracks = [(None, log.scene), *log.people.items()]
    return {
        "labels": list(log.labels),
        "rests": list(log.rests),
        "passing": list(log.passing),
        "interval": float(log.interval),
        "statuses": [s.value for s in _STATUSES],
        "tracks": [
            {"person": person, "start": t.start, "end": t.end, "steps": len(t.times)}
            for person, t in tracks
        ],
    }


def pack_log(log: ActionLog, attention: bool) -> dict[str, np.ndarray]:
    """The steps of all tracks, one after the other, and the windows of attention."""
    tracks = [log.scene, *log.people.values()]
    steps = [p for t in tracks for p in t.predictions]
    index = {label: i for i, label in enumerate(log.labels)}
    scores = [p.scores for p in steps]
    return {
        "step_times": np.concatenate([np.asarray(t.times, np.float64) for t in tracks]),
        "step_status": np.array([_STATUSES.index(p.status) for p in steps], np.uint8),
        "step_label": np.array([index.get(p.label, -1) for p in steps], np.int32),
        "step_scores": np.array(scores, np.float32).reshape(-1, len(log.labels)),
        **_pack_attention(log.attention if attention else ()),
    }


def unpack_log(header: Mapping[str, Any], arrays: Arrays) -> ActionLog:
    """The log.

    Raises:
        ValueError: sizes that do not fit, unknown statuses, or numbers that cannot be.
        KeyError, TypeError: something is missing or of another type.
    """
    labels = _labels(header["labels"])
    interval = float(header["interval"])
    if not 0 < interval < 1e4:
        raise ValueError(f"interval is {interval}, expected seconds above 0")
    predictions = _predictions(header, arrays, labels)
    tracks = _tracks(header["tracks"], arrays["step_times"].astype(np.float64), predictions)
    if not tracks or tracks[0][0] is not None or None in [p for p, _ in tracks[1:]]:
        raise ValueError("expected the scene as the first track, and once")
    people = {int(person): track for person, track in tracks[1:]}
    if len(people) != len(tracks) - 1 or len(people) > MOST_PEOPLE:
        raise ValueError(
            f"{len(tracks) - 1} people, expected different ones, {MOST_PEOPLE} at most"
        )
    attention = _unpack_attention(arrays)
    minor = (_labels(header["rests"]), _labels(header.get("passing", [])))
    rests, passing = (tuple(label for label in found if label in labels) for found in minor)
    return ActionLog(labels, interval, people, tracks[0][1], attention, rests, passing)


def _labels(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or len(given) > MOST_LABELS:
        raise ValueError(f"expected a list of at most {MOST_LABELS} labels")
    if not all(isinstance(label, str) and 0 < len(label) <= _MOST_LABEL for label in given):
        raise ValueError(f"labels must be text of 1 to {_MOST_LABEL} characters")
    if len(set(given)) < len(given):
        raise ValueError("a label is there twice")
    return tuple(given)


def _predictions(
    header: Mapping[str, Any], arrays: Arrays, labels: Sequence[str]
) -> list[Prediction]:
    statuses = [Status(s) for s in header["statuses"]]
    scores, status, label = (arrays[f"step_{n}"] for n in ("scores", "status", "label"))
    if scores.shape != (len(status), len(labels)) or label.shape != status.shape:
        raise ValueError(
            f"scores {scores.shape}, statuses {status.shape} and labels {label.shape}, expected "
            f"{len(labels)} scores per step"
        )
    if not np.isfinite(scores).all() or (scores < -1e-3).any() or (scores > 1 + 1e-3).any():
        raise ValueError("scores must be between 0 and 1")
    if (label >= len(labels)).any() or (status >= len(statuses)).any():
        raise ValueError("a step has a label or a status that is not in the list")
    return [
        Prediction(statuses[s], row, labels[i] if i >= 0 else "", float(row[i]) if i >= 0 else 0.0)
        for s, i, row in zip(status.tolist(), label.tolist(), scores, strict=True)
    ]


def _tracks(
    entries: Sequence[Mapping[str, Any]], times: np.ndarray, predictions: list[Prediction]
) -> list[tuple[int | None, Track]]:
    if not np.isfinite(times).all() or times.shape != (len(predictions),):
        raise ValueError(f"step times {times.shape}, expected a finite one per step")
    tracks, first = [], 0
    for entry in entries:
        count, start, end = int(entry["steps"]), float(entry["start"]), float(entry["end"])
        own = times[first : first + count]
        if count < 0 or len(own) != count or not start <= end or (np.diff(own) < 0).any():
            raise ValueError(f"track {entry['person']!r} does not fit the steps")
        found = tuple(predictions[first : first + count])
        tracks.append((entry["person"], Track(own, found, start, end)))
        first += count
    if first != len(predictions):
        raise ValueError(f"{len(predictions)} steps, the tracks hold {first}")
    return tracks


def _pack_attention(windows: Sequence[tuple[float, Attention]]) -> dict[str, np.ndarray]:
    """Windows of M' sequences one after the other: half precision, flat."""
    if not windows:
        return {}
    found = [a for _, a in windows]
    return {
        "window_times": np.array([t for t, _ in windows], np.float64),
        "window_sizes": np.array([len(a.times) for a in found], np.int32),
        "window_heads": np.array(found[0].weights.shape[:2], np.int32),
        "window_person": np.concatenate([a.person for a in found]).astype(np.int32),
        "window_sequence_times": np.concatenate([a.times for a in found]).astype(np.float64),
        "window_weights": np.concatenate([a.weights.ravel() for a in found]).astype(np.float16),
    }


def _unpack_attention(arrays: Arrays) -> tuple[tuple[float, Attention], ...]:
    if "window_sizes" not in arrays:
        return ()
    sizes = [int(n) for n in arrays["window_sizes"]]
    layers, heads = (int(n) for n in arrays["window_heads"])
    times, person = arrays["window_sequence_times"], arrays["window_person"]
    weights = arrays["window_weights"]
    fits = min([layers, heads, *sizes]) > 0 and len(times) == len(person) == sum(sizes)
    if not fits or weights.shape != (layers * heads * sum(n * n for n in sizes),):
        raise ValueError("the windows of attention do not fit one another")
    if not all(np.isfinite(a).all() for a in (times, weights, arrays["window_times"])):
        raise ValueError("attention must be finite")
    if max(sizes) > _MOST_SEQUENCES:
        raise ValueError(
            f"{max(sizes)} short sequences in one window, expected {_MOST_SEQUENCES} at most"
        )
    windows, row, cell = [], 0, 0
    for key, n in zip(arrays["window_times"].tolist(), sizes, strict=True):
        block = weights[cell : cell + layers * heads * n * n].astype(np.float32)
        windows.append(
            (
                key,
                Attention(
                    block.reshape(layers, heads, n, n), times[row : row + n], person[row : row + n]
                ),
            )
        )
        row, cell = row + n, cell + layers * heads * n * n
    return tuple(windows)
