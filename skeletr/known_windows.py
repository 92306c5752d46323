"""Scores of the windows that were related: small, and only as many as there is room for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

Name = tuple[float, bytes, bytes]
_WHOLE = np.iinfo(np.uint16).max


@dataclass(frozen=True)
class WindowScores:
    """One window: (m, K) float32 of its sequences and (K,) of the scene, between 0 and 1."""

    people: np.ndarray
    scene: np.ndarray


class KnownWindows:
    """Windows by name, the oldest first.

    Scores lie there as whole numbers of 16 bits: half the memory of float32, and no further from
    what was kept than a hundred-thousandth.

    Attributes:
        sequences: of all windows that are known. forgotten: windows that are no longer.
    """

    def __init__(self) -> None:
        self.sequences = self.forgotten = 0
        self._kept: dict[Name, WindowScores] = {}

    def __contains__(self, name: Name) -> bool:
        return name in self._kept

    def __getitem__(self, name: Name) -> WindowScores:
        """Raises KeyError where it is not known."""
        kept = self._kept[name]
        return WindowScores(_read(kept.people), _read(kept.scene))

    def keep(self, name: Name, scores: WindowScores) -> None:
        """Remember one that is not known yet."""
        self._kept[name] = WindowScores(_packed(scores.people), _packed(scores.scene))
        self.sequences += len(scores.people)

    def make_room(self, most: int, needed: Collection[Name], more: int) -> None:
        """For `more` sequences, to be `most` at most; the oldest go, but none that is needed."""
        for name in list(self._kept):
            if self.sequences + more <= most:
                return
            if name not in needed:
                self.sequences -= len(self._kept.pop(name).people)
                self.forgotten += 1


def _packed(scores: np.ndarray) -> np.ndarray:
    return np.rint(scores * _WHOLE).astype(np.uint16)


def _read(kept: np.ndarray) -> np.ndarray:
    return kept.astype(np.float32) / np.float32(_WHOLE)
