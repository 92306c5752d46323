"""Random cameras: people in metres -> a picture, with perspective."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_NEAREST = 0.8  # metres from the camera to the nearest joint


@dataclass(frozen=True)
class Camera:
    """A camera that looks at the people.

    yaw: degrees around them, 0 = where the sensor stood. pitch: degrees, above 0 looks down.
    roll: degrees. distance: metres to the middle of the people.
    """

    yaw: float
    pitch: float
    roll: float
    distance: float

    @classmethod
    def random(cls, rng: np.random.Generator, all_round: bool) -> Camera:
        """As of webcams and halls.

        all_round: from any side, but half of them as recorded or from right behind that; else
        within +-75 degrees, mostly near the front.
        """
        if all_round:
            near = float(rng.choice([0.0, 180.0]) + rng.normal(0, 25))
            yaw = near if rng.random() < 0.5 else float(rng.uniform(-180, 180))
        else:
            yaw = float(np.clip(rng.normal(0, 25), -75, 75))
        return cls(
            yaw=yaw,
            pitch=float(np.clip(rng.normal(6, 9), -12, 35)),
            roll=float(rng.normal(0, 2.5)),
            distance=float(rng.uniform(1.6, 7.0)),
        )


def project(points: np.ndarray, camera: Camera) -> np.ndarray:
    """Perspective picture of people.

    Args:
        points: (..., 3) metres, x right, y down, z away; their middle is what is looked at.

    Returns:
        (..., 2) x right, y down, in metres at the middle of the people.
    """
    centre = np.median(points.reshape(-1, 3), axis=0)
    turned = (points - centre) @ _rotation(camera).T
    # Nobody walks through the camera: it stands back far enough.
    distance = max(camera.distance, _NEAREST - float(turned[..., 2].min()))
    depth = turned[..., 2:] + distance
    return (turned[..., :2] * (distance / depth)).astype(np.float32)


def _rotation(camera: Camera) -> np.ndarray:
    yaw, pitch, roll = np.deg2rad([camera.yaw, camera.pitch, camera.roll])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    about_x = np.array(
        [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    )
    about_z = np.array(
        [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    )
    return about_z @ about_x @ about_y


def facing(points: np.ndarray) -> np.ndarray:
    """Unit vectors along which people look, (..., 3), from joints (..., 17, 3).

    Across the line of the shoulders and the torso; x right, y down, z away.
    """
    across = points[..., 5, :] - points[..., 6, :]
    up = (points[..., 5, :] + points[..., 6, :] - points[..., 11, :] - points[..., 12, :]) / 2
    forward = np.cross(across, up)
    return forward / np.maximum(np.linalg.norm(forward, axis=-1, keepdims=True), 1e-6)


def head_to_nose(points: np.ndarray, forward: float, down: float) -> np.ndarray:
    """Move the head's centre, which depth sensors give, to the nose, which video poses give.

    Args:
        points: (P, T, 17, 3) metres. forward, down: metres.
    """
    out = points.copy()
    out[..., 0, :] += forward * facing(points)
    out[..., 0, 1] += down
    return out


def travel(points: np.ndarray, times: np.ndarray, speed: float) -> np.ndarray:
    """Let people who step in place go where they look.

    Args:
        points: (P, T, 17, 3) metres. times: (T,) seconds. speed: metres per second.
    """
    heading = facing(points).mean(axis=1)
    heading[:, 1] = 0
    heading /= np.maximum(np.linalg.norm(heading, axis=-1, keepdims=True), 1e-6)
    shift = heading[:, None] * ((times - times.mean()) * speed)[None, :, None]
    return (points + shift[:, :, None]).astype(np.float32)
