"""Motion of no kind in particular: people who reach, lean, crouch, step and kick at random.

What a network makes of it says how features spread when nothing special is done, without any
recorded data; `skeletr.teach` compares what is taught with it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skeletr.recording import Recording
from skeletr.synthetic.body import IMAGE_SIZE, Stance, joints, picture
from skeletr.synthetic.motion import REST, hanging, standing, through, walking

_RATE = 20.0
_SECONDS = 3.0


def babble(count: int, seed: int = 0) -> list[Recording]:
    """`count` recordings of 3 seconds with one or two people; the same for the same seed."""
    rng = np.random.default_rng(seed)
    return [_scene(rng) for _ in range(count)]


def _scene(rng: np.random.Generator) -> Recording:
    times = np.arange(round(_SECONDS * _RATE)) / _RATE
    company = rng.random() < 0.3
    places = [(-0.7, 0.0), (0.7, 0.0)] if company else [(float(rng.uniform(-0.8, 0.8)), 0.0)]
    people = [picture(_person(times, place, rng)) for place in places]
    return Recording.from_arrays(np.stack(people), times, IMAGE_SIZE, source="babble")


def _person(times: np.ndarray, place: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """(T, 17, 3) metres."""
    degrees = float(rng.normal(0, 50))
    seed = int(rng.integers(1 << 30))
    if rng.random() < 0.25:
        speed = float(rng.uniform(0.4, 1.6))
        start = (place[0] - speed * _SECONDS / 2 * np.sin(np.deg2rad(degrees)), place[1] + 1.0)
        stance, hands = walking(times, start, degrees, speed * times, seed)
    else:
        stance, hands = standing(times, place, degrees, seed), hanging(times, seed)
        if rng.random() < 0.45:
            stance = _bend(stance, times, rng)
        if rng.random() < 0.25:
            stance = _kick(stance, times, rng)
    for side in (0, 1):
        if rng.random() < 0.65:
            hands[:, side] = _reach(times, rng)
    if rng.random() < 0.2:  # both hands do the same
        hands[:, 1] = hands[:, 0]
    return joints(stance, stance.around(hands))


def _bend(stance: Stance, times: np.ndarray, rng: np.random.Generator) -> Stance:
    """Lean, crouch, or both, and perhaps come up again."""
    knots = _moments(rng)
    lean = through(times, [(t, rng.uniform(-0.15, 1.3)) for t in knots])
    drop = through(times, [(t, rng.choice([0.0, rng.uniform(0, 0.45)])) for t in knots])
    back = -0.5 * drop[:, None] * np.stack([np.sin(stance.heading), -np.cos(stance.heading)], 1)
    return replace(stance, lean=lean, drop=stance.drop + drop, root=stance.root + back)


def _kick(stance: Stance, times: np.ndarray, rng: np.random.Generator) -> Stance:
    """One foot goes somewhere and comes back."""
    side, begin = int(rng.integers(2)), float(rng.uniform(0, 1.2))
    height, ahead = rng.uniform(0.1, 0.6), rng.uniform(-0.3, 0.6)
    out = through(times, [(begin, 0.0), (begin + 0.5, 1.0), (begin + rng.uniform(0.8, 1.5), 0.0)])
    ankles = stance.ankles.copy()
    ankles[:, side, 0] += out * ahead * np.sin(stance.heading)
    ankles[:, side, 2] -= out * ahead * np.cos(stance.heading)
    ankles[:, side, 1] += out * height
    return replace(stance, ankles=ankles)


def _reach(times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(T, 3) offsets of one hand: through a few places, or to and fro at one of them."""
    if rng.random() < 0.4:
        centre, way = _place(rng), rng.normal(0, 0.13, 3)
        rate = float(rng.uniform(0.6, 2.5))
        return centre + np.sin(2 * np.pi * rate * times + rng.uniform(0, 6))[:, None] * way
    return through(times, [(t, REST if rng.random() < 0.3 else _place(rng)) for t in _moments(rng)])


def _place(rng: np.random.Generator) -> np.ndarray:
    """Somewhere a hand can be: forward, outward, up from the shoulder, in metres."""
    return rng.uniform((-0.1, -0.3, -0.5), (0.5, 0.45, 0.5))


def _moments(rng: np.random.Generator) -> np.ndarray:
    """Two to five moments, in seconds."""
    return np.cumsum(rng.uniform(0.3, 1.2, int(rng.integers(2, 6))))
