"""Two people who touch, made from two who stand there: hands that meet, a hug, a push, a punch.

Recorded pairs are few (fourteen handshakes), so the network would learn those people instead of
what a handshake is. Here the arms of people who merely stand are led to where the other one is.
How far apart they are, how high the hands meet and how long it takes is drawn from wider ranges
than the recorded training pairs show (their 10 to 90 % quantiles: apart 2.2 to 3.1 torsos when
hands are shaken, 2.6 to 3.8 when something is handed over, 0.4 to 1.0 in a hug).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from skeletr.datasets.actors import HEIGHT_IN_TORSOS, Body
from skeletr.datasets.camera import facing
from skeletr.datasets.moments import envelope, place_in_time, spans_of
from skeletr.datasets.reaching import LEFT, RIGHT, arm_length, lean, reach
from skeletr.datasets.two_people import Two, hips, shifted
from skeletr.synthetic.motion import through

Plot = Callable[[Two, np.ndarray, np.random.Generator], Two]


def shake_hands(two: Two, times: np.ndarray, rng: np.random.Generator) -> Two:
    """One hand of each meets the other's between them, and they go up and down together."""
    torso = two.torso
    begin, end = _when(times, (1.1, 3.4), rng)
    held = envelope(times, begin, end, rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.7))
    gap = min(float(rng.uniform(2.0, 3.2)) * torso, _reach(two) + 0.1 * torso)
    two = Two(two.doer, shifted(two.other, gap))
    place = _between(two, float(rng.uniform(0.1, 0.85)), rng)
    shaken = envelope(times, begin + 0.3, end - float(rng.uniform(0.2, 1.0)), 0.2, 0.4)
    size, rate = float(rng.uniform(0.0, 0.18)) * torso, float(rng.uniform(1.4, 3.5))
    up_down = size * np.sin(2 * np.pi * rate * (times - begin)) * shaken
    place = place + up_down[:, None] * np.array([0.0, 1.0, 0.0])
    sides = (
        (RIGHT, RIGHT) if rng.random() < 0.85 else tuple(int(s) for s in rng.integers(2, size=2))
    )
    apart = np.array([rng.uniform(0.0, 0.18) * torso, 0, 0])  # wrists do not touch, hands do
    doer = _given(two.doer, sides[0], place - apart, held, rng.uniform(0, 0.2))
    other = _given(two.other, sides[1], place + apart, held, rng.uniform(0, 0.2))
    if rng.random() < 0.15:  # the other hand joins
        doer = _given(doer, 1 - sides[0], place - apart, held, 0.0)
    return Two(doer, other).with_spans(spans_of("shake hands", begin, end, times))


def hand_over(two: Two, times: np.ndarray, rng: np.random.Generator) -> Two:
    """One holds something out, the other takes it; both draw their hands back."""
    torso = two.torso
    begin, end = _when(times, (1.0, 2.4), rng)
    taken = begin + float(rng.uniform(0.4, 0.6)) * (end - begin)
    gap = min(float(rng.uniform(2.4, 3.8)) * torso, _reach(two) + 0.5 * torso)
    two = Two(two.doer, shifted(two.other, gap))
    place = _between(two, float(rng.uniform(0.2, 0.95)), rng)
    wait = float(rng.uniform(0.1, 0.4))  # both hands are at it for that long
    gives = envelope(times, begin, taken + wait + 0.5, taken - begin, rng.uniform(0.3, 0.5))
    late = begin + float(rng.uniform(0.0, 0.5)) * (taken - begin)
    takes = envelope(times, late, end, taken - late, max(end - taken - wait, 0.3))
    both = rng.random() < 0.2  # as of a box
    doer, other = two.doer, two.other
    before, after = rng.random() < 0.5, rng.random() < 0.5
    for side in _hands(both, rng):
        if before:  # it was held in front of the belly
            kept = 1 - envelope(times, taken, np.inf, 0.3, 0.3)
            doer = _given(doer, side, _belly(doer, torso), kept, 0.0)
        doer = _given(doer, side, place + _apart(side, both, 1, torso), gives, 0.0)
    for side in _hands(both, rng):
        if after:  # and is held there by the other one now
            kept = envelope(times, taken + wait, np.inf, 0.4, 0.3)
            other = _given(other, side, _belly(other, torso), kept, 0.0)
        other = _given(other, side, place + _apart(side, both, -1, torso), takes, 0.0)
    doer = _leaning(doer, gives * rng.uniform(0, 0.2))
    other = _leaning(other, takes * rng.uniform(0, 0.2))
    return Two(doer, other).with_spans(spans_of("hand over an object", begin, end, times))


def hug(two: Two, times: np.ndarray, rng: np.random.Generator) -> Two:
    """They step up to each other, put their arms around each other, and let go."""
    torso = two.torso
    begin, end = _when(times, (1.3, 3.8), rng)
    step, back = float(rng.uniform(0.4, 1.0)), float(rng.uniform(0.4, 0.9))
    far, near = float(rng.uniform(1.6, 3.0)) * torso, float(rng.uniform(0.45, 0.95)) * torso
    close = envelope(times, begin, end, step, back)
    share = float(rng.choice([1.0, 0.5, 0.75]))  # of the way that the doer goes
    aside = float(rng.uniform(-0.25, 0.25)) * torso  # heads go past each other
    doer = shifted(two.doer, share * (far - near) * close, aside * close)
    other = shifted(two.other, far - (1 - share) * (far - near) * close, -aside * close)
    held = envelope(times, begin + 0.3 * step, end, step, back)
    bent = held * rng.uniform(0.0, 0.25)
    doer, other = _leaning(doer, bent), _leaning(other, bent * rng.uniform(0.3, 1.0))
    high = int(rng.integers(2))  # which arm goes over the other's shoulder
    pair = (doer, other)
    held_by = [_around(pair[i], pair[1 - i], (1, -1)[i], high, held, torso, rng) for i in (0, 1)]
    return Two(*held_by).with_spans(spans_of("hug", begin, end, times))


def push(two: Two, times: np.ndarray, rng: np.random.Generator) -> Two:
    """The doer's hands go to the other's chest, who gives way."""
    torso = two.torso
    rise, fall = float(rng.uniform(0.18, 0.4)), float(rng.uniform(0.3, 0.6))
    hit = _moment(times, rise + 0.2, rng)
    other = _struck(_away(two, 1.4, 2.4, rng), times, hit, (0.1, 1.4), (0.0, 0.35), rng)
    out = envelope(times, hit - rise, hit + fall + 0.15, rise, fall)
    doer = _into_it(two, out, rng)
    height = float(rng.uniform(0.55, 1.05)) * torso
    for side in _hands(rng.random() < 0.85, rng):
        aim = hips(other) - (0.1 * torso, height, (0.18 if side == RIGHT else -0.18) * torso)
        doer = _given(doer, side, aim, out, 0.0)
    spans = spans_of("push someone", hit - rise - 0.15, hit + fall + 0.4, times)
    return Two(doer, other).with_spans(spans)


def punch(two: Two, times: np.ndarray, rng: np.random.Generator) -> Two:
    """The doer's fist goes to the other's head or chest, once or twice; the head goes back."""
    torso = two.torso
    rise, fall = float(rng.uniform(0.12, 0.3)), float(rng.uniform(0.18, 0.4))
    hit = _moment(times, rise + 0.3, rng)
    other = _struck(_away(two, 1.6, 2.6, rng), times, hit, (0.0, 0.8), (0.05, 0.5), rng)
    side = int(rng.integers(2))
    out = envelope(times, hit - rise, hit + fall, rise, fall)
    drawn = envelope(times, hit - 2 * rise - 0.25, hit, rise + 0.1, rise)
    again = rng.random() < 0.3
    last = hit + (fall + rise if again else 0.0)
    doer = _into_it(two, out, rng)
    if rng.random() < 0.5:  # a guard
        doer = _given(doer, 1 - side, _fist(doer, torso), envelope(times, hit - 0.7, last + 0.6), 0)
    if rng.random() < 0.6:  # drawn back before
        doer = _given(doer, side, _fist(doer, torso) - (0.3 * torso, 0, 0), drawn, 0.0)
    aim = hips(other) - (0.1 * torso, float(rng.uniform(0.7, 1.5)) * torso, 0.0)
    doer = _given(doer, side, aim, out, 0.0)
    if again:
        second = envelope(times, last - rise, last + fall, rise, fall)
        doer = _given(doer, 1 - side, aim, second, 0.0)
    spans = spans_of("punch someone", hit - rise - 0.25, last + fall + 0.35, times)
    return Two(doer, other).with_spans(spans)


def point(two: Two, times: np.ndarray, rng: np.random.Generator) -> Two:
    """The doer points somewhere, often at the other one, who just stands there."""
    torso = two.torso
    begin, end = _when(times, (0.9, 3.2), rng)
    held = envelope(times, begin, end, rng.uniform(0.25, 0.6), rng.uniform(0.25, 0.6))
    side = int(rng.integers(2))
    aside = 0.0 if rng.random() < 0.4 else float(rng.uniform(-20, 80)) * (1, -1)[side == RIGHT]
    angle, raised = np.deg2rad([aside, float(rng.normal(4, 14))])
    ahead = np.array([np.cos(angle), -np.sin(raised), np.sin(angle)])
    aim = two.doer.points[0, :, (5, 6)[side]] + 3 * torso * ahead
    doer = _given(two.doer, side, aim, held, rng.uniform(0.0, 0.08))
    other = shifted(two.other, float(rng.uniform(2.2, 6.0)) * torso)
    doer = replace(doer, spans=spans_of("point", begin, end, times))
    return Two(doer, other)


MEETINGS: dict[str, Plot] = {
    "shake hands": shake_hands,
    "hand over an object": hand_over,
    "hug": hug,
}
HITS: dict[str, Plot] = {"push someone": push, "punch someone": punch}


def _when(
    times: np.ndarray, lasts: tuple[float, float], rng: np.random.Generator
) -> tuple[float, float]:
    """Begin and end in seconds; mostly all of it is within the scene, else most of it is."""
    longest = max(lasts[0], min(lasts[1], 1.2 * float(times[-1])))
    return place_in_time(times, float(rng.uniform(lasts[0], longest)), rng, cut=0.3, most=0.4)


def _moment(times: np.ndarray, before: float, rng: np.random.Generator) -> float:
    """Seconds at which somebody is hit."""
    total = float(times[-1])
    return float(rng.uniform(min(before, 0.5 * total), max(0.85 * total, 0.5 * total)))


def _between(two: Two, height: float, rng: np.random.Generator) -> np.ndarray:
    """(T, 3) the place between the two at so many torsos above the hips."""
    middle = (hips(two.doer) + hips(two.other)) / 2
    off = rng.normal(0, 0.1, 3) * two.torso
    return np.median(middle, axis=0) + off - (0, height * two.torso, 0) + np.zeros((len(middle), 3))


def _reach(two: Two) -> float:
    """Metres of both people's arms together."""
    return arm_length(two.doer.points[0]) + arm_length(two.other.points[0])


def _given(body: Body, side: int, target: np.ndarray, weight: np.ndarray, bend: float) -> Body:
    """A hand at a target, and the back bent towards it by `bend` radians."""
    body = _leaning(body, bend * weight) if bend else body
    return replace(body, points=reach(body.points[0], side, target, weight)[None])


def _leaning(body: Body, radians: np.ndarray) -> Body:
    return replace(body, points=lean(body.points[0], radians)[None].astype(np.float32))


def _away(two: Two, low: float, high: float, rng: np.random.Generator) -> Body:
    """The other one, so many torsos from the doer."""
    return shifted(two.other, float(rng.uniform(low, high)) * two.torso)


def _into_it(two: Two, out: np.ndarray, rng: np.random.Generator) -> Body:
    """The doer, with a step and the weight of the body behind a blow."""
    step = float(rng.uniform(0.0, 0.5)) * two.torso
    return _leaning(shifted(two.doer, out * step), out * rng.uniform(0.0, 0.3))


def _struck(
    body: Body,
    times: np.ndarray,
    hit: float,
    back: tuple[float, float],
    bend: tuple[float, float],
    rng: np.random.Generator,
) -> Body:
    """Thrown back by so many torsos, and bent back by so many radians for a moment."""
    torso = body.height / HEIGHT_IN_TORSOS
    way = float(rng.uniform(*back)) * torso * through(times, [(hit, 0.0), (hit + 0.5, 1.0)])
    bent = float(rng.uniform(*bend)) * envelope(times, hit, hit + 0.9, 0.25, 0.6)
    body = _leaning(shifted(body, way), -bent)
    if rng.random() < 0.3:  # hands go up
        up = envelope(times, hit - 0.15, hit + 1.0, 0.3, 0.5)
        for side in (LEFT, RIGHT):
            body = _given(body, side, _fist(body, torso), up, 0.0)
    return body


def _hands(both: bool, rng: np.random.Generator) -> tuple[int, ...]:
    return (LEFT, RIGHT) if both else (int(rng.integers(2)),)


def _apart(side: int, both: bool, looks: int, torso: float) -> np.ndarray:
    """Where one of two hands is beside the place of both; `looks` is +1 along +x."""
    right = -looks if side == RIGHT else looks
    return np.array([0.0, 0.0, 0.25 * torso * right if both else 0.0])


def _before_chest(body: Body, torso: float, ahead: float, height: float) -> np.ndarray:
    """(T, 3) so many torsos before and above the hips."""
    looks = 1.0 if np.median(facing(body.points[0])[:, 0]) > 0 else -1.0
    return hips(body) + np.array([looks * ahead * torso, -height * torso, 0.0])


def _belly(body: Body, torso: float) -> np.ndarray:
    return _before_chest(body, torso, 0.45, 0.35)


def _fist(body: Body, torso: float) -> np.ndarray:
    return _before_chest(body, torso, 0.4, 0.95)


def _around(
    body: Body,
    other: Body,
    looks: int,
    high: int,
    held: np.ndarray,
    torso: float,
    rng: np.random.Generator,
) -> Body:
    """Both hands on the other's back: one over a shoulder, one below."""
    for side in (LEFT, RIGHT):
        low, top = (0.75, 1.1) if side == high else (0.3, 0.8)
        beside = (-looks if side == RIGHT else looks) * float(rng.uniform(0.0, 0.3))
        behind = looks * float(rng.uniform(0.05, 0.35))
        at = hips(other) + np.array([behind, -float(rng.uniform(low, top)), beside]) * torso
        body = _given(body, side, at, held, 0.0)
    return body
