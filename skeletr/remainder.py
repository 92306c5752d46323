"""What is left of a stream without somebody: who is next to whom now, and the tokens of that."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from skeletr.coordinates import normalise
from skeletr.evidence import Evidence
from skeletr.model import SkeleTR
from skeletr.sequences import SequenceConfig, Sequences, nearest_boxes

_BATCH = 64  # sequences
_REMEMBERED = 6000  # sequences


@dataclass(frozen=True)
class Remainder:
    """sequences: the R of the evidence, next to whom they are now. moved: (R,) bool, where that is
    somebody else than before. usable: indices of those that are left and may be related."""

    sequences: Sequences
    moved: np.ndarray
    usable: np.ndarray


@dataclass(frozen=True)
class Tokens:
    """Tokens of stage 1, (n, L, d), of n sequences; which: their indices, ascending."""

    which: np.ndarray
    rows: torch.Tensor

    def of(self, index: np.ndarray) -> torch.Tensor:
        """(m, L, d) of m of them, by their indices."""
        return self.rows[torch.from_numpy(np.searchsorted(self.which, index))]


class Remainders:
    """Leaves sequences out of the evidence.

    Where coordinates are relative to a pair, whoever stood next to somebody that is left out has
    other coordinates without him or her; those few sequences pass stage 1 again, once.
    """

    def __init__(self, model: SkeleTR, config: SequenceConfig, evidence: Evidence) -> None:
        self._model, self._config = model, config
        self._evidence = evidence
        self._last: tuple[bytes, Remainder] | None = None  # a question is asked part by part
        self._known: dict[tuple[int, bytes], torch.Tensor] = {}

    def without(self, removed: np.ndarray) -> Remainder:
        """Args: removed: (R,) bool."""
        name = removed.tobytes()
        if self._last is None or self._last[0] != name:
            self._last = name, self._left(removed)
        return self._last[1]

    def _left(self, removed: np.ndarray) -> Remainder:
        evidence = self._evidence
        usable = np.flatnonzero(~removed & evidence.usable)
        if self._config.normalise != "pair" or not removed.any():
            return Remainder(evidence.sequences, np.zeros(len(removed), dtype=bool), usable)
        sequences = self._neighbours(removed)
        moved = (sequences.neighbour != evidence.sequences.neighbour).any(axis=1)
        return Remainder(sequences, moved, usable)

    def tokens(self, rest: Remainder, which: np.ndarray) -> Tokens:
        """Of these sequences, by their ascending indices; stage 1 where they stand next to somebody
        else and were not asked for before."""
        rows = self._evidence.tokens[torch.from_numpy(which)]
        moved = np.flatnonzero(rest.moved[which])
        if len(moved):
            rows[torch.from_numpy(moved)] = self._anew(rest.sequences, which[moved])
        return Tokens(which, rows)

    def _neighbours(self, removed: np.ndarray) -> Sequences:
        """The sequences, with the nearest of those who are left in each key frame."""
        sequences = self._evidence.sequences
        neighbour = sequences.neighbour.copy()
        keys = np.unique(sequences.times[removed])
        starts = np.searchsorted(sequences.times, keys, side="left")
        ends = np.searchsorted(sequences.times, keys, side="right")
        for start, end in zip(starts, ends, strict=True):
            left = start + np.flatnonzero(~removed[start:end])
            neighbour[left] = nearest_boxes(sequences.boxes[left])
        return replace(sequences, neighbour=neighbour)

    def _anew(self, sequences: Sequences, moved: np.ndarray) -> torch.Tensor:
        """(n, L, d) of n sequences for their new neighbours."""
        names = [(int(i), sequences.neighbour[i].tobytes()) for i in moved]
        if len(self._known) + len(names) > _REMEMBERED:
            self._known.clear()
        missing = [i for i, name in zip(moved, names, strict=True) if name not in self._known]
        for start in range(0, len(missing), _BATCH):
            part = sequences.take(np.array(missing[start : start + _BATCH]))
            for i, row in zip(missing[start : start + _BATCH], self._stage1(part), strict=True):
                self._known[int(i), sequences.neighbour[i].tobytes()] = row
        return torch.stack([self._known[name] for name in names])

    @torch.inference_mode()
    def _stage1(self, sequences: Sequences) -> torch.Tensor:
        device = next(self._model.parameters()).device
        x = torch.from_numpy(normalise(sequences, self._config)).to(device)
        return self._model.tokens(x).float().cpu()
