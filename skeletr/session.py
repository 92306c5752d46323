"""A session: everything recognised as one small file of skeletons, without any picture."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skeletr import __version__
from skeletr.actions import ActionLog
from skeletr.archive import ArchiveError, read_arrays, write_arrays
from skeletr.recording import Action, Recording
from skeletr.session_log import MOST_LABELS, MOST_PEOPLE, log_header, pack_log, unpack_log

FORMAT = "skeletr session"
FORMAT_VERSION = 1
MOST_BYTES = 256 << 20  # when unpacked: hours of a few people
_MOST_ARRAYS = 32
_MOST_TEXT = 300  # characters of a name
_MOST_SIDE = 16_384  # pixels
_COLUMNS = ("frame_times", "frame", "person", "keypoints", "boxes")


class SessionError(ValueError):
    """A file that is no session: the message names it, what was found and what was expected."""


@dataclass(frozen=True)
class Session:
    """A recording and what was recognised in it.

    program: version of the program that recognised it. name: for people to read.
    """

    recording: Recording
    log: ActionLog
    program: str = __version__
    name: str = ""

    def save(self, path: str | os.PathLike[str], attention: bool = True) -> None:
        """Write one .npz without pickles and without pixels.

        Reopened it gives the same; only attention is rounded to half precision.

        Args:
            attention: keep it too; it is most of the file.
        """
        recording = self.recording
        header = {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "program": self.program,
            "name": self.name[:_MOST_TEXT],
            "image_size": [int(v) for v in recording.image_size],
            "source": recording.source[:_MOST_TEXT],
            "actions": [[a.label, a.person, a.start, a.end] for a in recording.actions],
            "log": log_header(self.log),
        }
        columns = {name: getattr(recording, name) for name in _COLUMNS}
        write_arrays(path, header, {**columns, **pack_log(self.log, attention)})

    @classmethod
    def load(cls, path: str | os.PathLike[str], most_bytes: int = MOST_BYTES) -> Session:
        """Read what `save` wrote; the sizes are looked at before anything is unpacked.

        Raises:
            SessionError: it names the file, what was found and what was expected.
        """
        path = Path(path)
        try:
            header, arrays = read_arrays(path, most_bytes, _MOST_ARRAYS)
            if header.get("format") != FORMAT or header.get("version") != FORMAT_VERSION:
                raise SessionError(
                    f"format {header.get('format')!r} version {header.get('version')!r}, "
                    f"this program reads {FORMAT!r} version {FORMAT_VERSION}"
                )
            recording = _recording(header, arrays)
            log = unpack_log(header["log"], arrays)
            return cls(recording, log, _text(header, "program"), _text(header, "name"))
        # RecordingError and ArchiveError are ValueErrors.
        except (AttributeError, KeyError, IndexError, OverflowError, TypeError) as error:
            what = f"{type(error).__name__} {error}"
            raise SessionError(f"{path.name} is no session: {what}") from error
        except (ArchiveError, ValueError) as error:
            raise SessionError(f"{path.name} is no session: {error}") from error


def _recording(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Recording:
    size = tuple(int(v) for v in header["image_size"])
    if len(size) != 2 or not all(1 <= v <= _MOST_SIDE for v in size):
        raise SessionError(f"image_size is {size}, expected two numbers up to {_MOST_SIDE}")
    columns = {name: arrays[name] for name in _COLUMNS}
    if not all(np.isfinite(columns[n]).all() for n in ("keypoints", "boxes")):
        raise SessionError("keypoints and boxes must be finite")
    recording = Recording(
        image_size=size,
        actions=tuple(_action(a) for a in header["actions"][:MOST_LABELS]),
        source=_text(header, "source"),
        frame_times=columns["frame_times"].astype(np.float64),
        frame=columns["frame"].astype(np.int32),
        person=columns["person"].astype(np.int32),
        keypoints=columns["keypoints"].astype(np.float32),
        boxes=columns["boxes"].astype(np.float32),
    )
    if len(recording.people) > MOST_PEOPLE:
        raise SessionError(f"{len(recording.people)} people, expected at most {MOST_PEOPLE}")
    return recording


def _action(row: list) -> Action:
    label, person, start, end = row
    return Action(
        str(label)[:_MOST_TEXT], None if person is None else int(person), float(start), float(end)
    )


def _text(header: Mapping[str, Any], key: str) -> str:
    text = header[key]
    if not isinstance(text, str) or len(text) > _MOST_TEXT:
        raise SessionError(f"{key} is no text of at most {_MOST_TEXT} characters")
    return text
