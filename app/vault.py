"""Where visitors' files lie: in folders that cannot be guessed, for as long as they are needed."""

from __future__ import annotations

import logging
import os
import re
import secrets
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_LOG = logging.getLogger(__name__)
_PREFIX = "visitor-"
# What may be removed by age: our folders, and Gradio's, named after a SHA-256. The folder that
# holds them may be shared with other programs.
_OURS = re.compile(rf"{_PREFIX}[\w-]{{43}}|[0-9a-f]{{64}}")
# Gradio leaves an empty file for every file that it hands over, and a part of an upload that it
# could not finish. One that is still coming in grows.
_STRAY = re.compile(r"tmp[a-z0-9_]{8}")
_STRAY_AGE = 300.0  # seconds


class Vault:
    """Results and uploads below one root, which is the folder that Gradio serves files from.

    Whoever knows a path there can read the file, so each path holds 256 random bits: Gradio names
    the folder of an upload by a hash with a secret seed, and `new_folder` does likewise.

    Args:
        root: made if it is not there. keep: seconds after which a file is removed though its
            page may still be open.
    """

    def __init__(self, root: Path, keep: float) -> None:
        self.root = root.resolve()
        self._keep = keep
        self._stray_age = min(keep, _STRAY_AGE)
        self._lock = threading.Lock()
        self._holders: dict[Path, set[object]] = defaultdict(set)

    def new_folder(self) -> Path:
        """An empty folder for the results of one visitor; the caller removes it."""
        folder = self.root / f"{_PREFIX}{secrets.token_urlsafe(32)}"
        folder.mkdir(parents=True, mode=0o700)
        return folder

    def remove(self, folder: Path) -> None:
        """Remove a folder made by `new_folder`; what resists is removed by age later."""
        shutil.rmtree(folder, ignore_errors=True)

    def hold(self, holder: object, upload: Path) -> None:
        """Note that `holder` uses an upload; equal files of several visitors are one file."""
        upload = upload.resolve()
        if upload.is_relative_to(self.root):  # a file from elsewhere is never ours to remove
            with self._lock:
                self._holders[upload].add(holder)

    def release(self, holder: object, but: Path | None = None) -> None:
        """Remove the uploads that `holder`, and nobody else, used; all `but` one."""
        kept = but and but.resolve()
        with self._lock:
            for upload in [p for p, h in self._holders.items() if holder in h and p != kept]:
                self._holders[upload].discard(holder)
                if not self._holders[upload]:
                    del self._holders[upload]
                    _remove_upload(upload, self.root)

    def refresh(self, holder: object, folder: Path | None) -> None:
        """Begin the age of a visitor's files anew, because they are in use."""
        with self._lock:
            used = [p for p, holders in self._holders.items() if holder in holders]
        folders = [*(p.parent for p in used), *([folder] if folder else [])]
        for path in (*used, *folders):
            _begin_anew(path)

    def keep(self, uploads: Iterable[Path]) -> None:
        """Begin the age of uploads anew that nobody holds, because somebody waits for them.

        What is no file in here is left alone.
        """
        for upload in uploads:
            with suppress(OSError, ValueError):  # a name that no file can have
                upload = upload.resolve()
                if upload.is_relative_to(self.root) and upload.is_file():
                    _begin_anew(upload)
                    _begin_anew(upload.parent)

    def sweep(self) -> int:
        """Remove what is older than it may be, also what a killed program left; how many things."""
        try:
            entries = list(self.root.iterdir())
        except OSError:
            return 0
        old = [entry for entry in entries if self._is_over(entry)]
        for entry in old:
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)
        if old:
            _LOG.info("old files removed", extra={"fields": {"count": len(old)}})
        return len(old)

    def free(self) -> int:
        """Bytes that are free where the files lie."""
        place = next(p for p in (self.root, *self.root.parents) if p.exists())
        return shutil.disk_usage(place).free

    def _is_over(self, entry: Path) -> bool:
        try:
            facts = entry.lstat()
            names, most = (_OURS, self._keep) if entry.is_dir() else (_STRAY, self._stray_age)
        except OSError:  # gone in the meantime
            return False
        return bool(names.fullmatch(entry.name)) and time.time() - facts.st_mtime > most


def _begin_anew(path: Path) -> None:
    with suppress(OSError):  # removed in the meantime
        os.utime(path)


def _remove_upload(upload: Path, root: Path) -> None:
    try:
        upload.unlink(missing_ok=True)
        if upload.parent != root:
            upload.parent.rmdir()
    except OSError:  # another file of the same content and another name lies beside it
        pass
