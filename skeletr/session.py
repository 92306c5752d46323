"""A session: everything recognised as one small file of skeletons, without any picture."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from skeletr import __version__
from skeletr.actions import ActionLog
from skeletr.archive import ArchiveError, read_arrays, reason, write_arrays
from skeletr.pipeline import Result
from skeletr.recording import Action, Recording
from skeletr.replay import recording_info
from skeletr.session_log import MOST_LABELS, MOST_PEOPLE, log_header, pack_log, unpack_log
from skeletr.video import VideoInfo

FORMAT = "skeletr session"
FORMAT_VERSION = 1
MARK = "step_times"  # an array in every session and in no other file
MOST_BYTES = 256 << 20  # when unpacked: hours of a few people
_MOST_ARRAYS = 32
_MOST_TEXT = 300  # characters of a name
_MOST_SIDE = 16_384  # pixels
_MOST_FACTS = 64  # stages, warnings
_MOST_NUMBER = 1e9  # seconds, frames, pixels
_COLUMNS = ("frame_times", "frame", "person", "keypoints", "boxes")


class SessionError(ValueError):
    """A file that is no session: the message names it, what was found and what was expected."""


@dataclass(frozen=True)
class Session:
    """A recording and what was recognised in it.

    program: version of the program that recognised it. name: for people to read.
    video: facts of the video that it was recognised in, None if there was none.
    timing: seconds spent in each stage. warnings: sentences about damaged or missing parts.
    """

    recording: Recording
    log: ActionLog
    program: str = __version__
    name: str = ""
    video: VideoInfo | None = None
    timing: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, result: Result) -> Session:
        """What a video, or a recording, was recognised to show."""
        info = result.info
        return cls(
            result.recording,
            result.log,
            __version__,
            info.name,
            info,
            result.timing,
            result.warnings,
        )

    def result(self) -> Result:
        """The same as when it was recognised, ready to be shown and exported."""
        info = self.video or recording_info(self.recording, self.name)
        return Result(info, self.recording, self.log, dict(self.timing), self.warnings)

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
            "video": None if self.video is None else asdict(self.video),
            "timing": {stage: float(spent) for stage, spent in self.timing.items()},
            "warnings": [warning[:_MOST_TEXT] for warning in self.warnings],
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
            texts = _text(header, "program"), _text(header, "name")
            return cls(recording, log, *texts, *_about(header))
        # RecordingError and ArchiveError are ValueErrors.
        except (AttributeError, KeyError, IndexError, OverflowError, TypeError) as error:
            what = f"{type(error).__name__} {reason(error)}"
            raise SessionError(f"{path.name} is no session: {what}") from error
        except (ArchiveError, ValueError) as error:
            raise SessionError(f"{path.name} is no session: {reason(error)}") from error


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


def _about(
    header: Mapping[str, Any],
) -> tuple[VideoInfo | None, dict[str, float], tuple[str, ...]]:
    """Video, timing and warnings; sessions of before these were kept have none."""
    video = header.get("video")
    timing = {str(k)[:_MOST_TEXT]: float(v) for k, v in header.get("timing", {}).items()}
    warnings = tuple(str(w)[:_MOST_TEXT] for w in header.get("warnings", ()))
    if max(len(timing), len(warnings)) > _MOST_FACTS:
        raise SessionError(f"expected at most {_MOST_FACTS} stages and warnings")
    if not all(math.isfinite(spent) for spent in timing.values()):
        raise SessionError("timing must be finite")
    return None if video is None else _video(video), timing, warnings


def _video(facts: Mapping[str, Any]) -> VideoInfo:
    whole = {key: int(facts[key]) for key in ("width", "height", "frames", "rotation")}
    real = {key: float(facts[key]) for key in ("duration", "fps")}
    if not all(0 <= value < _MOST_NUMBER for value in (*real.values(), whole["frames"])):
        raise SessionError(f"the video's length or pace cannot be: {real | whole}")
    if not all(1 <= whole[key] < _MOST_NUMBER for key in ("width", "height")):
        raise SessionError(f"the video's size is {whole['width']}x{whole['height']}")
    return VideoInfo(name=_text(facts, "name"), codec=_text(facts, "codec"), **whole, **real)


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
