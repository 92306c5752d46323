"""PYSKL pickles: NTU60/120, UCF101, HMDB51, FineGYM, Diving48, Kinetics-400 and Posetics in 2D.

Layout (github.com/kennymckormick/pyskl, tools/data/README.md): a dict of `split` {name: [ids]}
and `annotations`, a list of dicts of frame_dir (the id), label, img_shape (height, width) and

- plain: keypoint (M, T, 17, 2) pixels and keypoint_score (M, T, 17);
- compact (Kinetics): total_frames, frame_inds (N,) non-decreasing, box_score (N,), and raw_file,
  the path of another pickle {frame_dir: {"keypoint": (N, 17, 3)}}. Its `valid` is not needed.

In the compact form the k-th skeleton of a frame is just the k-th one. Its person id is that rank,
which says nothing over time; `sequences` links by IoU whatever the ids say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from skeletr.datasets.clip import DatasetError, Split
from skeletr.datasets.restricted_pickle import load_pickle
from skeletr.datasets.sample import Note, Sample, quiet, read_json, read_text, whole
from skeletr.recording import Recording, RecordingError
from skeletr.skeleton import C, V, keypoint_boxes

Annotation = Mapping[str, Any]

_GROUP = re.compile(r"S\d{3}C\d{3}(P\d{3})R\d{3}A\d{3}|v_(.+_g\d\d)_c\d\d")


def read_pyskl(
    path: Path,
    splits: Mapping[Split, str],
    *,
    names: Callable[[int], str | None] = lambda index: f"class {index}",
    kpfiles: Path | None = None,
    fps: float = 30.0,
    min_box_score: float = 0.5,
    note: Note = quiet,
) -> Iterator[Sample]:
    """All clips of the chosen splits that show somebody.

    Args:
        splits: ours -> theirs, for instance {"train": "xsub_train", "test": "xsub_val"}.
        names: index -> label, None = leave out; see `class_names`.
        kpfiles: folder of the pickles that `raw_file` names, that of `path` if not given.
        fps: frames per second, which the files do not tell; time = frame index / fps.
        min_box_score: skeletons of the compact form below it are left out.

    Raises:
        DatasetError: a file, a clip or a split that is not as described above.
    """
    annotations, split_of = _contents(path, splits)
    keypoints_of = _KeypointFiles(kpfiles or path.parent)
    # Clips of one keypoint file one after the other, so that each is read once.
    order = sorted(range(len(annotations)), key=lambda i: _file_name(annotations[i]))
    for index in order:
        clip, annotations[index] = annotations[index], {}  # freed when it has been given out
        split = split_of.get(_id(clip))
        label = names(_label(path, clip)) if split else None
        if split is None or label is None:
            continue
        place = f"{path}, {_id(clip)}"
        try:
            if "raw_file" in clip:
                recording = _compact(place, clip, keypoints_of(place, clip), fps, min_box_score)
            else:
                recording = _plain(place, clip, fps)
        except RecordingError as error:
            raise DatasetError(f"{place}: {error}") from error
        if not len(recording.frame):
            note(f"{_id(clip)}: nobody is seen")
            continue
        recording = replace(recording, actions=whole(label, recording), source=_id(clip))
        yield Sample(recording, _id(clip), split, group=group_of(_id(clip)))


def group_of(id: str) -> str:
    """Performer of a clip of NTU, film of one of UCF101; "" where an id says neither."""
    match = _GROUP.fullmatch(id)
    return next(filter(None, match.groups())) if match else ""


def class_names(labels: Path | None, class_map: Path | None) -> Callable[[int], str | None]:
    """How the index of a class becomes a label.

    Args:
        labels: a text file with one name per line, or JSON: [name, ...] or {index: name}.
        class_map: JSON {old: new or null}, old being a name or an index; null leaves the class
            out. This is how the 400 classes of Kinetics become the 320 of Posetics.

    Raises:
        DatasetError: a file cannot be read; or, when called, a class that it does not name.
    """
    names = None if labels is None else _read_labels(labels)
    changes = None if class_map is None else read_json(class_map, dict)

    def name(index: int) -> str | None:
        if names is not None and index not in names:
            raise DatasetError(f"{labels} has no name for class {index}, only for {len(names)}")
        found = f"class {index}" if names is None else names[index]
        if changes is None:
            return found
        key = found if found in changes else str(index)
        if key not in changes:
            raise DatasetError(f"{class_map} has neither {found!r} nor {key!r} as a key")
        return None if changes[key] is None else str(changes[key])

    return name


def _contents(path: Path, splits: Mapping[Split, str]) -> tuple[list[Annotation], dict[str, Split]]:
    """The annotations, and our split of every id that is in a chosen one."""
    content = load_pickle(path)
    if not isinstance(content, dict) or not {"split", "annotations"} <= set(content):
        found = sorted(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise DatasetError(f"{path} holds {found}, expected a dict of split and annotations")
    annotations, theirs = content["annotations"], content["split"]
    if not isinstance(annotations, list) or not all(isinstance(a, dict) for a in annotations):
        raise DatasetError(f"{path}: annotations are no list of dicts")
    if not isinstance(theirs, dict) or not splits or not set(splits.values()) <= set(theirs):
        raise DatasetError(
            f"{path}: splits {list(splits.values())} asked for, expected some of {list(theirs)}"
        )
    split_of: dict[str, Split] = {}
    for ours, name in splits.items():
        for id in map(str, theirs[name]):
            if split_of.setdefault(id, ours) != ours:
                raise DatasetError(f"{path}: {id} is in {name} and in another chosen split")
    return annotations, split_of


def _id(clip: Annotation) -> str:
    return str(clip.get("frame_dir", clip.get("filename", "")))


def _label(path: Path, clip: Annotation) -> int:
    label = clip.get("label")
    if not isinstance(label, int | np.integer):
        raise DatasetError(f"{path}, {_id(clip)}: label {label!r}, expected a class index")
    return int(label)


def _plain(place: str, clip: Annotation, fps: float) -> Recording:
    points = _array(place, clip, "keypoint", 4)
    if points.shape[2:] not in ((V, 2), (V, C)):
        raise DatasetError(
            f"{place}: keypoint has shape {points.shape}, expected (M, T, {V}, 2); 25 joints in "
            "3D are read from the .skeleton files, by `prepare ntu`"
        )
    if "keypoint_score" in clip:
        scores = _array(place, clip, "keypoint_score", 3)
    else:
        scores = points[..., 2] if points.shape[-1] == C else (points != 0).any(axis=-1)
    if scores.shape != points.shape[:3]:
        raise DatasetError(f"{place}: keypoint_score {scores.shape}, expected {points.shape[:3]}")
    joints = _clean(np.concatenate([points[..., :2], scores[..., None]], axis=-1))
    times = np.arange(points.shape[1]) / fps
    return Recording.from_arrays(joints, times, _image_size(place, clip))


def _compact(
    place: str, clip: Annotation, points: np.ndarray, fps: float, min_box_score: float
) -> Recording:
    total = clip.get("total_frames")
    frame = _array(place, clip, "frame_inds", 1)
    scores = _array(place, clip, "box_score", 1)
    if points.shape != (len(frame), V, C) or scores.shape != frame.shape:
        raise DatasetError(
            f"{place}: keypoint {points.shape}, frame_inds {frame.shape} and box_score "
            f"{scores.shape}, expected (N, {V}, {C}), (N,) and (N,)"
        )
    if not isinstance(total, int | np.integer) or total < 1:
        raise DatasetError(f"{place}: total_frames is {total!r}, expected a number above 0")
    if len(frame) and ((np.diff(frame) < 0).any() or frame[0] < 0 or frame[-1] >= total):
        raise DatasetError(f"{place}: frame_inds are not in order within 0..{total - 1}")
    points = _clean(points)
    kept = (scores >= min_box_score) & (points[..., 2] > 0).any(axis=-1)
    frame, points = frame[kept].astype(np.int32), points[kept]
    rank = np.arange(len(frame)) - np.searchsorted(frame, frame)
    return Recording(
        image_size=_image_size(place, clip),
        frame_times=np.arange(total) / fps,  # frames without people keep their time
        frame=frame,
        person=rank.astype(np.int32),
        keypoints=points,
        boxes=keypoint_boxes(points),
    )


class _KeypointFiles:
    """Keypoints of the compact form; holds one file at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None
        self._content: Any = None

    def __call__(self, place: str, clip: Annotation) -> np.ndarray:
        path = self._find(place, _file_name(clip))
        if path != self._path:
            self._content = None  # never two of them in memory
            self._path, self._content = path, load_pickle(path)
        entry = self._content.get(_id(clip)) if isinstance(self._content, dict) else None
        if not isinstance(entry, dict) or "keypoint" not in entry:
            raise DatasetError(f"{path} holds no {{'keypoint': ...}} of {_id(clip)}")
        return _array(f"{path}, {_id(clip)}", entry, "keypoint", 3)

    def _find(self, place: str, name: str) -> Path:
        for path in (self._folder / name, self._folder / "kpfiles" / name):
            if path.is_file():
                return path
        raise DatasetError(f"{place}: {self._folder} holds neither {name} nor kpfiles/{name}")


def _file_name(clip: Annotation) -> str:
    """Of `raw_file`; its folders are those of somebody else's machine."""
    return str(clip.get("raw_file", "")).replace("\\", "/").rpartition("/")[2]


def _array(place: str, entry: Annotation, name: str, dimensions: int) -> np.ndarray:
    value = np.asarray(entry.get(name))
    if value.ndim != dimensions or value.dtype.kind not in "fiu":
        raise DatasetError(
            f"{place}: {name} is {value.dtype} {value.shape}, expected {dimensions} dimensions of "
            "numbers"
        )
    return value


def _clean(points: np.ndarray) -> np.ndarray:
    """float32, scores in [0, 1]; joints that are not finite become (0, 0, 0)."""
    points = points.astype(np.float32)
    points[~np.isfinite(points).all(axis=-1)] = 0
    points[..., 2] = points[..., 2].clip(0, 1)
    return points


def _image_size(place: str, clip: Annotation) -> tuple[int, int]:
    shape = clip.get("img_shape")
    if not isinstance(shape, tuple | list | np.ndarray) or len(shape) != 2:
        raise DatasetError(f"{place}: img_shape is {shape!r}, expected (height, width)")
    return int(shape[1]), int(shape[0])


def _read_labels(path: Path) -> dict[int, str]:
    if path.suffix.lower() != ".json":
        return dict(enumerate(read_text(path).splitlines()))
    found = read_json(path, list, dict)
    try:
        pairs = found.items() if isinstance(found, dict) else enumerate(found)
        return {int(index): str(name) for index, name in pairs}
    except ValueError as error:
        raise DatasetError(f"{path}: expected {{index: name}}: {error}") from error
