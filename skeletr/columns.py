"""People frame by frame into columns, in little more memory than the columns take.

A person in a frame is 216 bytes of numbers and 700 as objects: an hour of video must not wait as
objects until it has ended.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from skeletr.skeleton import C, V

if TYPE_CHECKING:
    from skeletr.recording import Frame


def columns(frames: Iterable[Frame]) -> dict[str, np.ndarray]:
    """The columns of a `Recording`, as its class describes them; each frame is asked for once.

    Raises:
        ValueError: keypoints are not (17, 3), or a box is not (4,).
    """
    times, frame, person = array("d"), array("i"), array("i")
    keypoints, boxes = array("f"), array("f")
    for index, one in enumerate(frames):
        times.append(one.time)
        for p in one.people:
            frame.append(index)
            person.append(p.id)
            keypoints.frombytes(np.asarray(p.keypoints, np.float32).tobytes())
            boxes.frombytes(np.asarray(p.box, np.float32).tobytes())
    return {
        "frame_times": np.frombuffer(times, np.float64),
        "frame": np.frombuffer(frame, np.int32),
        "person": np.frombuffer(person, np.int32),
        "keypoints": np.frombuffer(keypoints, np.float32).reshape(-1, V, C),
        "boxes": np.frombuffer(boxes, np.float32).reshape(-1, 4),
    }
