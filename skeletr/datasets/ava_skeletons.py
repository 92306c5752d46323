"""Skeletons for AVA, which has none of its own: in a folder or in one pickle.

    FOLDER/VIDEO.npz            a recording of `Recording.save`, also as FOLDER/VIDEO/recording.npz,
                                where `recognize --out FOLDER` puts it, or
    FOLDER/VIDEO.npz or .pkl    columns: keypoint (N, 17, 3) pixels and score, frame_inds (N,)
                                non-decreasing, img_shape (height, width); and as wanted
                                total_frames, fps, start (seconds of frame 0), person (N,) ids
    FILE.pkl                    {key: columns}; a key is VIDEO, or as in files of proposals
                                "VIDEO,0902": only what is around that second, with its start

Where there are no person ids, skeletons are linked by IoU from frame to frame.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from skeletr.datasets.clip import DatasetError
from skeletr.datasets.restricted_pickle import load_pickle
from skeletr.recording import UNTRACKED, Recording, RecordingError
from skeletr.skeleton import C, V, box_iou, keypoint_boxes

_LINK_GAP, _LINK_IOU = 0.5, 0.1  # longest time unseen in seconds, least overlap


class SkeletonFiles:
    """The recording that holds a second of a video, on AVA's clock; keeps one in memory.

    Args:
        path: folder or pickle, as above. fps, start: frames per second, and AVA's time of frame 0
            in seconds, where a file does not tell.

    Raises:
        DatasetError: there is nothing at `path`, or, when called, a file is not as above.
    """

    def __init__(self, path: Path, fps: float = 30.0, start: float = 0.0) -> None:
        if not path.exists():
            raise DatasetError(f"{path} is neither a folder nor a pickle of skeletons")
        self._path, self._fps, self._start = path, fps, start
        self._all = None if path.is_dir() else load_pickle(path)
        if self._all is not None and not isinstance(self._all, dict):
            raise DatasetError(f"{path} holds a {type(self._all).__name__}, expected a dict")
        self._key: str | None = None
        self._recording: Recording | None = None

    def __call__(self, video: str, second: float) -> Recording | None:
        """None where there are no skeletons of it."""
        proposal = proposal_key(video, second)
        key = proposal if self._all is not None and proposal in self._all else video
        if key != self._key:
            self._recording = None  # never two of them in memory
            self._key, self._recording = key, self._read(key)
        return self._recording

    def _read(self, key: str) -> Recording | None:
        if self._all is not None:
            entry = self._all.get(key)
            return None if entry is None else self._from_columns(f"{self._path}, {key}", entry)
        for path in (self._path / f"{key}.npz", self._path / key / "recording.npz"):
            if path.is_file():
                return self._from_npz(path)
        path = self._path / f"{key}.pkl"
        return self._from_columns(str(path), load_pickle(path)) if path.is_file() else None

    def _from_npz(self, path: Path) -> Recording:
        try:
            with np.load(path, allow_pickle=False) as data:
                entry = None if "header" in data.files else dict(data)
            if entry is None:
                recording = Recording.load(path)
        except (RecordingError, OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise DatasetError(f"{path} is no file of skeletons: {error}") from error
        if entry is not None:
            return self._from_columns(str(path), entry)
        return linked(replace(recording, frame_times=recording.frame_times + self._start))

    def _from_columns(self, place: str, entry: Any) -> Recording:
        try:
            return linked(_recording(entry, self._fps, self._start))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DatasetError(
                f"{place} does not hold keypoint, frame_inds and img_shape as expected: "
                f"{type(error).__name__}: {error}"
            ) from error


def proposal_key(video: str, second: float) -> str:
    """ "VIDEO,0902", as files of proposals have it."""
    return f"{video},{second:04g}"


def _recording(entry: Mapping[str, Any], fps: float, start: float) -> Recording:
    points = np.array(entry["keypoint"], np.float32)
    frame = np.asarray(entry["frame_inds"], np.int32)
    height, width = map(int, entry["img_shape"])
    total = int(entry.get("total_frames", frame.max(initial=-1) + 1))
    fps = float(entry.get("fps", fps))
    if not fps > 0:
        raise ValueError(f"fps is {fps}, expected above 0")
    times = float(entry.get("start", start)) + np.arange(total) / fps
    person = np.asarray(entry.get("person", np.full(len(frame), UNTRACKED)), np.int32)
    if points.shape != (len(frame), V, C):
        raise ValueError(f"keypoint {points.shape}, expected ({len(frame)}, {V}, {C})")
    points[~np.isfinite(points).all(axis=-1)] = 0
    seen = (points[..., 2] > 0).any(axis=-1)
    frame, person, points = frame[seen], person[seen], points[seen]
    return Recording((width, height), times, frame, person, points, keypoint_boxes(points))


def linked(recording: Recording) -> Recording:
    """With ids: as they are, or where somebody has none, all new by IoU from frame to frame."""
    if not (recording.person == UNTRACKED).any():
        return recording
    ids = np.full(len(recording.person), UNTRACKED, np.int32)
    last, seen = np.zeros((0, 4), np.float32), np.zeros(0)  # box and time by id, when last seen
    for index, time in enumerate(recording.frame_times):
        rows = np.arange(*recording.rows(index).indices(len(ids)))
        alive = np.flatnonzero(time - seen <= _LINK_GAP)
        iou = box_iou(last[alive], recording.boxes[rows])
        old, new = linear_sum_assignment(-iou)
        good = iou[old, new] >= _LINK_IOU
        ids[rows[new[good]]] = alive[old[good]]
        fresh = rows[ids[rows] == UNTRACKED]
        ids[fresh] = len(seen) + np.arange(len(fresh))
        last = np.concatenate([last, recording.boxes[fresh]])
        seen = np.concatenate([seen, np.full(len(fresh), time)])
        last[ids[rows]], seen[ids[rows]] = recording.boxes[rows], time
    return replace(recording, person=ids)
