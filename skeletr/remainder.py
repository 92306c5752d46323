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
    """sequences: the R of the evidence, next to whom they are now. tokens: (R, L, d), of stage 1.
    usable: indices of the sequences that are left and may be related."""

    sequences: Sequences
    tokens: torch.Tensor
    usable: np.ndarray


class Remainders:
    """Leaves sequences out of the evidence.

    Where coordinates are relative to a pair, whoever stood next to somebody that is left out has
    other coordinates without him or her; those few sequences pass stage 1 again, once.
    """

    def __init__(self, model: SkeleTR, config: SequenceConfig, evidence: Evidence) -> None:
        self._model, self._config = model, config
        self._evidence = evidence
        self._known: dict[tuple[int, bytes], torch.Tensor] = {}

    def without(self, removed: np.ndarray, first: float, last: float) -> Remainder:
        """Args: removed: (R,) bool. first, last: seconds; only the tokens of key frames between
        them are wanted."""
        evidence = self._evidence
        usable = np.flatnonzero(~removed & evidence.usable)
        if self._config.normalise != "pair" or not removed.any():
            return Remainder(evidence.sequences, evidence.tokens, usable)
        sequences = self._neighbours(removed)
        times = sequences.times[usable]
        wanted = usable[(times >= first - 1e-5) & (times <= last + 1e-5)]
        moved = (sequences.neighbour != evidence.sequences.neighbour).any(axis=1)
        return Remainder(sequences, self._tokens(sequences, wanted[moved[wanted]]), usable)

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

    def _tokens(self, sequences: Sequences, moved: np.ndarray) -> torch.Tensor:
        """All tokens, those of the sequences `moved` for their new neighbours."""
        names = [(int(i), sequences.neighbour[i].tobytes()) for i in moved]
        if len(self._known) + len(names) > _REMEMBERED:
            self._known.clear()
        missing = [i for i, name in zip(moved, names, strict=True) if name not in self._known]
        for start in range(0, len(missing), _BATCH):
            part = sequences.take(np.array(missing[start : start + _BATCH]))
            for i, row in zip(missing[start : start + _BATCH], self._stage1(part), strict=True):
                self._known[int(i), sequences.neighbour[i].tobytes()] = row
        if not names:
            return self._evidence.tokens
        tokens = self._evidence.tokens.clone()
        tokens[torch.from_numpy(moved)] = torch.stack([self._known[name] for name in names])
        return tokens

    @torch.inference_mode()
    def _stage1(self, sequences: Sequences) -> torch.Tensor:
        device = next(self._model.parameters()).device
        x = torch.from_numpy(normalise(sequences, self._config)).to(device)
        return self._model.tokens(x).float().cpu()
