"""Files of skeletons that visitors give: sessions and recordings, within the limits of videos."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from skeletr.actions import ActionLog, Track
from skeletr.archive import reason
from skeletr.npz import NpzError, array_names
from skeletr.recording import Recording, RecordingError
from skeletr.session import MARK, Session, SessionError
from skeletr.video import VideoError, VideoLimits
from skeletr.video.info import check_length

_ZIP = b"PK"
_ENDING = ".npz"
_MOST_PEOPLE = 1000
_MOST_PER_FRAME = 30  # people, on average over the longest video that is accepted
_MOST_STEPS = 50_000  # ten minutes of 60 people
_MOST_HEADS = 64  # in a layer; and layers
_FAR = 1e5  # pixels from the picture's corner
_MOST_SIDE = 16_384  # pixels
_SHORTEST_STEP = 0.05  # seconds
_LATEST = 1_000_000  # seconds since the beginning of what it is a part of: eleven days
_MARGIN = 10.0  # seconds; the last key frame may be a step behind the last frame


class OpenError(ValueError):
    """A file that is not opened: one sentence with its name and the cause."""


def is_skeleton_file(path: Path, name: str = "") -> bool:
    """Whether a file is, or calls itself, an archive of arrays: then it is no video.

    Args:
        name: what to call the file in messages, its own name if not given.

    Raises:
        OpenError: it is no longer there.
    """
    if path.suffix.lower() == _ENDING:
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(_ZIP)) == _ZIP
    except FileNotFoundError as error:
        raise _gone(name or path.name) from error


def open_skeletons(path: Path, name: str, limits: VideoLimits) -> Session | Recording:
    """The session or recording in a file of a stranger.

    Args:
        name: what to call the file in messages.

    Raises:
        OpenError: it is neither, gone, damaged, hostile, of another version, or breaks a limit.
    """
    try:
        opened = _load(path, name)
        recording = opened.recording if isinstance(opened, Session) else opened
        check_recording(recording, name, limits)
        if isinstance(opened, Session):
            _check_log(opened.log, name, recording)
        return opened
    except (SessionError, RecordingError, VideoError) as error:
        raise OpenError(_sentence(error)) from error


def _sentence(error: Exception) -> str:
    said = reason(error)
    return said if said.endswith("...") else f"{said.rstrip('.')}."


def _load(path: Path, name: str) -> Session | Recording:
    names = _array_names(path, name)
    if MARK in names:
        return Session.load(path)
    if "keypoints" in names:
        return Recording.load(path)
    if "keypoints_0" in names:
        raise OpenError(f"{name} holds taught actions, not people in a session or recording.")
    raise OpenError(f"{name} is neither a session nor a recording that this program saved.")


def _array_names(path: Path, name: str) -> set[str]:
    """Empty if it is no archive."""
    try:
        return set(array_names(path))
    except FileNotFoundError as error:
        raise _gone(name) from error
    except NpzError as error:
        raise OpenError(f"{name} is not opened: {error}.") from error
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return set()


def _gone(name: str) -> OpenError:
    """Files are deleted after a while, though their page may still be open."""
    return OpenError(f"{name} is no longer on this server; give it again.")


def check_recording(recording: Recording, name: str, limits: VideoLimits) -> None:
    """Hold a recording of a stranger against the limits.

    Raises:
        OpenError, VideoError: it breaks one; the message says which.
    """
    frames = len(recording.frame_times)
    if not frames:
        raise OpenError(f"{name} holds no frames.")
    if recording.start < 0:
        raise OpenError(f"{name} begins at {recording.start:g} s, expected 0 or later.")
    if recording.end > _LATEST:
        raise OpenError(f"{name} ends at {recording.end:,.0f} s, expected {_LATEST:,} at most.")
    check_length(name, recording.end - recording.start, frames, limits)
    if not all(isinstance(v, int) and 1 <= v <= _MOST_SIDE for v in recording.image_size):
        raise OpenError(
            f"{name} is of a picture of {recording.image_size} pixels, expected two whole numbers "
            f"up to {_MOST_SIDE}."
        )
    most = _MOST_PER_FRAME * limits.max_frames
    if len(recording.frame) > most:
        raise OpenError(f"{name} holds {len(recording.frame):,} skeletons, the limit is {most:,}.")
    if len(recording.people) > _MOST_PEOPLE:
        raise OpenError(
            f"{name} holds {len(recording.people):,} people, the limit is {_MOST_PEOPLE:,}."
        )
    numbers = (recording.keypoints, recording.boxes)
    if any(np.abs(n).max(initial=0) > _FAR for n in numbers):
        raise OpenError(f"{name} has joints or boxes that are far outside of its picture.")


def _check_log(log: ActionLog, name: str, recording: Recording) -> None:
    tracks = [log.scene, *log.people.values()]
    steps = sum(len(t.times) for t in tracks)
    if len(log.people) > _MOST_PEOPLE or steps > _MOST_STEPS:
        raise OpenError(
            f"{name} holds {steps:,} labels of {len(log.people):,} people, the limits are "
            f"{_MOST_STEPS:,} and {_MOST_PEOPLE:,}."
        )
    if log.interval < _SHORTEST_STEP or not all(_within(t, recording) for t in tracks):
        raise OpenError(f"{name} has labels at moments that cannot be.")
    if any(max(a.weights.shape[:2]) > _MOST_HEADS for _, a in log.attention):
        raise OpenError(f"{name} has attention of more than {_MOST_HEADS} layers or heads.")


def _within(track: Track, recording: Recording) -> bool:
    """Whether all moments of a track lie in its recording."""
    moments = np.array([track.start, track.end, *track.times])
    first, last = recording.start - _MARGIN, recording.end + _MARGIN
    return bool(((moments >= first) & (moments <= last)).all())
