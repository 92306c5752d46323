"""What people do before a webcam, acted by bodies that were recorded while they merely stood.

A data set has an everyday action from a dozen people, each doing it in one way. Here a hand that
waves may be high or low, fast or slow, the left one or both; somebody who squats has the arms
anywhere. The ranges are wide on purpose; what they must keep is what makes it that action.

Lengths are in torsos (hips to shoulders), times in seconds, angles in radians.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from skeletr.datasets.actors import HEIGHT_IN_TORSOS, Body
from skeletr.datasets.moments import envelope, place_in_time, spans_of
from skeletr.datasets.reaching import LEFT, RIGHT, ahead_of, beside, crouch, lean, reach
from skeletr.datasets.vocabulary import SIT, STAND
from skeletr.synthetic.motion import through

_BOTH = (LEFT, RIGHT)


@dataclass(frozen=True)
class _Stage:
    """Whose body it is, in metres (T, 17, 3), when, and the chances."""

    points: np.ndarray
    torso: float
    times: np.ndarray
    rng: np.random.Generator

    def draw(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def hand(self) -> int:
        return int(self.rng.random() < 0.7)  # most people are right-handed

    def hands(self, both: float) -> tuple[int, ...]:
        return _BOTH if self.rng.random() < both else (self.hand(),)

    def when(self, low: float, high: float) -> tuple[float, float]:
        """Begin and end; now and then it has begun before, or goes on after."""
        return place_in_time(self.times, self.draw(low, high), self.rng, cut=0.4, most=0.5)

    def held(self, begin: float, end: float, rise: float, fall: float) -> np.ndarray:
        """(T,) from 0 at `begin` to 1 and back to 0 at `end`."""
        return envelope(self.times, begin, end, rise, fall)

    def swing(self, rate: float) -> np.ndarray:
        """(T,) from -1 to 1 and back, so many times a second."""
        return np.sin(2 * np.pi * rate * self.times + self.draw(0, 2 * np.pi))

    def at(self, points: np.ndarray, side: int, *place: float | np.ndarray) -> np.ndarray:
        """(T, 3) a place seen from a shoulder: forward, outward and up, in torsos."""
        return beside(points, side, *(np.asarray(p) * self.torso for p in place))


Acted = tuple[np.ndarray, float, float]  # points (T, 17, 3), begin and end of the action


def _wave(on: _Stage) -> Acted:
    begin, end = on.when(1.0, 4.5)
    held = on.held(begin, end, on.draw(0.25, 0.6), on.draw(0.25, 0.6))
    points = on.points
    swing = on.swing(on.draw(0.8, 3.0)) * on.draw(0.12, 0.5)
    for side in on.hands(0.15):
        out, up = on.draw(0.1, 0.8), on.draw(-0.1, 1.05)
        target = on.at(points, side, on.draw(0.15, 0.6), out + swing, up - 0.2 * np.abs(swing))
        points = reach(points, side, target, held)
    return points, begin, end


def _clap(on: _Stage) -> Acted:
    begin, end = on.when(0.9, 4.5)
    held = on.held(begin, end, on.draw(0.25, 0.5), on.draw(0.25, 0.5))
    widest = on.draw(0.2, 0.8)
    apart = 0.06 + widest * (0.5 + 0.5 * on.swing(on.draw(1.0, 4.0)))
    forward, up = on.draw(0.4, 0.9), on.draw(-0.7, 0.3)
    points = on.points
    chest = (points[:, 5] + points[:, 6]) / 2
    for side in _BOTH:
        half = np.linalg.norm(points[:, 5 + side] - chest, axis=-1) / on.torso
        points = reach(points, side, on.at(points, side, forward, apart / 2 - half, up), held)
    return points, begin, end


def _raise_a_hand(on: _Stage) -> Acted:
    begin, end = on.when(1.0, 4.0)
    held = on.held(begin, end, on.draw(0.3, 0.8), on.draw(0.3, 0.8))
    side = on.hand()
    place = on.draw(0.0, 0.5), on.draw(-0.1, 0.35), on.draw(0.9, 1.5)
    return reach(on.points, side, on.at(on.points, side, *place), held), begin, end


def _to_the_head(on: _Stage, at: tuple[float, float, float], lasts: tuple[float, float]) -> Acted:
    """A hand stays at a place seen from the nose: forward, outward, up; see `at`."""
    begin, end = on.when(*lasts)
    held = on.held(begin, end, on.draw(0.35, 0.8), on.draw(0.35, 0.8))
    side = on.hand()
    target = beside(on.points, side, *(a * on.torso for a in at), joint=0)
    return reach(on.points, side, target, held), begin, end


def _drink(on: _Stage) -> Acted:
    mouth = on.draw(0.1, 0.3), on.draw(0.0, 0.15), on.draw(-0.3, -0.08)
    points, begin, end = _to_the_head(on, mouth, (1.0, 3.5))
    back = on.draw(0.0, 0.25) * on.held(begin + 0.3, end, 0.5, 0.5)  # the head tips back
    return _nod(points, -back), begin, end


def _phone_call(on: _Stage) -> Acted:
    ear = on.draw(-0.12, 0.1), on.draw(0.12, 0.3), on.draw(-0.15, 0.08)
    return _to_the_head(on, ear, (1.5, 6.0))


def _check_the_watch(on: _Stage) -> Acted:
    begin, end = on.when(1.0, 3.0)
    held = on.held(begin, end, on.draw(0.3, 0.7), on.draw(0.3, 0.7))
    side = 1 - on.hand()
    place = on.draw(0.4, 0.65), on.draw(-0.5, -0.1), on.draw(-0.55, -0.05)
    points = reach(on.points, side, on.at(on.points, side, *place), held)
    return _nod(points, on.draw(0.1, 0.5) * held), begin, end


def _bow(on: _Stage) -> Acted:
    begin, end = on.when(1.0, 3.0)
    rise = on.draw(0.35, 0.5) * (end - begin)
    down = on.held(begin, end, rise, rise)
    return lean(on.points, on.draw(0.4, 1.5) * down), begin, end


def _pick_up(on: _Stage) -> Acted:
    begin, end = on.when(1.2, 3.2)
    rise = on.draw(0.3, 0.45) * (end - begin)
    down = on.held(begin, end, rise, rise)
    knees = on.draw(0.1, 1.0)
    points = crouch(on.points, knees * on.torso * down, 0.4 * knees * on.torso * down)
    points = lean(points, (on.draw(1.0, 1.6) - 0.6 * knees) * down)
    floor = on.points[:, [15, 16]].mean(axis=1)
    ahead = ahead_of(on.points)
    for side in on.hands(0.4):
        aim = floor + on.torso * (on.draw(0.1, 0.6) * ahead - (0, on.draw(0.0, 0.35), 0))
        points = reach(points, side, aim, down**2)
    return points, begin, end


def _squat(on: _Stage) -> Acted:
    begin, end = on.when(1.6, 6.5)
    held = on.held(begin, end, 0.3, 0.3)
    deep = on.draw(0.4, 1.0)  # of the way to where the thighs are level
    down = deep * held * (0.5 - 0.5 * np.cos(2 * np.pi * on.draw(0.3, 0.75) * (on.times - begin)))
    thigh = on.torso * 0.85
    points = crouch(on.points, thigh * down, on.draw(0.3, 0.8) * thigh * down)
    points = lean(points, on.draw(0.2, 0.8) * down)
    return _arms(on, points, np.maximum(held * on.rng.integers(2), down / deep)), begin, end


def _arms(on: _Stage, points: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Somewhere people have their arms when they squat: ahead, at the chest, the head, or down."""
    kind = on.rng.choice(4, p=[0.4, 0.25, 0.15, 0.2])
    if kind == 3:
        return points
    low, high = [
        ((0.9, -0.2, -0.25), (1.3, 0.1, 0.15)),
        ((0.25, -0.35, -0.35), (0.5, -0.1, 0.05)),
        ((-0.1, 0.05, 0.3), (0.2, 0.3, 0.6)),
    ][kind]
    place = on.rng.uniform(low, high)
    for side in _BOTH:
        points = reach(points, side, on.at(points, side, *place), weight)
    return points


def _lift_a_barbell(on: _Stage) -> Acted:
    """From the floor to the shoulders and overhead; scenes show some of it, at times all."""
    steps = [on.draw(0.3, 1.0), on.draw(0.5, 1.0), on.draw(0.3, 2.5), on.draw(0.3, 0.8)]
    moments = np.cumsum([0.0, *steps, on.draw(0.8, 3.5)])  # down, up, shoulders, out, held
    total = float(on.times[-1])
    begin = on.draw(min(0.0, 0.6 * total - moments[-1]), max(0.0, 0.3 * total))
    floor, pulled, rested, out, end = begin + moments[1:]
    down = through(on.times, [(begin, 0), (floor, 1), (pulled, 0)])
    deep = on.draw(0.4, 0.9) * on.torso
    points = crouch(on.points, deep * down, 0.5 * deep * down)
    points = lean(points, on.draw(0.5, 1.0) * down)
    wide = on.draw(0.0, 0.5)
    low, chest, high = (
        (0.15, wide, -1.25),
        (on.draw(0.1, 0.3), wide - 0.05, on.draw(-0.15, 0.1)),
        (on.draw(-0.05, 0.15), wide, 1.5),
    )
    place = through(
        on.times,
        [(floor, low), ((floor + pulled) / 2, low), (pulled, chest), (rested, chest), (out, high)],
    )
    held = on.held(begin, end + 0.8, 0.3, 0.8)
    for side in _BOTH:
        points = reach(points, side, on.at(points, side, *place.T), held)
    return points, begin, end


def _sit(on: _Stage, share: np.ndarray) -> np.ndarray:
    """On a chair, as far as `share` (T,) says; on the way the back is bent forward."""
    thigh = on.draw(0.65, 0.9) * on.torso
    back = on.draw(0.6, 1.0)
    points = crouch(on.points, thigh * share, back * thigh * share)
    points = lean(points, on.draw(0.3, 1.0) * share * (1 - share) * 4 + on.draw(-0.1, 0.15) * share)
    if on.rng.random() < 0.7:  # hands on the thighs
        for side in _BOTH:
            points = reach(points, side, _thigh(points, side, on.draw(0.4, 0.9)), share)
    return points


def _thigh(points: np.ndarray, side: int, share: float) -> np.ndarray:
    """(T, 3) so far along a thigh."""
    return (1 - share) * points[:, 11 + side] + share * points[:, 13 + side]


def _sit_down(on: _Stage) -> Acted:
    begin, end = on.when(0.8, 2.2)
    return _sit(on, through(on.times, [(begin, 0.0), (end, 1.0)])), begin, end


def _stand_up(on: _Stage) -> Acted:
    begin, end = on.when(0.8, 2.2)
    return _sit(on, through(on.times, [(begin, 1.0), (end, 0.0)])), begin, end


def _stand(on: _Stage) -> Acted:
    """Ways to stand: arms crossed, hands on the hips, before or behind the body, at the chin."""
    places = [
        ((0.25, -0.75, -0.55), (0.45, -0.5, -0.3)),
        ((0.0, 0.05, -1.05), (0.15, 0.3, -0.8)),
        ((0.2, -0.5, -1.1), (0.45, -0.3, -0.6)),
        ((-0.35, -0.5, -1.1), (-0.15, -0.3, -0.8)),
        ((0.15, -0.3, 0.1), (0.3, -0.1, 0.3)),
    ]
    kind = int(on.rng.integers(len(places)))
    low, high = places[kind]
    begin, end = -10.0, float(on.times[-1]) + 10.0
    held = np.ones(len(on.times))
    if on.rng.random() < 0.25:  # takes that pose now, or leaves it
        change = on.draw(0.2, 0.8) * float(on.times[-1])
        ends = (0.0, 1.0) if on.rng.random() < 0.5 else (1.0, 0.0)
        held = through(on.times, [(change, ends[0]), (change + on.draw(0.5, 1.0), ends[1])])
    points = on.points
    for side in on.hands(0.9) if kind < 4 else (on.hand(),):
        target = on.at(points, side, *on.rng.uniform(low, high))
        points = reach(points, side, target, held)
    return points, begin, end


def _nod(points: np.ndarray, radians: np.ndarray) -> np.ndarray:
    """The nose goes down and back with the head, about the neck."""
    neck = (points[:, 5] + points[:, 6]) / 2
    bent = lean(_about(points, neck), radians)[:, 0]
    out = points.copy()
    out[:, 0] = bent
    return out


def _about(points: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """The same with the hips at `centre`, (T, 3), so that a bend is about it."""
    out = points.copy()
    out[:, [11, 12]] = centre[:, None]
    return out


_ACTS: dict[str, Callable[[_Stage], Acted]] = {
    "wave": _wave,
    "clap": _clap,
    "raise a hand": _raise_a_hand,
    "drink": _drink,
    "phone call": _phone_call,
    "check the watch": _check_the_watch,
    "bow": _bow,
    "pick something up": _pick_up,
    "squat": _squat,
    "lift a barbell": _lift_a_barbell,
    "sit down": _sit_down,
    "stand up": _stand_up,
    STAND: _stand,
}
ACTED: frozenset[str] = frozenset(_ACTS)
# What there is before and after it.
_RESTS = {"sit down": (STAND, SIT), "stand up": (SIT, STAND)}


def acted(label: str, body: Body, times: np.ndarray, rng: np.random.Generator) -> Body:
    """The same body, which stands there, doing `label`, one of `ACTED`, at scene times (T,)."""
    torso = body.height / HEIGHT_IN_TORSOS
    points, begin, end = _ACTS[label](_Stage(body.points[0], torso, times, rng))
    spans = spans_of(label, begin, end, times, _RESTS.get(label, (STAND, STAND)))
    return replace(body, points=points[None].astype(np.float32), spans=spans)
