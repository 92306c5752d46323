"""`Sample`: one labelled recording of a data set of real video, and which split it belongs to."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from skeletr.datasets.clip import DatasetError, Split
from skeletr.recording import Action, Recording

SPLITS: tuple[str, ...] = get_args(Split)

# Told, in one sentence that names it, of something that a reader leaves out.
Note = Callable[[str], None]


def quiet(_: str) -> None:
    """A `Note` that nobody reads."""


@dataclass(frozen=True)
class Sample:
    """A recording with labels.

    recording: its `actions` are the labels. One with a person id is what that person does; one
        without is what the whole group or video shows. Several labels at a time are several
        actions. Times are seconds on the clock of the recording.
    name: unique within the data set. split: "train", "val" or "test".
    group: what must not be divided among splits (a person, a film); "" where nothing is known.
    """

    recording: Recording
    name: str
    split: Split
    group: str = ""

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise DatasetError(f"{self.name}: split {self.split!r}, expected one of {SPLITS}")


def whole(label: str, recording: Recording) -> tuple[Action, ...]:
    """The label of a whole video: nobody in particular, from its first to its last frame."""
    return (Action(label, None, recording.start, recording.end),)


def drawn(name: str, val: float, test: float) -> Split:
    """The split of a name, drawn by its checksum: the same on every machine, at any time.

    Args:
        val, test: shares of the names to be held out, together below 1.
    """
    if place(name) < test:
        return "test"
    return "val" if place(name) < test + val else "train"


def place(name: str) -> float:
    """Of a name among all that there could be, in [0, 1), by its checksum."""
    return zlib.crc32(name.encode()) / 2**32


def hold_out(samples: Iterable[Sample], share: float) -> Iterator[Sample]:
    """Move a `share` (0..1) of the training samples to validation, whole groups at a time."""
    for sample in samples:
        held = sample.split == "train" and drawn(sample.group or sample.name, share, 0) == "val"
        yield replace(sample, split="val") if held else sample


def read_text(path: Path) -> str:
    """The text of a small file. Raises `DatasetError` where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read as text: {error}") from error


def read_json(path: Path, *kinds: type) -> Any:
    """The value of a JSON file, of one of `kinds`. Raises `DatasetError` where it is not."""
    try:
        value = json.loads(read_text(path))
    except ValueError as error:
        raise DatasetError(f"{path} is not JSON: {error}") from error
    if not isinstance(value, kinds):
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise DatasetError(f"{path} holds a {type(value).__name__}, expected a {expected}")
    return value
