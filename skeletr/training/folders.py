"""Whether the folders of a run can be written, before time is spent, and while it runs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class TrainingError(RuntimeError):
    """Training cannot go on: says where and why."""


def check_folder(folder: Path, needed: int) -> None:
    """Make a folder, write a small file into it, and look for `needed` bytes of space.

    Raises:
        TrainingError: it cannot be written, or the disk is too full.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".write-test-") as file:
            file.write(b"x" * 4096)
            file.flush()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise TrainingError(
            f"{folder} cannot be written: {error}; choose another folder"
        ) from error
    if free < needed:
        raise TrainingError(
            f"{folder}: {free / 1e6:.0f} MB are free, a run needs about {needed / 1e6:.0f} MB; "
            "make space or choose another folder"
        )


@contextmanager
def writing(what: str, folder: Path, step: int) -> Iterator[None]:
    """Turn a full disk into a message; files that were there are whole, see `atomic_path`.

    Raises:
        TrainingError: the block could not write.
    """
    try:
        yield
    except OSError as error:
        raise TrainingError(
            f"{what} of step {step} could not be written into {folder}: {error}; the last saved "
            "state is whole, so make space and start the same command again"
        ) from error
