"""Teach the recogniser an action of one's own from a few examples: `TaughtActions`.

What is kept, and shared as a file, are the examples' skeletons, not features: the same file works
with every checkpoint, and shows what was taught. Learning from them is in `taught_head`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from skeletr import __version__
from skeletr.archive import read_arrays, reason, write_arrays
from skeletr.checkpoint import Checkpoint
from skeletr.recording import Recording
from skeletr.taught_background import Background
from skeletr.taught_head import Example, TaughtHead, TeachSettings, fit_examples

FORMAT = "skeletr taught actions"
FORMAT_VERSION = 1
MOST_EXAMPLES = 200
MOST_BYTES = 128 << 20  # when unpacked
LONGEST_NAME = 40  # characters
LONGEST_EXAMPLE = 60.0  # seconds
_MOST_SIDE = 16_384  # pixels
_COLUMNS = ("frame_times", "frame", "person", "keypoints", "boxes")


class TeachError(ValueError):
    """What cannot be taught: the message says what was given and what was expected."""


@dataclass(frozen=True)
class TaughtActions:
    """Examples of actions, in the order in which they were given; methods return a new one."""

    examples: tuple[Example, ...] = ()
    settings: TeachSettings = field(default_factory=TeachSettings)

    @property
    def names(self) -> tuple[str, ...]:
        """The taught labels, in the order in which they were first shown."""
        return tuple(dict.fromkeys(e.name for e in self.examples))

    def count(self, name: str) -> int:
        """How many examples a name has."""
        return sum(e.name == name for e in self.examples)

    def add(self, name: str, recording: Recording, person: int | None = None) -> TaughtActions:
        """One more example.

        Args:
            recording: of the action and little else, up to `LONGEST_EXAMPLE` seconds. Others may
                be in it: who is near belongs to an action of two.
            person: who shows it; None = everybody in it does.

        Raises:
            TeachError: an empty or too long name, nobody to learn from, or too much.
        """
        name = _name(name)
        if len(self.examples) >= MOST_EXAMPLES:
            raise TeachError(f"{MOST_EXAMPLES} examples are there already, expected at most that")
        example = Example(name, replace(recording, actions=(), source=""), person)
        _check(example)
        return replace(self, examples=(*self.examples, example))

    def remove(self, name: str, index: int | None = None) -> TaughtActions:
        """Without a name, or without the index-th of its examples.

        Raises:
            TeachError: there is no such name or example.
        """
        own = [e for e in self.examples if e.name == name]
        if not own or (index is not None and not 0 <= index < len(own)):
            which = "" if index is None else f" number {index}"
            raise TeachError(f"no example{which} of {name!r}; there are {list(self.names)}")
        gone = own if index is None else [own[index]]
        kept = tuple(e for e in self.examples if not any(e is g for g in gone))
        return replace(self, examples=kept)

    def fit(self, checkpoint: Checkpoint, background: Background | None = None) -> TaughtHead:
        """Learn; takes seconds. The result goes into `Recognizer(..., taught=...)`.

        Args:
            background: see `taught_background`, made if not given; it may be made once per
                checkpoint.

        Raises:
            TeachError: no examples, one in which nobody is seen long enough, or a name that is
                a label of the checkpoint.
        """
        if not self.examples:
            raise TeachError("nothing was taught yet; add an example first")
        try:
            return fit_examples(self.examples, checkpoint, self.settings, background)
        except ValueError as error:
            raise TeachError(str(error)) from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one .npz without pickles and without pixels."""
        header = {
            "format": FORMAT,
            "version": FORMAT_VERSION,
            "program": __version__,
            "settings": self.settings.as_dict(),
            "examples": [
                {
                    "name": e.name,
                    "person": e.person,
                    "image_size": [int(v) for v in e.recording.image_size],
                }
                for e in self.examples
            ],
        }
        arrays = {
            f"{column}_{i}": getattr(e.recording, column)
            for i, e in enumerate(self.examples)
            for column in _COLUMNS
        }
        write_arrays(path, header, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TaughtActions:
        """Read what `save` wrote.

        Raises:
            TeachError: it names the file, what was found and what was expected.
        """
        path = Path(path)
        try:
            header, arrays = read_arrays(path, MOST_BYTES, len(_COLUMNS) * MOST_EXAMPLES + 1)
            if header.get("format") != FORMAT or header.get("version") != FORMAT_VERSION:
                raise TeachError(
                    f"format {header.get('format')!r} version {header.get('version')!r}, "
                    f"this program reads {FORMAT!r} version {FORMAT_VERSION}"
                )
            settings = TeachSettings(**header["settings"])
            examples = [_example(e, i, arrays) for i, e in enumerate(header["examples"])]
        # ArchiveError, RecordingError and TeachError are ValueErrors.
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise TeachError(f"{path.name} holds no taught actions: {reason(error)}") from error
        return cls(tuple(examples), settings)


def _example(entry: Mapping[str, Any], index: int, arrays: Mapping[str, np.ndarray]) -> Example:
    columns = {column: arrays[f"{column}_{index}"] for column in _COLUMNS}
    size = tuple(int(v) for v in entry["image_size"])
    if len(size) != 2 or not all(1 <= v <= _MOST_SIDE for v in size):
        raise TeachError(f"image_size is {size}, expected two numbers up to {_MOST_SIDE}")
    recording = Recording(
        image_size=size,
        frame_times=columns["frame_times"].astype(np.float64),
        frame=columns["frame"].astype(np.int32),
        person=columns["person"].astype(np.int32),
        keypoints=columns["keypoints"].astype(np.float32),
        boxes=columns["boxes"].astype(np.float32),
    )
    person = entry["person"]
    example = Example(_name(entry["name"]), recording, None if person is None else int(person))
    _check(example)
    return example


def _name(given: object) -> str:
    name = " ".join(given.split()) if isinstance(given, str) else ""
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise TeachError(
            f"a name must be text of 1 to {LONGEST_NAME} characters, not {name[:60]!r}"
        )
    return name


def _check(example: Example) -> None:
    recording, person = example.recording, example.person
    if not len(recording.frame):
        raise TeachError(f"nobody is seen in this example of {example.name!r}")
    if person is not None and person not in recording.people:
        raise TeachError(f"no person {person} in this example, expected of {recording.people}")
    length = recording.end - recording.start
    if length > LONGEST_EXAMPLE:
        raise TeachError(
            f"an example of {length:.0f} s, expected the action alone, {LONGEST_EXAMPLE:.0f} s "
            "at most"
        )
    if not (np.isfinite(recording.keypoints).all() and np.isfinite(recording.boxes).all()):
        raise TeachError("keypoints and boxes must be finite")
