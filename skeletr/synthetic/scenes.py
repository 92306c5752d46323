"""Ready scenes of two or three people, as recordings; the same every time."""

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
        "A handshake, and somebody who watches": handshake(),
        "Waving at somebody, who waves back": wave(),
        "Sitting down and standing up": chair(),
        "Passing each other": passing(),
    }


def handshake() -> Recording:
    """1 and 2 step up to each other, shake hands and step back; 3 stands by and watches."""
    t = _times(7.0)
    way = through(t, [(0.6, 0.0), (1.6, 0.325), (5.2, 0.325), (6.3, 0.0)])
    out = through(t, [(1.2, 0.0), (1.9, 1.0), (4.4, 1.0), (5.1, 0.0)])[:, None]
    shaking = through(t, [(1.8, 0.0), (2.1, 1.0), (4.0, 1.0), (4.4, 0.0)])
    grip = np.zeros((len(t), 3))
    grip[:, 1] = 1.05 + 0.055 * shaking * np.sin(2 * np.pi * 1.9 * (t - 1.8))
    people = []
    for x, degrees, seed in ((-0.75, 84.0, 10), (0.75, -84.0, 20)):
        stance, offsets = walking(t, (x, 0.0), degrees, way, seed)
        hands = stance.around(offsets)
        hands[:, 1] = (1 - out) * hands[:, 1] + out * grip
        people.append(joints(stance, hands))
    stance = standing(t, (1.75, 0.5), -30.0, 30)
    people.append(joints(stance, stance.around(hanging(t, 34))))
    actions = [
        Action("shake hands", 1, 1.5, 4.8),
        Action("shake hands", 2, 1.5, 4.8),
        Action("stand", 3, 0.0, 7.0),
    ]
    return _recording(people, t, actions, "handshake")


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
