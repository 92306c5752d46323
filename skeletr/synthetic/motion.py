"""How bodies move: smooth curves through a few moments, idling, walking, sitting down."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skeletr.synthetic.body import ANKLE, SIDES, Stance, forward_of, left_of

REST = (0.04, 0.07, -0.52)  # a hand that hangs: forward, outward, up from its shoulder
_STRIDE = 1.2  # metres of two steps
_STANCE = 0.6  # share of a stride for which a foot is on the floor
_FULL_SPEED = 0.5  # metres per second, from which on a walk is a walk
_FEET = 0.11  # half the distance between the feet


def through(times: np.ndarray, moments: Sequence[tuple[float, object]]) -> np.ndarray:
    """A curve through (seconds, value) with minimum jerk between; held before and after.

    Returns:
        (T, ...) for values of shape (...).
    """
    knots = np.array([t for t, _ in moments], dtype=np.float64)
    values = np.array([v for _, v in moments], dtype=np.float64)
    index = np.clip(np.searchsorted(knots, times, side="right") - 1, 0, len(knots) - 1)
    following = np.minimum(index + 1, len(knots) - 1)
    span = np.maximum(knots[following] - knots[index], 1e-9)
    u = np.clip((times - knots[index]) / span, 0, 1)
    eased = u**3 * (10 - 15 * u + 6 * u**2)
    eased = eased.reshape(-1, *(1,) * (values.ndim - 1))
    return values[index] + eased * (values[following] - values[index])


def sway(times: np.ndarray, size: float, seed: int, channels: int = 1) -> np.ndarray:
    """Slow, small movements of somebody who does nothing: (T, channels), about +-size."""
    rng = np.random.default_rng(seed)
    speed = rng.uniform(0.15, 0.55, (3, channels))
    phase = rng.uniform(0, 2 * np.pi, (3, channels))
    waves = np.sin(2 * np.pi * times[:, None, None] * speed + phase)
    return size * waves.mean(axis=1)


def hanging(times: np.ndarray, seed: int) -> np.ndarray:
    """(T, 2, 3) offsets of two hands that hang and sway."""
    return np.array(REST) + sway(times, 0.012, seed, 6).reshape(-1, 2, 3)


def standing(
    times: np.ndarray, place: tuple[float, float], degrees: float, seed: int, **changes: np.ndarray
) -> Stance:
    """Somebody who stands at (x, z) and shifts a little; `changes` replace parts of the stance."""
    root = np.array(place) + sway(times, 0.012, seed, 2)
    heading = np.full(len(times), np.deg2rad(degrees))
    parts = {
        "root": root,
        "heading": heading,
        "drop": 0.008 + sway(times, 0.006, seed + 1)[:, 0],
        "lean": 0.03 + sway(times, 0.015, seed + 2)[:, 0],
        "look": sway(times, 0.08, seed + 3)[:, 0],
        "ankles": _feet(np.broadcast_to(place, root.shape), heading),
    }
    return Stance(**{**parts, **changes})


def walking(
    times: np.ndarray, start: tuple[float, float], degrees: float, way: np.ndarray, seed: int
) -> tuple[Stance, np.ndarray]:
    """Somebody who has come `way` (T,) metres along the heading, and the hands' offsets.

    Feet stay where they are put down; where the walk ends they close up to a stand.
    """
    heading = np.full(len(times), np.deg2rad(degrees))
    ahead = forward_of(heading)
    root = np.array(start) + way[:, None] * ahead[:, [0, 2]]
    speed = np.abs(np.gradient(way, times))
    walks = np.clip(speed / _FULL_SPEED, 0, 1)
    walks = walks**2 * (3 - 2 * walks)
    phase = way[:, None] / _STRIDE + np.array([0.0, 0.5])  # (T, 2)
    along, lift = _steps(phase)
    still = _feet(root, heading)
    base = np.array([start[0], 0.0, start[1]])
    # Feet come nearer to the line of walking than they are when standing.
    side = 0.6 * _FEET * SIDES[:, None] * left_of(heading)[:, None]
    moving = base + along[..., None] * ahead[:, None] + side
    moving[..., 1] += ANKLE + lift
    blend = walks[:, None, None]
    ankles = blend * moving + (1 - blend) * still
    ankles[..., 1] += 0.04 * (4 * walks * (1 - walks))[:, None] * (lift > 0)
    bob = 0.012 * np.cos(4 * np.pi * phase[:, 0])
    stance = Stance(
        root=root + sway(times, 0.008, seed, 2),
        heading=heading + 0.05 * walks * np.sin(2 * np.pi * phase[:, 0]),
        drop=0.008 + walks * (0.03 + bob),
        lean=0.03 + 0.04 * walks + sway(times, 0.01, seed + 2)[:, 0],
        look=sway(times, 0.08, seed + 3)[:, 0],
        ankles=ankles,
    )
    hands = hanging(times, seed + 4)
    swing = -np.cos(2 * np.pi * phase) * walks[:, None]
    hands[..., 0] += 0.17 * swing
    hands[..., 2] += 0.03 * swing**2 * np.sign(swing + 1e-9) * (swing > 0)
    return stance, hands


def seated(
    times: np.ndarray, place: tuple[float, float], degrees: float, down: np.ndarray, seed: int
) -> tuple[Stance, np.ndarray]:
    """Somebody at a chair; down (T,): 0 = stands before it, 1 = sits. And the hands' offsets."""
    upright = standing(times, place, degrees, seed)
    back = -0.34 * down[:, None] * forward_of(upright.heading)[:, [0, 2]]
    # Who sits down or stands up leans forward on the way.
    lean = 0.03 + 0.05 * down + 2.6 * (down * (1 - down))
    stance = standing(
        times,
        place,
        degrees,
        seed,
        root=upright.root + back,
        drop=upright.drop + 0.40 * down,
        lean=lean,
    )
    on_knees = np.array([0.30, -0.04, -0.42])
    hands = hanging(times, seed + 4)
    return stance, hands + down[:, None, None] * (on_knees - REST)


def _feet(root: np.ndarray, heading: np.ndarray) -> np.ndarray:
    """(T, 2, 3) ankles of somebody who stands at root (T, 2)."""
    centre = np.stack([root[:, 0], np.full(len(root), ANKLE), root[:, 1]], axis=1)
    return centre[:, None] + _FEET * SIDES[:, None] * left_of(heading)[:, None]


def _steps(phase: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Metres along the way of each foot, and above the floor, (T, 2) each."""
    count = np.floor(phase)
    share = phase - count
    offset = np.array([0.0, 0.5])
    planted = (count + _STANCE / 2 - offset) * _STRIDE
    swing = np.clip((share - _STANCE) / (1 - _STANCE), 0, 1)
    eased = swing**2 * (3 - 2 * swing)
    return planted + eased * _STRIDE, 0.11 * np.sin(np.pi * swing)
