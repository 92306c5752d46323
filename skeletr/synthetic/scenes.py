"""Ready scenes of two to four people, as recordings; the same every time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from skeletr.recording import Action, Recording
from skeletr.synthetic.body import IMAGE_SIZE, joints, picture
from skeletr.synthetic.motion import hanging, seated, standing, sway, through, walking

_RATE = 25.0  # frames per second


def examples() -> dict[str, Recording]:
    """Name -> recording: 6 to 8 seconds each, people numbered from 1."""
    return {
        "A handshake": handshake(),
        "Waving back": wave(),
        "Sitting down": chair(),
        "Passing by": passing(),
        "A crowd of four": crowd(),
    }


def handshake() -> Recording:
    """1 and 2 step up to each other, shake hands and step back."""
    t = _times(7.0)
    people = _shaking_hands(t, (-0.72, 0.72), 0.0, step=0.3, begin=1.0, end=5.6)
    actions = [Action("shake hands", person, 1.0, 5.6) for person in (1, 2)]
    return _recording(people, t, actions, "handshake")


def crowd() -> Recording:
    """1 waves at 2, who waves back; 3 sits down and stands up again; 4 stands by."""
    t = _times(8.0)
    people = []
    for x, degrees, begin, seed in ((-1.75, 30.0, 0.8, 40), (1.75, -30.0, 4.2, 50)):
        stance = standing(t, (x, 0.2), degrees, seed)
        people.append(joints(stance, stance.around(_waving(t, begin, 3.0, seed))))
    down = through(t, [(0.8, 0.0), (2.3, 1.0), (5.2, 1.0), (6.5, 0.0)])
    stance, offsets = seated(t, (0.1, -0.1), 42.0, down, 130)
    people.append(joints(stance, stance.around(offsets)))
    stance = standing(t, (1.0, 1.5), -10.0, 140)
    people.append(joints(stance, stance.around(hanging(t, 144))))
    actions = [
        Action("wave", 1, 0.9, 4.3),
        Action("wave", 2, 4.3, 7.7),
        Action("sit down", 3, 0.8, 2.3),
        Action("stand up", 3, 5.2, 6.5),
        Action("stand", 4, 0.0, 8.0),
    ]
    return _recording(people, t, actions, "crowd")


def wave() -> Recording:
    """1 waves at 2, who waves back; 3 stands by and looks from one to the other."""
    t = _times(7.0)
    people = []
    for x, degrees, begin, seed in ((-1.35, 32.0, 0.8, 40), (1.25, -35.0, 3.2, 50)):
        stance = standing(t, (x, 0.2), degrees, seed)
        people.append(joints(stance, stance.around(_waving(t, begin, 2.6, seed))))
    look = through(t, [(1.0, 0.0), (1.6, 0.8), (3.3, 0.8), (4.0, -0.8), (6.0, -0.8), (6.6, 0.0)])
    stance = standing(t, (0.1, 1.4), 5.0, 60, look=-look)
    people.append(joints(stance, stance.around(hanging(t, 64))))
    actions = [
        Action("wave", 1, 0.9, 3.6),
        Action("wave", 2, 3.3, 6.0),
        Action("stand", 3, 0.0, 7.0),
    ]
    return _recording(people, t, actions, "wave")


def chair() -> Recording:
    """1 sits down and stands up again, 2 stands beside."""
    t = _times(7.5)
    down = through(t, [(1.0, 0.0), (2.5, 1.0), (4.8, 1.0), (6.1, 0.0)])
    stance, offsets = seated(t, (-0.5, -0.2), 42.0, down, 70)
    people = [joints(stance, stance.around(offsets))]
    stance = standing(t, (1.2, 0.6), -35.0, 80)
    folded = hanging(t, 84)
    folded[:, 1] += through(t, [(2.8, (0, 0, 0)), (3.6, (0.22, -0.12, 0.24))])
    people.append(joints(stance, stance.around(folded)))
    actions = [
        Action("sit down", 1, 1.0, 2.5),
        Action("sit", 1, 2.5, 4.8),
        Action("stand up", 1, 4.8, 6.1),
        Action("stand", 2, 0.0, 7.5),
    ]
    return _recording(people, t, actions, "chair")


def passing() -> Recording:
    """1 and 2 come from the two sides, pass each other and go on."""
    t = _times(6.0)
    people = []
    for x, z, degrees, speed, seed in ((-2.1, 0.0, 90.0, 0.75, 90), (2.4, 0.9, -90.0, 0.85, 100)):
        stance, offsets = walking(t, (x, z), degrees, speed * t, seed)
        people.append(joints(stance, stance.around(offsets)))
    actions = [Action("walk", person, 0.0, 6.0) for person in (1, 2)]
    return _recording(people, t, actions, "passing")


def _shaking_hands(
    times: np.ndarray, sides: tuple[float, float], z: float, step: float, begin: float, end: float
) -> list[np.ndarray]:
    """Two people, (T, 17, 3) metres, who come from x = `sides` and meet half-way.

    step: metres that each walks, there and back. begin, end: seconds, when the hands go out and
    when they are back.
    """
    way = through(times, [(begin - 0.8, 0.0), (begin + 0.3, step), (end, step), (end + 1.0, 0.0)])
    moments = [(begin, 0.0), (begin + 0.6, 1.0), (end - 0.7, 1.0), (end, 0.0)]
    out = through(times, moments)[:, None]
    moments = [(begin + 0.5, 0.0), (begin + 0.8, 1.0), (end - 1.0, 1.0), (end - 0.7, 0.0)]
    grip = np.zeros((len(times), 3))
    grip[:] = (sum(sides) / 2, 1.05, z)
    swing = np.sin(2 * np.pi * 1.9 * (times - begin - 0.5))
    grip[:, 1] += 0.055 * through(times, moments) * swing
    people = []
    for x, degrees, seed in ((sides[0], 90.0, 10), (sides[1], -90.0, 20)):
        stance, offsets = walking(times, (x, z), degrees, way, seed)
        hands = stance.around(offsets)
        hands[:, 1] = (1 - out) * hands[:, 1] + out * grip
        people.append(joints(stance, hands))
    return people


def _waving(times: np.ndarray, begin: float, seconds: float, seed: int) -> np.ndarray:
    """(T, 2, 3) offsets: the right hand goes up, waves from side to side and comes down."""
    raised = through(
        times,
        [(begin, 0.0), (begin + 0.6, 1.0), (begin + seconds, 1.0), (begin + seconds + 0.7, 0.0)],
    )
    hands = hanging(times, seed + 4)
    side = 0.19 * np.sin(2 * np.pi * 1.4 * (times - begin))
    up = np.stack([np.full(len(times), 0.14), 0.33 + side, 0.38 - 0.4 * side**2], axis=1)
    hands[:, 1] += raised[:, None] * (up - hands[:, 1])
    # On its way the hand passes in front of the body, not through the arm.
    hands[:, 1, 0] += 0.25 * 4 * raised * (1 - raised)
    return hands


def _times(seconds: float) -> np.ndarray:
    return np.arange(round(seconds * _RATE) + 1) / _RATE


def _recording(
    people: Sequence[np.ndarray], times: np.ndarray, actions: Sequence[Action], name: str
) -> Recording:
    """People in metres, (T, 17, 3) each, before the camera; ids from 1.

    Who has left the picture is not there.
    """
    pixels = np.stack([picture(p) for p in people])
    pixels[..., :2] += sway(times, 0.35, 7, 2)[None, :, None]  # a hand-held camera, hardly
    middle = pixels[..., [11, 12], 0].mean(axis=-1)
    outside = (middle < 0) | (middle > IMAGE_SIZE[0])
    pixels[outside] = 0
    made = Recording.from_arrays(pixels, times, IMAGE_SIZE, actions, f"made up: {name}")
    return replace(made, person=made.person + np.int32(1))
