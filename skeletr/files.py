"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path`; it takes its place only if the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        partial.chmod(0o644)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_folder(path: str | os.PathLike[str], last: str = "") -> Iterator[Path]:
    """Give a temporary folder beside `path`; its files move into `path` only if the block
    succeeds, replacing those of the same name. The file called `last` moves last, after an older
    one was removed: where it is, the others belong to it, even if the program was killed."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as name:
        partial = Path(name)
        yield partial
        path.mkdir(exist_ok=True)
        if last:
            (path / last).unlink(missing_ok=True)
        for file in sorted(partial.iterdir(), key=lambda file: file.name == last):
            file.replace(path / file.name)
