"""The multi-person benchmark as a store: made once, the same for all cells, with a checksum."""

from __future__ import annotations

import hashlib
from pathlib import Path

from skeletr.datasets.clip import DatasetError
from skeletr.datasets.multi_person import read_multi_person
from skeletr.datasets.store import HEADER, write_store


def make_benchmark(folder: Path, data: Path) -> str:
    """Make the store where there is none; returns its checksum.

    Args:
        data: the folder with the data sets; only read where the store is not there.

    Raises:
        DatasetError: the data are missing or broken, or the folder is something else.
    """
    if not (folder / HEADER).is_file():
        print(f"making the benchmark in {folder}, once", flush=True)
        write_store(folder, read_multi_person(data))
    return checksum(folder)


def checksum(folder: Path) -> str:
    """SHA-256 over the names and contents of all files of a store, in order of their names.

    Raises:
        DatasetError: there is no store.
    """
    if not (folder / HEADER).is_file():
        raise DatasetError(f"{folder} is no store: there is no {HEADER}")
    total = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{digest}  {path.name}\n".encode())
    return total.hexdigest()
