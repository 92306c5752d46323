"""A folder of recordings and sessions, as the app and `recognize` save them, as a data set.

Layout: FOLDER/**/*.npz of `Recording.save`, or of `Session.save`, of which the recording counts and
not what was recognised in it. The labels are the `actions` inside; a recording
without any is called after its outermost folder, FOLDER/LABEL/... FOLDER/split.csv, if there, says
who trains: rows of name,split, where name is the path below FOLDER without ".npz" ("wave/clip1")
and split is train, val or test. Without it shares of each label are drawn by the checksums of the
names.
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from reprlib import repr as short

from skeletr.datasets.clip import DatasetError, Split
from skeletr.datasets.sample import SPLITS, Note, Sample, drawn, place, quiet, read_text, whole
from skeletr.npz import NpzError, array_names
from skeletr.recording import Recording, RecordingError
from skeletr.session import MARK, Session, SessionError

SPLIT_FILE = "split.csv"
VAL_SHARE = TEST_SHARE = 0.1


def read_recordings(
    folder: Path,
    *,
    split_file: Path | None = None,
    val: float = VAL_SHARE,
    test: float = TEST_SHARE,
    note: Note = quiet,
) -> Iterator[Sample]:
    """All recordings below `folder` that show somebody; hidden folders are left alone.

    Args:
        split_file: see above, FOLDER/split.csv if not given.
        val, test: shares to hold out where there is no such file.

    Raises:
        DatasetError: no recordings, one that is broken or has no label, or one that the split
            file does not name.
    """
    paths = visible_files(folder, {".npz"})
    if not paths:
        raise DatasetError(f"{folder} holds no recordings (*.npz)")
    names = {path: path.relative_to(folder).with_suffix("").as_posix() for path in paths}
    splits = assign_splits(names.values(), folder, split_file, val, test)
    for path, name in names.items():
        recording = load_labelled(path, label_of(path, folder))
        if not len(recording.frame):
            note(f"{path}: nobody is seen")
            continue
        yield Sample(recording, name, splits[name])


def label_of(path: Path, folder: Path) -> str:
    """The name of the first folder between `folder` and the file, "" where there is none."""
    parts = path.relative_to(folder).parts
    return parts[0] if len(parts) > 1 else ""


def load_labelled(path: Path, label: str) -> Recording:
    """A recording, also in a session, with its own labels, or else all of it with `label`; "" =
    there must be some.

    Raises:
        DatasetError: it is broken, or has no label.
    """
    try:
        recording = _recording_in(path)
    except (RecordingError, SessionError) as error:
        raise DatasetError(f"{path}: {error}") from error
    if recording.actions:
        return recording
    if not label:
        raise DatasetError(f"{path} has no labels; expected actions in it, or LABEL/NAME.npz")
    return replace(recording, actions=whole(label, recording))


def _recording_in(path: Path) -> Recording:
    try:
        is_session = MARK in array_names(path)
    except (NpzError, OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        is_session = False  # reading it says what is wrong with it
    return Session.load(path).recording if is_session else Recording.load(path)


def assign_splits(
    names: Collection[str],
    folder: Path,
    split_file: Path | None = None,
    val: float = VAL_SHARE,
    test: float = TEST_SHARE,
) -> dict[str, Split]:
    """The split of every name: from the split file if there is one, else drawn label by label.

    Raises:
        DatasetError: the file cannot be read, a row is not name,split, or a name has no row.
    """
    path = split_file or folder / SPLIT_FILE
    if split_file is None and not path.is_file():
        return _drawn_by_label(names, val, test)
    given = _read_splits(path)
    missing = [name for name in names if name not in given]
    if missing:
        raise DatasetError(f"{path} has no row for {missing[0]} ({len(missing)} names are missing)")
    return {name: given[name] for name in names}


def _drawn_by_label(names: Collection[str], val: float, test: float) -> dict[str, Split]:
    """As `drawn`, but of few names too some are held out, and one of each label trains.

    Three of a label are enough for one to validate by, four for another one to test. The same
    names are always divided in the same way.
    """
    labels: dict[str, list[str]] = {}
    for name in names:
        labels.setdefault(name.partition("/")[0] if "/" in name else "", []).append(name)
    found: dict[str, Split] = {}
    for group in labels.values():
        parts = [drawn(name, val, test) for name in group]
        most = len(group) - 1
        held = min(most, max(parts.count("val"), len(group) >= 3 and val > 0))
        tested = min(most - held, max(parts.count("test"), len(group) >= 4 and test > 0))
        for rank, name in enumerate(sorted(group, key=place)):
            of_test, of_val = rank < tested, rank < tested + held
            found[name] = "test" if of_test else "val" if of_val else "train"
    return {name: found[name] for name in names}


def _read_splits(path: Path) -> dict[str, Split]:
    splits: dict[str, Split] = {}
    for number, row in enumerate(csv.reader(read_text(path).splitlines()), start=1):
        if not row or (number == 1 and row == ["name", "split"]):
            continue
        if len(row) != 2 or row[1].strip() not in SPLITS:
            raise DatasetError(
                f"{path}, line {number}: {short(row)}, expected a name and one of {SPLITS}"
            )
        splits[row[0].strip().removesuffix(".npz")] = row[1].strip()
    return splits


def visible_files(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """Files with these suffixes below `folder`, sorted; none that is hidden or in a hidden folder.

    Raises:
        DatasetError: there is no such folder.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder")
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in suffixes
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
