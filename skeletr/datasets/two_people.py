"""Two people face to face on a floor: who does something, and who it is done to."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skeletr.datasets.actors import HEIGHT_IN_TORSOS, Actor, Body, embody, on_plane
from skeletr.datasets.camera import Camera, facing, project
from skeletr.datasets.motion import Span, Take
from skeletr.datasets.pool import TakePool
from skeletr.datasets.vocabulary import STAND

_TALL, _TALL_VARIES = 1.45, 0.06  # metres from the ankles to the nose, and how much that varies


@dataclass(frozen=True)
class Two:
    """The doer, who looks along +x with the hips at 0, and the other one, who looks back.

    Metres: x right, y down, z away.
    """

    doer: Body
    other: Body

    @property
    def torso(self) -> float:
        """Metres from the hips to the shoulders, of both on average."""
        return (self.doer.height + self.other.height) / 2 / HEIGHT_IN_TORSOS

    def with_spans(self, spans: tuple[Span, ...]) -> Two:
        """The same; both carry these labels."""
        return Two(replace(self.doer, spans=spans), replace(self.other, spans=spans))


def cast(pool: TakePool, label: str, times: np.ndarray, rng: np.random.Generator) -> Two:
    """Somebody who does `label`, and somebody who stands there, both at the origin."""
    doer = turned(_grown(pool.spatial(rng, label), times, rng), float(rng.normal(0, 12)))
    other = turned(_grown(pool.spatial(rng, STAND), times, rng), 180 + float(rng.normal(0, 20)))
    return Two(doer, other)


def _grown(take: Take, times: np.ndarray, rng: np.random.Generator) -> Body:
    return grown(embody(take, times, rng), _TALL * float(np.exp(rng.normal(0, _TALL_VARIES))))


def tall(body: Body) -> float:
    """Metres from the ankles to the nose, most of the time."""
    feet = body.points[0, :, [15, 16], 1].max(axis=0)
    return max(float(np.median(feet - body.points[0, :, 0, 1])), 0.5 * body.height)


def grown(body: Body, metres: float) -> Body:
    """So tall: the metres of two data sets are not the same."""
    factor = metres / tall(body)
    return replace(body, points=body.points * np.float32(factor), height=body.height * factor)


def turned(body: Body, degrees: float) -> Body:
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


def shifted(body: Body, x: float | np.ndarray, z: float | np.ndarray = 0.0) -> Body:
    """Moved along x and z by metres, a number or one for each of the (T,) frames."""
    points = body.points.copy()
    points[..., 0] += np.asarray(x, np.float32).reshape(-1, 1)
    points[..., 2] += np.asarray(z, np.float32).reshape(-1, 1)
    return replace(body, points=points)


def hips(body: Body) -> np.ndarray:
    """(T, 3) between the hips."""
    return body.points[0, :, [11, 12]].mean(axis=0)


def shoot(two: Two, times: np.ndarray, camera: Camera, rng: np.random.Generator) -> Actor:
    """The two as a camera sees them."""
    points = np.concatenate([two.doer.points, two.other.points])
    seen = np.concatenate([two.doer.seen, two.other.seen])
    height = (two.doer.height + two.other.height) / 2
    xy = project(points, camera) / height
    return on_plane(xy, seen, (two.doer.spans, two.other.spans), times, rng)


def shoot_one(body: Body, times: np.ndarray, camera: Camera, rng: np.random.Generator) -> Actor:
    """One of them alone."""
    xy = project(body.points, camera) / body.height
    return on_plane(xy, body.seen, (body.spans,), times, rng)
