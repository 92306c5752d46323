"""What the page's script draws: people over time, the arcs between them, and short skeletons."""

from __future__ import annotations

import json

import numpy as np

from app.attention_view import said
from skeletr.actions import ActionLog, Attention, Status
from skeletr.overlay import person_hex
from skeletr.overlay.draw import ARCS_EACH
from skeletr.overlay.palette import person_color, text_color
from skeletr.recording import Recording
from skeletr.skeleton import COCO_LIMBS

_STEP = 0.1  # seconds between two places of a person, at least
_MOST = 20_000  # places that are sent
_POSES = 8  # per short sequence
_GAP = 0.2  # seconds from a pose to the nearest observation, at most
_UNITS = 200  # the side of the square that a skeleton is drawn in
_MARGIN = 0.12
_SCORE = 0.1  # joints at or below it are not drawn


def scene(recording: Recording, log: ActionLog) -> str:
    """JSON: where everybody is, at regular times; `boxes` are x1 y1 x2 y2 in pixels or null."""
    people = recording.people
    duration = recording.end - recording.start
    step = max(_STEP, duration * max(len(people), 1) / _MOST)
    frames = np.diff(recording.frame_times)
    return _text(
        {
            "size": list(recording.image_size),
            "frame": round(float(np.median(frames)), 4) if len(frames) else 0.04,
            "start": recording.start,
            "step": round(step, 4),
            "interval": log.interval,
            "people": {str(p): _person(recording, p, step) for p in people},
        }
    )


def arcs(log: ActionLog, layer: int | None, head: int | None) -> str:
    """JSON: person by person, how much they look at one another, in every window that is kept.

    `each`: arcs from one person, at most.
    """
    found = [(time, *a.between_people(layer, head)) for time, a in log.attention if len(a.times)]
    return _text(
        {
            "each": ARCS_EACH,
            "times": [round(time, 3) for time, _, _ in found],
            "people": [people for _, people, _ in found],
            "weights": [np.round(weights, 3).tolist() for _, _, weights in found],
        }
    )


def window(
    recording: Recording,
    log: ActionLog,
    key: float,
    attention: Attention | None,
    weights: np.ndarray | None,
) -> str:
    """JSON: the sequences of one window, with their skeletons, and the map that is shown.

    Args:
        log: what was decided about them. key: seconds of the window's newest key frame.
        weights: (M', M') of the map, None where there is none.
    """
    spots = [] if attention is None else zip(attention.times, attention.person, strict=True)
    return _text(
        {
            "key": round(key, 3),
            "limbs": [list(limb) for limb in COCO_LIMBS],
            "spots": [_spot(recording, log, float(t), int(p)) for t, p in spots],
            "weights": [] if weights is None else np.round(weights, 4).tolist(),
        }
    )


def _person(recording: Recording, person: int, step: float) -> dict:
    rows = np.flatnonzero(recording.person == person)
    times = recording.times[rows]
    first = int(np.floor((times[0] - recording.start) / step))
    last = int(np.ceil((times[-1] - recording.start) / step))
    grid = recording.start + step * np.arange(first, last + 1)
    boxes = [
        None if row is None else recording.boxes[row].round().astype(int).tolist()
        for row in _near(times, rows, grid, max(step, _GAP))
    ]
    return _colors(person) | {"first": first, "boxes": boxes}


def _near(times: np.ndarray, rows: np.ndarray, grid: np.ndarray, reach: float) -> list[int | None]:
    """The row of the observation nearest to each time of the grid, if it is within reach."""
    after = np.clip(np.searchsorted(times, grid), 1, max(len(times) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(times) - 1)
    nearer = np.where(grid - times[before] <= times[after] - grid, before, after)
    close = np.abs(times[nearer] - grid) <= reach
    return [int(rows[i]) if ok else None for i, ok in zip(nearer, close, strict=True)]


def _spot(recording: Recording, log: ActionLog, time: float, person: int) -> dict:
    prediction = said(log, person, time)
    sure = prediction is not None and prediction.status is Status.OK
    return _colors(person) | {
        "time": round(time, 3),
        "person": person,
        "label": prediction.text if prediction else "not judged",
        "score": round(prediction.score, 3) if sure else None,
        "poses": _poses(recording, time, person, log.interval),
    }


def _poses(recording: Recording, time: float, person: int, reach: float) -> list:
    """Skeletons from `reach` seconds before to as much after, in one square of `_UNITS`.

    Each is 17 points or nulls, or null where the person is not seen; the middle one is that of
    the key frame.
    """
    rows = np.flatnonzero(recording.person == person)
    if not len(rows):
        return []
    grid = time + np.linspace(-reach, reach, _POSES + 1)
    found = _near(recording.times[rows], rows, grid, _GAP)
    points = np.array([np.zeros((17, 3)) if r is None else recording.keypoints[r] for r in found])
    seen = points[..., 2] > _SCORE
    if not seen.any():
        return []
    low, high = points[seen][:, :2].min(axis=0), points[seen][:, :2].max(axis=0)
    side = max(float((high - low).max()), 1.0) * (1 + 2 * _MARGIN)
    placed = (points[..., :2] - (low + high) / 2) / side * _UNITS + _UNITS / 2
    return [
        [[round(x), round(y)] if ok else None for (x, y), ok in zip(pose, there, strict=True)]
        if there.any()
        else None
        for pose, there in zip(placed.tolist(), seen, strict=True)
    ]


def _colors(person: int) -> dict:
    red, green, blue = text_color(person_color(person))
    return {"color": person_hex(person), "ink": f"#{red:02x}{green:02x}{blue:02x}"}


def _text(value: dict) -> str:
    """JSON that is harmless within HTML."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
