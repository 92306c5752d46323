"""AVA v2.2 (Gu et al., CVPR 2018) with skeletons: what each person does, second by second.

The labels are AVA's own csv files, read by `skeletr.datasets.ava_files`; the skeletons are the
user's, see `ava_skeletons`. A labelled box is the skeleton with which it has the highest IoU in
the frame of its second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from skeletr.datasets.ava_files import AvaError, read_excluded, read_ground_truth, read_labels
from skeletr.datasets.ava_skeletons import SkeletonFiles, proposal_key
from skeletr.datasets.clip import DatasetError, Split
from skeletr.datasets.sample import Note, Sample, quiet
from skeletr.recording import Action, Recording
from skeletr.skeleton import box_iou

_LABEL_SPAN = 0.5  # seconds before and after; AVA labels once a second
_NEAREST = 0.25  # seconds from the labelled moment to the frame that stands for it


@dataclass(frozen=True)
class AvaConfig:
    """How samples are cut.

    seconds: of the window around a labelled second; 5 or 10 in the paper. fps, start: frames per
    second, and AVA's time of frame 0 in seconds, where a file of skeletons does not tell; videos
    that were cut to minutes 15 to 30 have start = 900. min_iou: of a labelled box with a skeleton,
    whose own box around the joints is smaller.
    """

    seconds: float = 5.0
    fps: float = 30.0
    start: float = 0.0
    min_iou: float = 0.3


def read_ava(
    skeletons: Path,
    tables: Mapping[Split, Path],
    *,
    labels: Path | None = None,
    excluded: Iterable[Path] = (),
    config: AvaConfig | None = None,
    note: Note = quiet,
) -> Iterator[Sample]:
    """One sample per labelled second in which a labelled person has a skeleton.

    Its name is "VIDEO,0902", its group the video, and each label an action of one person, from
    half a second before to half a second after.

    Args:
        tables: csv of the ground truth per split, such as {"train": .../ava_train_v2.2.csv}.
        labels: list of the actions (.pbtxt or csv); actions that it leaves out are left out.
            Without it an action is called "action 12".
        excluded: csv files of seconds to be left out.

    Raises:
        DatasetError: a file that is not as described above.
    """
    config = config or AvaConfig()
    names, gaps = _names_and_gaps(labels, excluded)
    source = SkeletonFiles(skeletons, config.fps, config.start)
    for split, table in tables.items():
        for video, labelled in _labelled(table).items():
            people = found = 0
            for second in sorted(set(labelled) - gaps.get(video, set())):
                scene = source(video, second)
                if scene is None:
                    continue
                boxes, ids = labelled[second]
                sample, matched = _sample(scene, video, second, (boxes, ids, names), split, config)
                people, found = people + len(np.unique(boxes, axis=0)), found + matched
                if sample.recording.actions:
                    yield sample
            if found < people or not people:
                note(f"{video}: {found} of {people or 'all'} labelled people have skeletons")


def _sample(
    scene: Recording,
    video: str,
    second: float,
    labelled: tuple[np.ndarray, np.ndarray, Mapping[int, str] | None],
    split: Split,
    config: AvaConfig,
) -> tuple[Sample, int]:
    """The window around one second, and how many labelled boxes have a skeleton in it."""
    boxes, ids, names = labelled
    window = scene.between(second - config.seconds / 2, second + config.seconds / 2)
    drawn, box_of = np.unique(boxes, axis=0, return_inverse=True)
    people = _match(window, second, drawn, config)
    actions = [
        Action(name, people[box], second - _LABEL_SPAN, second + _LABEL_SPAN)
        for box, id in zip(box_of.ravel().tolist(), ids.tolist(), strict=True)
        if box in people and (name := _name(id, names)) is not None
    ]
    name = proposal_key(video, second)
    window = replace(window, actions=tuple(dict.fromkeys(actions)), source=name)
    return Sample(window, name, split, video), len(people)


def _name(id: int, names: Mapping[int, str] | None) -> str | None:
    return f"action {id}" if names is None else names.get(id)


def _match(window: Recording, second: float, boxes: np.ndarray, config: AvaConfig) -> dict:
    """Index of a labelled box -> id of the person, one to one, the most overlap in sum."""
    if not len(window.frame_times):
        return {}
    key = int(np.abs(window.frame_times - second).argmin())
    rows = window.rows(key)
    if abs(window.frame_times[key] - second) > _NEAREST or rows.start == rows.stop:
        return {}
    iou = box_iou(boxes * np.array([*window.image_size, *window.image_size]), window.boxes[rows])
    pairs = zip(*linear_sum_assignment(-iou), strict=True)
    person = window.person[rows]
    return {int(i): int(person[j]) for i, j in pairs if iou[i, j] >= config.min_iou}


def _names_and_gaps(
    labels: Path | None, excluded: Iterable[Path]
) -> tuple[dict[int, str] | None, dict[str, set[float]]]:
    gaps: dict[str, set[float]] = {}
    try:
        for path in excluded:
            for video, second in read_excluded(path):
                gaps.setdefault(video, set()).add(second)
        return (None if labels is None else read_labels(labels)), gaps
    except AvaError as error:
        raise DatasetError(str(error)) from error


def _labelled(path: Path) -> dict[str, dict[float, tuple[np.ndarray, np.ndarray]]]:
    """Video -> second -> boxes (n, 4) as shares of the picture, and n action ids."""
    try:
        truth = read_ground_truth(path)
    except AvaError as error:
        raise DatasetError(str(error)) from error
    order = np.argsort(truth.frame, kind="stable")
    ends = np.searchsorted(truth.frame[order], np.arange(len(truth.frames) + 1))
    found: dict[str, dict[float, tuple[np.ndarray, np.ndarray]]] = {}
    for index, (video, second) in enumerate(truth.frames):
        rows = order[ends[index] : ends[index + 1]]
        if len(rows):
            found.setdefault(video, {})[second] = (truth.boxes[rows], truth.actions[rows])
    return found
