"""A take as one camera sees it: people on a plane, in units of a standing person's height."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skeletr.datasets.camera import Camera, head_to_nose, project, travel
from skeletr.datasets.motion import Span, Take, torso_length
from skeletr.datasets.noise import wander
from skeletr.datasets.timeline import Performance, perform
from skeletr.skeleton import COCO_FLIP

HEIGHT_IN_TORSOS = 3.2  # a standing person, head to ankles, over shoulders to hips
_IN_PLACE = {"walk": (0.4, 1.7), "run": (1.0, 3.5)}  # metres per second when really going
_TURN = 0.3  # seconds from one thing that is done to the next
_FAR_SIDE = ((5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16))


@dataclass(frozen=True)
class Actor:
    """One person, or a pair, on the picture plane.

    xy: (P, T, 17, 2), x right, y down, in heights, the middle of the hips around 0.
    seen: (P, T, 17) bool. spans: for each person the labels, in seconds of the scene.
    """

    xy: np.ndarray
    seen: np.ndarray
    spans: tuple[tuple[Span, ...], ...]

    @property
    def extent(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest x and y of what is seen, (2,) each, in heights."""
        points = self.xy[self.seen]
        if not len(points):
            return np.full(2, -0.5), np.full(2, 0.5)
        return np.quantile(points, 0.02, axis=0), np.quantile(points, 0.98, axis=0)


@dataclass(frozen=True)
class Body:
    """A take on the clock of a scene, before any camera.

    points: (P, T, 17, D), metres where D = 3. seen: (P, T, 17) bool. height: of a standing
    person, in the unit of `points`. spans: labels in seconds of the scene.
    """

    points: np.ndarray
    seen: np.ndarray
    height: float
    spans: tuple[Span, ...]


def embody(take: Take, times: np.ndarray, rng: np.random.Generator) -> Body:
    """Let a take happen at scene times (T,), by somebody of another build."""
    return bodies(perform(take, float(times[-1]), tempo(rng), rng), times, rng)


def tempo(rng: np.random.Generator) -> float:
    """How much slower than in a clip something is done."""
    return float(np.exp(rng.uniform(np.log(0.8), np.log(1.25))))


def bodies(performance: Performance, times: np.ndarray, rng: np.random.Generator) -> Body:
    """A performance at scene times (T,), by somebody of another build."""
    points, seen = performance.sample(times)
    height = HEIGHT_IN_TORSOS * torso_length(performance.clip)
    if points.shape[-1] == 3:
        points = _in_space(points, height, rng)
    return Body(points, seen, height, performance.spans)


def act(take: Take, times: np.ndarray, camera: Camera, rng: np.random.Generator) -> Actor:
    """Let a take happen at scene times (T,) before a camera."""
    body = embody(take, times, rng)
    points, seen = body.points, body.seen
    if points.shape[-1] == 3:
        label = take.action.label
        if label in _IN_PLACE and len(points) == 1 and rng.random() < 0.4:
            points = travel(points, times, float(rng.uniform(*_IN_PLACE[label])))
        points = project(points, camera)
    else:
        points, seen = _in_plane(points, seen, rng)
    return on_plane(points / body.height, seen, (body.spans,) * len(points), times, rng)


def on_plane(
    xy: np.ndarray,
    seen: np.ndarray,
    spans: tuple[tuple[Span, ...], ...],
    times: np.ndarray,
    rng: np.random.Generator,
) -> Actor:
    """Somebody on the picture plane, hips around 0; nobody stands perfectly still.

    Args:
        xy: (P, T, 17, 2) in heights.
    """
    sway = 0.004 * float(rng.random()) * wander(times, (xy.shape[0], 17, 2), rng)
    xy = xy + sway.swapaxes(0, 1)
    hips = xy[..., [11, 12], :].mean(axis=2) if seen[..., [11, 12]].any() else xy.mean(axis=2)
    return Actor((xy - np.median(hips, axis=(0, 1))).astype(np.float32), seen, spans)


def then(first: Actor, second: Actor, times: np.ndarray, change: float) -> Actor:
    """One person who does one thing until `change` seconds and another thing after it."""
    xy, seen = blend((first.xy, first.seen), (second.xy, second.seen), times, change)
    before = (Span(s.label, s.start, min(s.end, change)) for s in first.spans[0])
    after = (Span(s.label, max(s.start, change), s.end) for s in second.spans[0])
    spans = tuple(s for s in (*before, *after) if s.end > s.start)
    return Actor(xy, seen, (spans,))


Joints = tuple[np.ndarray, np.ndarray]  # points (P, T, 17, D) and seen (P, T, 17)


def blend(first: Joints, second: Joints, times: np.ndarray, change: float) -> Joints:
    """From one movement to another in `_TURN` seconds around `change`; what is seen in one of the
    two only is not mixed."""
    weight = np.clip((times - change) / _TURN + 0.5, 0, 1)[None, :, None].astype(np.float32)
    weight = np.where(first[1] & second[1], weight, (weight > 0.5).astype(np.float32))
    points = (1 - weight[..., None]) * first[0] + weight[..., None] * second[0]
    return points, np.where(weight < 0.5, first[1], second[1])


def mirror(actor: Actor) -> Actor:
    """As a mirrored webcam shows it: x turned round, left and right joints exchanged."""
    flip = list(COCO_FLIP)
    return Actor(actor.xy[:, :, flip] * (-1, 1), actor.seen[:, :, flip], actor.spans)


def _in_space(points: np.ndarray, height: float, rng: np.random.Generator) -> np.ndarray:
    """Changes in metres: the nose before the head, other bodies."""
    nose = float(rng.uniform(0.0, 0.075)), float(rng.uniform(-0.01, 0.05))
    points = head_to_nose(points, nose[0] * height, nose[1] * height)
    return _other_body(points, height, rng)


def _other_body(points: np.ndarray, height: float, rng: np.random.Generator) -> np.ndarray:
    """Wider or narrower shoulders and hips, and a different depth: sensors and people differ."""
    out = points.copy()
    for left, right in ((5, 6), (11, 12)):
        middle = (points[..., left, :] + points[..., right, :]) / 2
        factor = float(rng.uniform(0.85, 1.3))
        for joint in (left, right):
            moved = (factor - 1) * (points[..., joint, :] - middle)
            out[..., joint, :] += moved
    out[..., [11, 12], 1] += float(rng.uniform(-0.02, 0.03)) * height
    return out


def _in_plane(
    points: np.ndarray, seen: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Changes for 2D clips: a little roll and aspect; hidden far sides are often guessed."""
    roll = np.deg2rad(rng.normal(0, 4))
    turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    points = (points @ turn.T) * (float(np.exp(rng.normal(0, 0.08))), 1.0)
    if rng.random() < 0.6:
        points, seen = guess_far_side(points, seen)
    return points.astype(np.float32), seen


def guess_far_side(points: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where only one of a left and right joint is seen, put the other at the same place.

    Pose estimators give a hidden far arm or leg just beside the near one; labels by hand
    leave it out.
    """
    points, seen = points.copy(), seen.copy()
    for left, right in _FAR_SIDE:
        for hidden, near in ((left, right), (right, left)):
            fill = ~seen[..., hidden] & seen[..., near]
            points[fill, hidden] = points[fill, near]
            seen[fill, hidden] = True
    return points, seen
