"""Penn Action labels (Zhang et al., ICCV 2013): real video, 13 joints in pixels.

Layout: NNNN.mat with action, x, y, visibility [T, 13] and train = 1 or -1.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from skeletr.datasets.clip import Clip, DatasetError, make_clip
from skeletr.datasets.text_table import require
from skeletr.datasets.vocabulary import label_of
from skeletr.skeleton import BODY_JOINTS, COCO_JOINTS, to_coco17

FRAME_RATE = 25.0  # not stored with the labels; the videos are from the web, 25 to 30
# The 13 joints come in COCO's order, with the head in the nose's place.
JOINTS = {COCO_JOINTS[joint]: index for index, joint in enumerate(BODY_JOINTS)}
_FIELDS = ("action", "x", "y", "visibility", "train")


def read_penn_action(folder: Path) -> Iterator[Clip]:
    """All clips with their official split.

    Raises:
        DatasetError: no clips, or a file that is not as described above.
    """
    for path in require(list(folder.glob("*.mat")), folder, "*.mat files"):
        try:
            content = loadmat(path, variable_names=_FIELDS)
        except (MatReadError, ValueError, OSError, TypeError, NotImplementedError) as error:
            raise DatasetError(f"{path} is not a readable MATLAB file: {error}") from error
        absent = [f for f in _FIELDS if f not in content]
        if absent:
            raise DatasetError(f"{path}: no {absent}; expected {list(_FIELDS)}")
        yield _clip(path, content)


def _clip(path: Path, content: dict[str, np.ndarray]) -> Clip:
    points = np.stack([content["x"], content["y"]], axis=-1)
    if points.ndim != 3 or points.shape[1] != 13 or content["visibility"].shape != points.shape[:2]:
        raise DatasetError(
            f"{path}: x {content['x'].shape}, visibility {content['visibility'].shape}, "
            "expected (T, 13)"
        )
    action = str(content["action"].ravel()[0])
    return make_clip(
        to_coco17(points, JOINTS, content["visibility"] > 0)[None],
        np.arange(len(points)) / FRAME_RATE,
        label=label_of("penn_action", action),
        dataset="penn_action",
        name=path.stem,
        group=path.stem,  # the people are not named, so every clip stands for itself
        split="train" if int(content["train"].ravel()[0]) == 1 else "test",
        original=action,
    )
