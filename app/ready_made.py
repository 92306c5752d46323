"""Examples are the same for everybody: the model looks at each once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, fields, replace
from pathlib import Path

from app.outcome import Files, Outcome

_MOST = 12  # of all thresholds together
Key = tuple[str, float | None]


@dataclass(frozen=True)
class _Kept:
    """outcome: without files. files: their names and what is in them, by field of `Files`."""

    outcome: Outcome
    files: dict[str, tuple[str, bytes]]


class ReadyMade:
    """Outcomes by name and threshold, with their files; may be used from several threads.

    Attributes:
        making: held by whoever makes one, so that nobody makes the same at the same time.
    """

    def __init__(self) -> None:
        self.making = threading.Lock()
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, key: Key, outcome: Outcome) -> None:
        """Remember an outcome that has a result and files."""
        paths = {f.name: getattr(outcome.files, f.name) for f in fields(Files)}
        files = {k: (p.name, p.read_bytes()) for k, p in paths.items() if p is not None}
        with self._lock:
            self._kept[key] = _Kept(replace(outcome, files=None), files)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)

    def take(self, key: Key, folder: Path) -> Outcome | None:
        """A remembered outcome with its files written into `folder`; None if there is none.

        Raises OSError where the disk refuses.
        """
        with self._lock:
            kept = self._kept.get(key)
        if kept is None:
            return None
        for name, content in kept.files.values():
            (folder / name).write_bytes(content)
        paths = {k: folder / name for k, (name, _) in kept.files.items()}
        return replace(kept.outcome, files=Files(**paths))
