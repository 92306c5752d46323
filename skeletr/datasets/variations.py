"""What clips seldom show and cameras often do: people who hold still, roam, come in and go out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from skeletr.datasets.actors import Actor
from skeletr.datasets.motion import Span
from skeletr.datasets.noise import wander
from skeletr.datasets.vocabulary import STAND

# Movements: who is upright and still in the middle of one merely stands there. Poses that are
# held, as of a letter or of somebody on the phone, are none.
MOVEMENTS = frozenset(
    {
        "bow",
        "bowl",
        "catch",
        "clap",
        "climb",
        "dance",
        "draw in the air",
        "dribble a ball",
        "flap the arms",
        "hammer",
        "jump",
        "jumping jacks",
        "kick",
        "lift a barbell",
        "lunge",
        "pick something up",
        "pitch a baseball",
        "pull an object",
        "punch the air",
        "push an object",
        "raise a knee",
        "run",
        "skip rope",
        "squat",
        "stand up",
        "swim",
        "swing a baseball bat",
        "swipe",
        "tennis forehand",
        "tennis serve",
        "throw",
        "touch the toes",
        "twist the hips",
        "walk",
        "wave",
    }
)
# What is still being done while one holds still with the hands above the head.
HELD_HIGH = frozenset({"lift a barbell"})
ROAMERS = frozenset({"walk", "run", "carry something"})

_TORSO, _LEGS = 0.18, 0.36  # at least so long for somebody upright, of a standing person's height
# How far each joint of somebody at rest wanders, beside the wrists.
_LOOSE = np.array([0.4] * 5 + [0.2, 0.2, 0.6, 0.6, 1, 1, 0.15, 0.15, 0.15, 0.15, 0.05, 0.05])
_FAR = 0.35  # heights; who moves farther than that may come in or go out


def is_upright(xy: np.ndarray, seen: np.ndarray) -> bool:
    """Whether a body (17, 2), in heights, stands on its legs with the hands below the face."""
    if not seen[[5, 6, 9, 10, 11, 12, 15, 16]].all():
        return False
    y = xy[:, 1]
    shoulders, hips, ankles = y[[5, 6]].mean(), y[[11, 12]].mean(), y[[15, 16]]
    hands_down = y[[9, 10]].min() > shoulders - 0.05
    return bool(hips - shoulders > _TORSO and ankles.min() - hips > _LEGS and hands_down)


def _said_of(xy: np.ndarray, seen: np.ndarray, label: str) -> str | None:
    """What a body (17, 2), stopped in the middle of a movement, does from then on."""
    if is_upright(xy, seen):
        return STAND
    high = seen[[0, 9, 10]].all() and xy[[9, 10], 1].max() < xy[0, 1]
    return label if high and label in HELD_HIGH else None


def hold_still(actor: Actor, times: np.ndarray, rng: np.random.Generator) -> Actor | None:
    """One person stopped in the middle of a movement, who then merely stands there, or holds
    something high.

    Returns:
        None where that is not so: no movement, or another pose at the chosen moment.
    """
    moving = [s for s in actor.spans[0] if s.label in MOVEMENTS]
    inside = [
        (int(i), s.label)
        for s in moving
        for i in np.flatnonzero((times >= s.start) & (times <= s.end))
    ]
    if not inside:
        return None
    moment, doing = inside[rng.integers(len(inside))]
    xy, seen = actor.xy[:, moment], actor.seen[:, moment]
    label = _said_of(xy[0], seen[0], doing)
    if label is None:
        return None
    sway = 0.006 * float(rng.random()) * wander(times, (1, 17, 2), rng).swapaxes(0, 1)
    lean = 0.03 * float(rng.random()) * wander(times / 4, (1, 1, 2), rng).swapaxes(0, 1)
    # Slow, small movements that mean nothing: hands most, feet hardly.
    idle = 0.05 * float(rng.random()) * wander(times / 3, (1, 17, 2), rng).swapaxes(0, 1)
    still = xy[:, None] + sway + lean * (1, 0.2) + idle * _LOOSE[:, None]
    always = np.repeat(seen[:, None], len(times), axis=1)
    return Actor(still.astype(np.float32), always, ((Span(label, 0.0, float(times[-1])),),))


def roam(actor: Actor, times: np.ndarray, rng: np.random.Generator) -> Actor:
    """Somebody who walks or runs through the picture: across, or up and down as a camera that
    looks down on people sees them go and come, smaller and larger.
    """
    if not any(s.label in ROAMERS for s in actor.spans[0]):
        return actor
    sideways = float(rng.uniform(-0.7, 0.7))  # heights per second
    upwards = float(rng.uniform(-0.4, 0.4))
    towards = float(rng.uniform(0.0, 0.35)) * np.sign(upwards)  # who comes down comes nearer
    passed = times[:, None] - float(times[-1]) / 2
    size = np.exp(towards * passed)[None, :, None]
    way = (np.array([sideways, upwards]) * passed)[None, :, None]
    return replace(actor, xy=(actor.xy * size + way).astype(np.float32))


def come_or_go(
    pixels: np.ndarray, image_size: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """Somebody (1, T, 17, 2) who moves through the picture, moved so that he or she comes in at
    its border or goes out there; others as they are."""
    hips = pixels[0][:, [11, 12]].mean(axis=1)
    tall = float(np.ptp(pixels[0, 0, :, 1])) or 1.0
    way = hips[-1] - hips[0]
    if np.linalg.norm(way) < _FAR * tall:
        return pixels
    comes = bool(rng.random() < 0.6)
    outside = pixels[0, 0 if comes else -1]
    axis = int(np.argmax(np.abs(way) / image_size))
    heading = way[axis] if comes else -way[axis]
    border = 0.0 if heading > 0 else float(image_size[axis])
    near = outside[:, axis].max() if heading > 0 else outside[:, axis].min()
    part = float(rng.uniform(0.0, 1.0)) * float(np.ptp(outside[:, axis]))  # already inside
    shift = np.zeros(2, np.float32)
    shift[axis] = border - near + np.sign(heading) * part
    return pixels + shift
