"""Where the data lie: folders, or archives that are unpacked once into a cache."""

from __future__ import annotations

import os
import tarfile
import tempfile
from pathlib import Path

from skeletr.datasets.clip import DatasetError

DATA_VARIABLE = "SKELETR_DATA"
CACHE_VARIABLE = "SKELETR_CACHE"


def data_root(given: str | os.PathLike[str] | None = None) -> Path:
    """The folder with the data sets: as given, else from the environment.

    Raises:
        DatasetError: neither is set, or there is no such folder.
    """
    text = str(given or os.environ.get(DATA_VARIABLE, ""))
    if not text:
        raise DatasetError(
            f"no data folder: give data=FOLDER or set {DATA_VARIABLE} to the folder that holds "
            "the data sets (as folders or as NAME.tar.xz)"
        )
    if not Path(text).is_dir():
        raise DatasetError(f"{text} is not a folder; expected the folder that holds the data sets")
    return Path(text)


def dataset_folder(root: Path, name: str) -> Path:
    """The folder of one data set below `root`; NAME.tar.xz is unpacked into the cache once.

    Raises:
        DatasetError: there is neither the folder nor the archive, or it cannot be unpacked.
    """
    if (root / name).is_dir():
        return root / name
    archive = root / f"{name}.tar.xz"
    if not archive.is_file():
        raise DatasetError(f"{root} holds neither the folder {name} nor {archive.name}")
    target = _cache() / f"{name}-{archive.stat().st_size}"
    if not target.is_dir():
        _unpack(archive, target)
    return target / name if (target / name).is_dir() else target


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get(CACHE_VARIABLE) or Path(home) / "skeletr") / "datasets"


def _unpack(archive: Path, target: Path) -> None:
    """Unpack beside `target` and move into place, so that half a data set is never found."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as partial:
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(Path(partial) / "data", filter="data")
        except (tarfile.TarError, EOFError, OSError) as error:
            raise DatasetError(f"{archive} cannot be unpacked: {error}") from error
        (Path(partial) / "data").rename(target)
