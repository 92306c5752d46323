"""BVH motion capture files: reading them, and where every joint is (forward kinematics)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from skeletr.datasets.clip import DatasetError


@dataclass
class Joint:
    """One joint: `parent` is an index, -1 for the root; `offset` is in the parent's axes."""

    name: str
    parent: int
    offset: tuple[float, ...] = (0.0, 0.0, 0.0)
    channels: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Motion:
    """joints: parents come before their children. channels: (T, all channels of all joints).

    frame_time: seconds between two frames of `channels`.
    """

    joints: list[Joint]
    channels: np.ndarray
    frame_time: float

    @property
    def index(self) -> dict[str, int]:
        """Name of a joint -> its number."""
        return {joint.name: number for number, joint in enumerate(self.joints)}


def read_bvh(path: Path, first: int = 0, step: int = 1) -> Motion:
    """Read every `step`-th frame from frame `first` on.

    Raises:
        DatasetError: the file is not BVH, has no frames there, or a row of another width.
    """
    try:
        heading, _, motion = path.read_text(encoding="ascii").partition("\nMOTION")
        joints = _hierarchy(heading)
        lines = [line for line in motion.splitlines() if line.strip()]
        frame_time = float(lines[1].partition(":")[2])
        rows = lines[2:][first::step]
        if not rows:
            raise ValueError(f"{len(lines) - 2} frames found, expected more than {first}")
        channels = np.loadtxt(rows, ndmin=2)
        wanted = sum(len(joint.channels) for joint in joints)
        if channels.shape[1] != wanted or not joints:
            raise ValueError(f"{channels.shape[1]} numbers a frame, expected {wanted}")
    except (ValueError, IndexError, KeyError, OSError) as error:
        raise DatasetError(f"{path}: expected a BVH file: {error}") from error
    return Motion(joints, channels, frame_time * step)


def positions(motion: Motion) -> np.ndarray:
    """(T, J, 3) of every joint, in the units and axes of the file."""
    frames, column = len(motion.channels), 0
    place = np.zeros((frames, len(motion.joints), 3))
    turn = np.zeros((frames, len(motion.joints), 3, 3))
    for number, joint in enumerate(motion.joints):
        offset = np.tile(np.array(joint.offset), (frames, 1))
        local = np.tile(np.eye(3), (frames, 1, 1))
        for channel in joint.channels:
            values, axis = motion.channels[:, column], "XYZ".index(channel[0])
            column += 1
            if channel.endswith("position"):
                offset[:, axis] += values
            else:
                local = local @ _rotation(axis, values)
        if joint.parent < 0:
            place[:, number], turn[:, number] = offset, local
            continue
        above = turn[:, joint.parent]
        place[:, number] = place[:, joint.parent] + (above @ offset[..., None])[..., 0]
        turn[:, number] = above @ local
    return place


def _rotation(axis: int, degrees: np.ndarray) -> np.ndarray:
    """(T, 3, 3): turns about the X, Y or Z axis, counter-clockwise as seen from its tip."""
    angle = np.deg2rad(degrees)
    one, two = (axis + 1) % 3, (axis + 2) % 3
    out = np.zeros((len(degrees), 3, 3))
    out[:, axis, axis] = 1
    out[:, one, one] = out[:, two, two] = np.cos(angle)
    out[:, two, one] = np.sin(angle)
    out[:, one, two] = -out[:, two, one]
    return out


def _hierarchy(text: str) -> list[Joint]:
    """The joints in the order of the file; the ends of limbs are joints without channels.

    Raises:
        ValueError, IndexError: the text is no hierarchy.
    """
    joints: list[Joint] = []
    open_joints: list[int] = []
    for line in text.splitlines():
        match line.split():
            case ["ROOT" | "JOINT" | "End", name]:
                joints.append(Joint(name, open_joints[-1] if open_joints else -1))
            case ["{"]:
                open_joints.append(len(joints) - 1)
            case ["}"]:
                open_joints.pop()
            case ["OFFSET", x, y, z]:
                joints[-1].offset = (float(x), float(y), float(z))
            case ["CHANNELS", _, *channels]:
                joints[-1].channels = [_known(channel) for channel in channels]
            case ["HIERARCHY"] | []:
                pass
            case _:
                raise ValueError(f"{line.strip()[:60]!r} found in the hierarchy")
    if not joints or open_joints:
        raise ValueError("the hierarchy has no joints, or does not end")
    return joints


def _known(channel: str) -> str:
    if channel[:1] not in ("X", "Y", "Z") or channel[1:] not in ("position", "rotation"):
        raise ValueError(f"channel {channel!r} found")
    return channel
