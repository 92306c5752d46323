"""A data set as one folder of memory-mapped columns: opened at once, read a sample at a time.

    store.json                      version, labels, and the number of rows of every column
    keypoints.npy, ...              all rows of all samples, one sample behind the other
    row_offsets.npy, ...            where each sample begins in them

Without pickles. Keypoints stay float32: float16 has steps of a whole pixel beyond 1024.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path

import numpy as np

from skeletr.datasets.clip import DatasetError
from skeletr.datasets.columns import ColumnWriter, Form, map_column, map_offsets, write_columns
from skeletr.datasets.sample import SPLITS, Sample, read_json
from skeletr.files import atomic_folder
from skeletr.recording import Action, Recording
from skeletr.skeleton import C, V

VERSION = 1
HEADER = "store.json"

# Offsets -> the columns they point into. The first offset is 0; each sample adds the end of its
# rows.
_TABLES: dict[str, dict[str, Form]] = {
    "frame_offsets": {"frame_times": ("<f8", ())},
    "row_offsets": {
        "frame": ("<i4", ()),
        "person": ("<i4", ()),
        "keypoints": ("<f4", (V, C)),
        "boxes": ("<f4", (4,)),
    },
    "action_offsets": {
        "action_label": ("<i4", ()),
        "action_person": ("<i8", ()),
        "action_times": ("<f8", (2,)),
    },
    "text_offsets": {"texts": ("|u1", ())},  # JSON of [name, group, source]
}
_OFFSETS: dict[str, Form] = {name: ("<i8", ()) for name in _TABLES}
_FACTS: dict[str, Form] = {"split": ("|u1", ()), "image_size": ("<i4", (2,))}  # a row per sample
_PARTS: dict[str, Form] = {k: v for table in _TABLES.values() for k, v in table.items()}
_NOBODY = np.iinfo(np.int64).min  # person of an action that belongs to nobody in particular

Progress = Callable[[int], None]  # called with the number of samples written so far


def write_store(
    folder: str | os.PathLike[str],
    samples: Iterable[Sample],
    progress: Progress | None = None,
    *,
    overwrite: bool = False,
) -> int:
    """Write samples as they come, never more than one in memory; returns their number.

    The folder appears when all is written; a store that was there is then replaced.

    Raises:
        DatasetError: the folder holds something already, there are no samples, two have one
            name, one shows nobody, or there are fewer than two labels to tell apart.
    """
    folder = Path(folder)
    _check_target(folder, overwrite)
    with atomic_folder(folder) as partial:
        with write_columns(partial, {**_PARTS, **_OFFSETS, **_FACTS}) as columns:
            writer = _Writer(columns)
            for count, sample in enumerate(samples, start=1):
                writer.add(sample)
                if progress is not None:
                    progress(count)
        header = json.dumps(writer.header(folder), indent=1)
        (partial / HEADER).write_text(header, encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
    return len(writer.names)


class RecordingStore:
    """The samples of a store, by index; `open` makes it. May be sent to other processes.

    labels: all that occur, sorted.
    """

    def __init__(self, folder: Path, labels: list[str], columns: dict[str, np.ndarray]) -> None:
        self.folder = folder
        self.labels = tuple(sorted(labels))
        self._labels = labels  # in the order of their numbers
        self._columns = columns

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> RecordingStore:
        """Map the columns; nothing of the samples is read before it is asked for.

        Raises:
            DatasetError: not a store, not a whole one, or one of another version.
        """
        folder = Path(folder)
        labels, rows = _read_header(folder)
        paths = {name: folder / f"{name}.npy" for name in rows}
        columns = {
            name: map_column(paths[name], form, rows[name])
            for name, form in {**_PARTS, **_FACTS}.items()
        }
        for name, inside in _TABLES.items():
            columns[name] = map_offsets(paths[name], rows["split"] + 1, rows[next(iter(inside))])
        return cls(folder, labels, columns)

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        # Another process maps the files itself; the default would send all of them.
        return RecordingStore.open, (self.folder,)

    def __len__(self) -> int:
        return len(self._columns["split"])

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    @cached_property
    def splits(self) -> dict[str, np.ndarray]:
        """Split -> indices of its samples, ascending; a split without any is there, empty."""
        column = self._columns["split"]
        return {name: np.flatnonzero(column == code) for code, name in enumerate(SPLITS)}

    def __getitem__(self, index: int) -> Sample:
        """A view: its arrays are read-only and come from the disk as they are used.

        Raises:
            DatasetError: its rows are damaged.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        try:
            return self._sample(int(index) % len(self))
        except (ValueError, IndexError, TypeError) as error:
            raise DatasetError(f"{self.folder}: sample {index} is damaged: {error}") from error

    def _sample(self, index: int) -> Sample:
        name, group, source = json.loads(self._rows("text_offsets", index)["texts"].tobytes())
        width, height = map(int, self._columns["image_size"][index])
        recording = Recording(
            image_size=(width, height),
            actions=tuple(self._actions(index)),
            source=source,
            **self._rows("frame_offsets", index),
            **self._rows("row_offsets", index),
        )
        return Sample(recording, name, SPLITS[self._columns["split"][index]], group)

    def _rows(self, offsets: str, index: int) -> dict[str, np.ndarray]:
        begin, end = self._columns[offsets][index : index + 2]
        return {name: self._columns[name][begin:end] for name in _TABLES[offsets]}

    def _actions(self, index: int) -> Iterator[Action]:
        columns = self._rows("action_offsets", index).values()
        for label, person, (start, end) in zip(*columns, strict=True):
            who = None if person == _NOBODY else int(person)
            yield Action(self._labels[label], who, float(start), float(end))


class _Writer:
    """Puts samples into columns and keeps count of names and labels."""

    def __init__(self, columns: dict[str, ColumnWriter]) -> None:
        self._columns = columns
        self.names: set[str] = set()
        self._labels: dict[str, int] = {}
        self._end_sample()

    def add(self, sample: Sample) -> None:
        recording = sample.recording
        if sample.name in self.names:
            raise DatasetError(f"there are two samples with the name {sample.name}")
        if not len(recording.frame):
            raise DatasetError(f"{sample.name} shows nobody")
        self.names.add(sample.name)
        for name in (*_TABLES["frame_offsets"], *_TABLES["row_offsets"]):
            self._columns[name].append(getattr(recording, name))
        for action in recording.actions:
            self._add_action(action)
        text = json.dumps([sample.name, sample.group, recording.source]).encode()
        self._columns["texts"].append(np.frombuffer(text, np.uint8))
        self._columns["split"].append(SPLITS.index(sample.split))
        self._columns["image_size"].append(recording.image_size)
        self._end_sample()

    def _add_action(self, action: Action) -> None:
        person = _NOBODY if action.person is None else action.person
        label = self._labels.setdefault(action.label, len(self._labels))
        self._columns["action_label"].append(label)
        self._columns["action_person"].append(person)
        self._columns["action_times"].append((action.start, action.end))

    def _end_sample(self) -> None:
        for offsets, inside in _TABLES.items():
            self._columns[offsets].append(self._columns[next(iter(inside))].rows)

    def header(self, folder: Path) -> dict[str, object]:
        if not self.names:
            raise DatasetError(f"{folder} is not written: there is no sample that can be used")
        if len(self._labels) < 2:
            raise DatasetError(
                f"{folder} is not written: the labels of {len(self.names)} samples are "
                f"{list(self._labels)}, expected at least two to tell apart"
            )
        rows = {name: column.rows for name, column in self._columns.items()}
        return {"skeletr_store": VERSION, "labels": list(self._labels), "rows": rows}


def _check_target(folder: Path, overwrite: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / HEADER).is_file():
        raise DatasetError(f"{folder} is there and no store; choose another folder")
    if not overwrite:
        raise DatasetError(f"{folder} is there already; choose another folder, or overwrite it")


def _read_header(folder: Path) -> tuple[list[str], dict[str, int]]:
    """The labels, and the number of rows of every column."""
    path = folder / HEADER
    if not path.is_file():
        raise DatasetError(f"{folder} is not a store, or was not written to its end: no {HEADER}")
    header = read_json(path, dict)
    if header.get("skeletr_store") != VERSION:
        raise DatasetError(
            f"{path}: version {header.get('skeletr_store')}, this program reads {VERSION}"
        )
    labels, rows = header.get("labels"), header.get("rows")
    columns = {*_PARTS, *_OFFSETS, *_FACTS}
    if not isinstance(labels, list) or not isinstance(rows, dict) or set(rows) != columns:
        raise DatasetError(f"{path}: expected labels, and rows of {sorted(columns)}")
    return [str(label) for label in labels], {name: int(count) for name, count in rows.items()}
