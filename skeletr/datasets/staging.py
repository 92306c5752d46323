"""Two people made from clips of one: what somebody does is done to somebody.

Few clips show two people, and there the two always interact. So the pool's single people are
put face to face: a kick that reaches the other one is "kick someone", a wave at somebody stays a
wave, and two people who just stand there do nothing. What it is follows from both together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skeletr.datasets.actors import Actor, Body, blend, embody, on_plane
from skeletr.datasets.camera import Camera, facing, project
from skeletr.datasets.motion import Span
from skeletr.datasets.pool import TakePool
from skeletr.datasets.vocabulary import COME, GO, STAND

# What one person does -> what it is when it reaches somebody.
_BLOWS = {
    "kick": "kick someone",
    "punch the air": "punch someone",
    "push an object": "push someone",
}
_GESTURES = ("wave", "point", "beckon", "signal to stop", "clap", "bow", STAND)
_WALK = "walk"
_COMES_FIRST = 0.35  # share of the blows before which the doer walks up
_TIPS = (9, 10, 15, 16)  # wrists and ankles: what a blow lands with


@dataclass(frozen=True)
class _Two:
    """The doer, who looks along +x with the hips at 0, and the other one, who looks back."""

    doer: Body
    other: Body


def can_stage(pool: TakePool) -> bool:
    """Whether the pool has what any plot needs: somebody who stands, in three dimensions."""
    return STAND in pool.spatial_labels()


def stage(pool: TakePool, times: np.ndarray, camera: Camera, rng: np.random.Generator) -> Actor:
    """Two people at scene times (T,) before a camera: a blow, a gesture, or coming and going."""
    there = pool.spatial_labels()
    blows = [label for label in _BLOWS if label in there]
    gestures = [label for label in _GESTURES if label in there]
    draw = rng.random()
    if blows and draw < 0.55:
        blow = blows[rng.integers(len(blows))]
        if _WALK in there and rng.random() < _COMES_FIRST:
            return _shoot(_come_for(pool, blow, times, rng), times, camera, rng)
        return _shoot(_blow(_cast(pool, blow, times, rng), times, rng), times, camera, rng)
    if _WALK in there and draw < 0.75:
        two = _cast(pool, _WALK, times, rng)
        return _shoot(_come_or_go(two, times, rng), times, camera, rng)
    two = _cast(pool, gestures[rng.integers(len(gestures))], times, rng)
    away = float(rng.uniform(0.6, 1.8))
    return _shoot(replace(two, other=_shifted(two.other, away)), times, camera, rng)


def _cast(pool: TakePool, label: str, times: np.ndarray, rng: np.random.Generator) -> _Two:
    doer = _turned(embody(pool.spatial(rng, label), times, rng), float(rng.normal(0, 12)))
    other = _turned(embody(pool.spatial(rng, STAND), times, rng), 180 + float(rng.normal(0, 20)))
    return _Two(doer, other)


def _blow(two: _Two, times: np.ndarray, rng: np.random.Generator) -> _Two:
    """The other one stands where the doer's hand or foot gets to, and may give way to it."""
    reach = two.doer.points[0, :, _TIPS, 0].max(axis=0)  # (T,)
    hit = float(times[int(reach.argmax())])
    back = float(rng.uniform(0, 0.35)) * np.clip((times - hit) / 0.3, 0, 1)
    other = _shifted(two.other, float(reach.max()) + float(rng.uniform(-0.1, 0.25)) + back)
    spans = tuple(replace(s, label=_BLOWS.get(s.label, s.label)) for s in two.doer.spans)
    return _Two(replace(two.doer, spans=spans), replace(other, spans=spans))


def _come_for(pool: TakePool, blow: str, times: np.ndarray, rng: np.random.Generator) -> _Two:
    """Walking up to somebody who stands there, then a blow."""
    begin = float(rng.uniform(0.25, 0.6)) * float(times[-1])
    # What happens at times after `begin` only; before it, the clip's first moments are held.
    later = np.concatenate([times[times >= begin] - begin, [float(times[-1]) - begin + 1e-3]])
    hit = _blow(_cast(pool, blow, later, rng), later, rng)
    first = int((times < begin).sum())
    doer, other = (_held(body, first, begin) for body in (hit.doer, hit.other))
    walker = _turned(embody(pool.spatial(rng, _WALK), times, rng), 0.0)
    speed = min(float(rng.uniform(0.5, 1.5)), 3.0 / begin)
    walker = _shifted(walker, -speed * np.clip(begin - times, 0, None))
    joints = (walker.points, walker.seen), (doer.points, doer.seen)
    mixed, seen = blend(*joints, times, begin)
    spans = (Span(COME, 0.0, begin), *doer.spans)
    return _Two(replace(doer, points=mixed, seen=seen, spans=spans), replace(other, spans=spans))


def _held(body: Body, frames: int, seconds: float) -> Body:
    """The same, later: its first moment is held for so many frames and seconds before it.

    The last frame, which is one too many, is left out.
    """
    points, seen = body.points[:, :-1], body.seen[:, :-1]
    return replace(
        body,
        points=np.concatenate([np.repeat(points[:, :1], frames, axis=1), points], axis=1),
        seen=np.concatenate([np.repeat(seen[:, :1], frames, axis=1), seen], axis=1),
        spans=tuple(
            replace(s, start=max(s.start, 0.0) + seconds, end=s.end + seconds)
            for s in body.spans
            if s.end > 0
        ),
    )


def _come_or_go(two: _Two, times: np.ndarray, rng: np.random.Generator) -> _Two:
    """Walking up to somebody who stands there, or away from them."""
    speed = min(float(rng.uniform(0.5, 1.5)), 3.0 / float(times[-1]))
    near = float(rng.uniform(0.45, 1.1))
    comes = rng.random() < 0.5
    far = near + speed * (times[-1] - times if comes else times)
    doer = two.doer if comes else _turned(two.doer, 180.0)
    spans = (Span(COME if comes else GO, 0.0, float(times[-1])),)
    return _Two(replace(_shifted(doer, -far), spans=spans), replace(two.other, spans=spans))


def _shoot(two: _Two, times: np.ndarray, camera: Camera, rng: np.random.Generator) -> Actor:
    points = np.concatenate([two.doer.points, two.other.points])
    seen = np.concatenate([two.doer.seen, two.other.seen])
    height = (two.doer.height + two.other.height) / 2
    xy = project(points, camera) / height
    return on_plane(xy, seen, (two.doer.spans, two.other.spans), times, rng)


def _turned(body: Body, degrees: float) -> Body:
    """On the floor at the origin, looking along +x, then turned by `degrees` about the vertical."""
    points = body.points[:1]
    hips = np.median(points[..., [11, 12], :].mean(axis=2), axis=(0, 1))
    floor = float(np.median(points[..., [15, 16], 1].max(axis=-1)))
    points = points - (hips[0], floor, hips[2])
    heading = facing(points).mean(axis=(0, 1))
    angle = np.arctan2(heading[2], heading[0]) - np.deg2rad(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
    return replace(body, points=(points @ turn).astype(np.float32), seen=body.seen[:1])


def _shifted(body: Body, x: float | np.ndarray) -> Body:
    """Moved along x by metres, a number or one for each of the (T,) frames."""
    points = body.points.copy()
    points[..., 0] += np.asarray(x, np.float32).reshape(-1, 1)
    return replace(body, points=points)
