"""Two people made from clips of one: what somebody does is done to somebody.

Few clips show two people, and there the two always interact. So the pool's single people are
put face to face: a kick that reaches the other one is "kick someone", a wave at somebody stays a
wave, hands that meet are a handshake, and two people who just stand there do nothing. What it is
follows from both together. They may walk up to each other before it and away after it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skeletr.datasets.actors import Actor, Body, blend, embody
from skeletr.datasets.camera import Camera
from skeletr.datasets.meetings import HITS, MEETINGS, point
from skeletr.datasets.motion import Span
from skeletr.datasets.pool import TakePool
from skeletr.datasets.two_people import (
    Two,
    cast,
    grown,
    hips,
    shifted,
    shoot,
    shoot_one,
    tall,
    turned,
)
from skeletr.datasets.vocabulary import COME, GO, INTERACTIONS, STAND

# What one person does -> what it is when it reaches somebody.
_BLOWS = {
    "kick": "kick someone",
    "punch the air": "punch someone",
    "push an object": "push someone",
}
_GESTURES = ("wave", "beckon", "signal to stop", "clap", "bow", STAND)
_POINT = "point"
_WALK = "walk"
_COME, _LEAVE = 0.4, 0.3  # shares of the acts before which they walk up, after which they part
_BOTH = 0.45  # chance that both of them walk
_ALONE = 0.5  # of those who point: nobody else is there
_TIPS = (9, 10, 15, 16)  # wrists and ankles: what a blow lands with
_LONG_ENOUGH = 0.5  # seconds for which somebody who leaves is seen


def can_stage(pool: TakePool) -> bool:
    """Whether the pool has what any plot needs: somebody who stands, in three dimensions."""
    return STAND in pool.spatial_labels()


def stage(pool: TakePool, times: np.ndarray, camera: Camera, rng: np.random.Generator) -> Actor:
    """Two people at scene times (T,) before a camera: a meeting, a blow, a gesture, or coming and
    going; sometimes one, who points."""
    there = pool.spatial_labels()
    draw = rng.random()
    if draw < 0.62:
        return shoot(_act(pool, times, rng), times, camera, rng)
    if _WALK in there and draw < 0.76:
        return shoot(_come_or_go(cast(pool, _WALK, times, rng), times, rng), times, camera, rng)
    if draw < 0.86:
        two = point(cast(pool, STAND, times, rng), times, rng)
        alone = rng.random() < _ALONE
        return shoot_one(two.doer, times, camera, rng) if alone else shoot(two, times, camera, rng)
    gestures = [label for label in _GESTURES if label in there]
    two = cast(pool, gestures[rng.integers(len(gestures))], times, rng)
    away = float(rng.uniform(0.6, 1.8))
    return shoot(replace(two, other=shifted(two.other, away)), times, camera, rng)


def _act(pool: TakePool, times: np.ndarray, rng: np.random.Generator) -> Two:
    """What two people do with each other; before it they may come, and after it go."""
    there = pool.spatial_labels()
    labels = [*MEETINGS, *(label for label in _BLOWS.values() if _can(label, there))]
    label = labels[rng.integers(len(labels))]
    if _WALK not in there or rng.random() >= _COME:
        two = _plot(pool, label, times, rng)
    else:
        two = _come_for(pool, label, times, rng)
    if _WALK in there and rng.random() < _LEAVE:
        two = _part(pool, two, times, rng)
    return two


def _can(label: str, there: frozenset[str]) -> bool:
    return label in HITS or any(name == label and act in there for act, name in _BLOWS.items())


def _plot(pool: TakePool, label: str, times: np.ndarray, rng: np.random.Generator) -> Two:
    if label in MEETINGS:
        return MEETINGS[label](cast(pool, STAND, times, rng), times, rng)
    there = pool.spatial_labels()
    recorded = [blow for blow, name in _BLOWS.items() if name == label and blow in there]
    if recorded and (label not in HITS or rng.random() < 0.5):
        return _blow(cast(pool, recorded[0], times, rng), times, rng)
    return HITS[label](cast(pool, STAND, times, rng), times, rng)


def _blow(two: Two, times: np.ndarray, rng: np.random.Generator) -> Two:
    """The other one stands where the doer's hand or foot gets to, and may give way to it."""
    farthest = two.doer.points[0, :, _TIPS, 0].max(axis=0)  # (T,)
    hit = float(times[int(farthest.argmax())])
    back = float(rng.uniform(0, 0.35)) * np.clip((times - hit) / 0.3, 0, 1)
    other = shifted(two.other, float(farthest.max()) + float(rng.uniform(-0.1, 0.25)) + back)
    spans = tuple(replace(s, label=_BLOWS.get(s.label, s.label)) for s in two.doer.spans)
    return Two(two.doer, other).with_spans(spans)


def _come_for(pool: TakePool, label: str, times: np.ndarray, rng: np.random.Generator) -> Two:
    """Walking up to somebody, then what they came for."""
    begin = float(rng.uniform(0.25, 0.6)) * float(times[-1])
    # What happens at times after `begin` only; before it, the first moments are held.
    later = np.concatenate([times[times >= begin] - begin, [float(times[-1]) - begin + 1e-3]])
    act = _plot(pool, label, later, rng)
    first = int((times < begin).sum())
    spans = (Span(COME, 0.0, begin),)
    bodies = []
    for body, looks, walks in ((act.doer, 1, True), (act.other, -1, rng.random() < _BOTH)):
        held = _held(body, first, begin)
        if walks:
            held = _walking(pool, held, times, begin, looks, rng, before=True)
        bodies.append(replace(held, spans=(*spans, *held.spans)))
    return Two(*bodies)


def _part(pool: TakePool, two: Two, times: np.ndarray, rng: np.random.Generator) -> Two:
    """After what they did, one of them or both turn round and walk away."""
    last = float(times[-1])
    done = max(
        (s.end for s in two.doer.spans if s.label in INTERACTIONS - {COME, GO}), default=last
    )
    if done > last - _LONG_ENOUGH:
        return two
    who = rng.random()
    bodies = []
    for body, looks, leaves in (
        (two.doer, 1, who > 0.3),
        (two.other, -1, who < 0.3 or who > 1 - _BOTH),
    ):
        if leaves:
            body = _walking(pool, body, times, done, -looks, rng, before=False)
        kept = (replace(s, end=min(s.end, done)) for s in body.spans if s.start < done)
        bodies.append(replace(body, spans=(*kept, Span(GO, done, last + 1))))
    return Two(*bodies)


def _walking(
    pool: TakePool,
    body: Body,
    times: np.ndarray,
    moment: float,
    looks: int,
    rng: np.random.Generator,
    *,
    before: bool,
) -> Body:
    """The same, who walks before `moment`, or after it, along +x or -x, as `looks` says."""
    heading = 0.0 if looks > 0 else 180.0
    walker = grown(embody(pool.spatial(rng, _WALK), times, rng), tall(body))
    walker = turned(walker, heading + float(rng.normal(0, 6)))
    place = hips(body)[int(np.argmin(np.abs(times - moment)))]
    long = moment if before else float(times[-1]) - moment
    speed = min(float(rng.uniform(0.5, 1.5)), 3.0 / max(long, 0.1))
    since = np.clip(times - moment, None, 0) if before else np.clip(times - moment, 0, None)
    walker = shifted(walker, place[0] + looks * speed * since, place[2])
    walks, does = (walker.points, walker.seen), (body.points, body.seen)
    pair = (walks, does) if before else (does, walks)
    points, seen = blend(*pair, times, moment)
    return replace(body, points=points, seen=seen)


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


def _come_or_go(two: Two, times: np.ndarray, rng: np.random.Generator) -> Two:
    """Walking up to somebody who stands there, or away from them."""
    speed = min(float(rng.uniform(0.5, 1.5)), 3.0 / float(times[-1]))
    near = float(rng.uniform(0.45, 1.1))
    comes = rng.random() < 0.5
    far = near + speed * (times[-1] - times if comes else times)
    doer = two.doer if comes else turned(two.doer, 180.0)
    spans = (Span(COME if comes else GO, 0.0, float(times[-1])),)
    return Two(shifted(doer, -far), two.other).with_spans(spans)
