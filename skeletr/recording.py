"""`Recording`: people over time, the one type that every reader makes and every consumer takes.

Live webcam, video file, saved session and training data all become a `Recording`; nothing
downstream knows where it came from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from skeletr.columns import columns
from skeletr.files import atomic_path
from skeletr.npz import read_npz
from skeletr.skeleton import C, V, keypoint_boxes

FORMAT_VERSION = 1
MAX_BYTES = 512 * 2**20  # of a recording that is opened; an hour of six people takes about 150 MB
_COLUMNS = {
    "frame_times": np.float64,
    "frame": np.int32,
    "person": np.int32,
    "keypoints": np.float32,
    "boxes": np.float32,
}
_KINDS = {"f": np.floating, "i": np.integer}
UNTRACKED = -1


class RecordingError(ValueError):
    """A recording that cannot be: the message says what was found and what was expected."""


@dataclass(frozen=True)
class Person:
    """One person in one frame.

    keypoints: (17, 3) float32, x and y in pixels and a score in [0, 1]; 0 = joint not seen.
    box: (4,) float32, x1 y1 x2 y2 in pixels.
    id: number of the person over time, `UNTRACKED` before tracking.
    """

    keypoints: np.ndarray
    box: np.ndarray
    id: int = UNTRACKED

    @classmethod
    def from_keypoints(cls, keypoints: np.ndarray, id: int = UNTRACKED) -> Person:
        """A person whose box is the tight box around the joints that were seen.

        Joints that are not finite were not seen.
        """
        keypoints = np.asarray(keypoints, dtype=np.float32)
        finite = np.isfinite(keypoints).all(axis=-1, keepdims=True)
        keypoints = np.where(finite, keypoints, np.float32(0))
        return cls(keypoints, keypoint_boxes(keypoints), id)


@dataclass(frozen=True)
class Frame:
    """All people at one moment; `people` may be empty. `time` is in seconds."""

    time: float
    people: tuple[Person, ...] = ()


@dataclass(frozen=True)
class Action:
    """A label on a person, or on the whole scene (`person` is None), from `start` to `end` (s)."""

    label: str
    person: int | None
    start: float
    end: float


@dataclass(frozen=True)
class Recording:
    """People over time in columns; N observations in F frames.

    image_size: (width, height) in pixels.
    frame_times: (F,) float64 seconds, strictly increasing; frames without people are kept.
    frame: (N,) int32 index into frame_times, non-decreasing.
    person: (N,) int32 person id.
    keypoints: (N, 17, 3) float32, pixels and score.
    boxes: (N, 4) float32, x1 y1 x2 y2 in pixels.
    actions: labels, for training and evaluation.
    source: where it came from, for people to read.
    """

    image_size: tuple[int, int]
    frame_times: np.ndarray
    frame: np.ndarray
    person: np.ndarray
    keypoints: np.ndarray
    boxes: np.ndarray
    actions: tuple[Action, ...] = ()
    source: str = ""
    _offsets: np.ndarray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check(self)
        offsets = np.searchsorted(self.frame, np.arange(len(self.frame_times) + 1))
        object.__setattr__(self, "_offsets", offsets)

    @classmethod
    def from_frames(
        cls,
        frames: Iterable[Frame],
        image_size: tuple[int, int],
        actions: Sequence[Action] = (),
        source: str = "",
    ) -> Recording:
        """Collect frames in order of time, each as soon as it comes.

        Raises:
            RecordingError: time does not increase. ValueError: keypoints or boxes of another shape.
        """
        return cls(image_size=image_size, **columns(frames), actions=tuple(actions), source=source)

    @classmethod
    def from_arrays(
        cls,
        keypoints: np.ndarray,
        times: np.ndarray,
        image_size: tuple[int, int],
        actions: Sequence[Action] = (),
        source: str = "",
    ) -> Recording:
        """From dense arrays, as data sets hold them.

        Args:
            keypoints: (P, T, 17, 3), people by frames; a person without any joint (all scores
                zero) in a frame is not there.
            times: (T,) seconds.
        """
        there = (keypoints[..., 2] > 0).any(axis=-1)
        frame, person = np.nonzero(there.T)
        observed = keypoints[person, frame].astype(np.float32)
        return cls(
            image_size=image_size,
            frame_times=np.asarray(times, dtype=np.float64),
            frame=frame.astype(np.int32),
            person=person.astype(np.int32),
            keypoints=observed,
            boxes=keypoint_boxes(observed),
            actions=tuple(actions),
            source=source,
        )

    @property
    def times(self) -> np.ndarray:
        """Time of each observation in seconds, (N,)."""
        return self.frame_times[self.frame]

    @property
    def people(self) -> list[int]:
        """The ids of all people, ascending."""
        return [int(p) for p in np.unique(self.person)]

    @property
    def start(self) -> float:
        """Time of the first frame, 0 when there is none."""
        return float(self.frame_times[0]) if len(self.frame_times) else 0.0

    @property
    def end(self) -> float:
        """Time of the last frame, 0 when there is none."""
        return float(self.frame_times[-1]) if len(self.frame_times) else 0.0

    def rows(self, frame: int) -> slice:
        """The observations of one frame, as a slice into the columns."""
        return slice(int(self._offsets[frame]), int(self._offsets[frame + 1]))

    def frames(self) -> Iterable[Frame]:
        """Frame by frame, as `Recognizer.step` wants it."""
        for i, time in enumerate(self.frame_times):
            yield Frame(float(time), self._people(i))

    def at(self, time: float) -> tuple[Person, ...]:
        """The people of the frame at exactly `time`; nobody where there is no such frame."""
        index = int(np.searchsorted(self.frame_times, time))
        there = index < len(self.frame_times) and self.frame_times[index] == time
        return self._people(index) if there else ()

    def _people(self, frame: int) -> tuple[Person, ...]:
        rows = range(*self.rows(frame).indices(len(self.frame)))
        return tuple(Person(self.keypoints[r], self.boxes[r], int(self.person[r])) for r in rows)

    def between(self, start: float, end: float) -> Recording:
        """The part with start <= time <= end; labels are clipped to it."""
        first, last = np.searchsorted(self.frame_times, [start, end + 1e-9])
        rows = slice(int(self._offsets[first]), int(self._offsets[max(first, last)]))
        actions = (
            replace(a, start=max(a.start, start), end=min(a.end, end))
            for a in self.actions
            if a.end >= start and a.start <= end
        )
        return replace(
            self,
            frame_times=self.frame_times[first:last],
            frame=self.frame[rows] - np.int32(first),
            person=self.person[rows],
            keypoints=self.keypoints[rows],
            boxes=self.boxes[rows],
            actions=tuple(actions),
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write as a compressed .npz without pickles; the file appears whole or not at all."""
        header = {
            "version": FORMAT_VERSION,
            "image_size": list(self.image_size),
            "source": self.source,
            "actions": [[a.label, a.person, a.start, a.end] for a in self.actions],
        }
        with atomic_path(path) as partial, partial.open("wb") as file:
            np.savez_compressed(
                file,
                header=np.frombuffer(json.dumps(header).encode(), dtype=np.uint8),
                frame_times=self.frame_times,
                frame=self.frame,
                person=self.person,
                keypoints=self.keypoints,
                boxes=self.boxes,
            )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Recording:
        """Read what `save` wrote. Raises `RecordingError` naming the file and what is wrong."""
        path = Path(path)
        try:
            kinds = {name: _KINDS[np.dtype(kind).kind] for name, kind in _COLUMNS.items()}
            found = read_npz(path, {"header": np.uint8, **kinds}, MAX_BYTES)
            header = json.loads(found.pop("header").tobytes())
            if header["version"] != FORMAT_VERSION:
                raise RecordingError(
                    f"format version {header['version']}, this program reads {FORMAT_VERSION}"
                )
            columns = {name: found[name].astype(kind) for name, kind in _COLUMNS.items()}
            if not all(np.isfinite(columns[name]).all() for name in ("keypoints", "boxes")):
                raise RecordingError("keypoints and boxes must be finite")
            return cls(
                image_size=tuple(header["image_size"]),
                actions=tuple(Action(*a) for a in header["actions"]),
                source=str(header["source"]),
                **columns,
            )
        except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise RecordingError(f"{path.name} is not a readable recording: {error}") from error


def _check(r: Recording) -> None:
    n = len(r.frame)
    expected = {
        "frame_times": (len(r.frame_times),),
        "frame": (n,),
        "person": (n,),
        "keypoints": (n, V, C),
        "boxes": (n, 4),
    }
    for name, shape in expected.items():
        if getattr(r, name).shape != shape:
            raise RecordingError(f"{name} has shape {getattr(r, name).shape}, expected {shape}")
    if len(r.image_size) != 2 or min(r.image_size) < 1:
        raise RecordingError(f"image_size is {r.image_size}, expected (width, height) above 0")
    if not np.isfinite(r.frame_times).all() or (np.diff(r.frame_times) <= 0).any():
        raise RecordingError("frame_times must be finite and strictly increasing")
    if n and ((np.diff(r.frame) < 0).any() or r.frame[0] < 0 or r.frame[-1] >= len(r.frame_times)):
        raise RecordingError("frame must be non-decreasing indices into frame_times")
