"""What a recogniser keeps so that "what if" can be asked: stage-1 tokens, and who was when."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from skeletr.actions import ActionLog, Status
from skeletr.sequences import SequenceConfig, Sequences, empty_sequences

# Sequences whose tokens are kept: 64 MB for SkeleTR-S, or 19 minutes of four people; 18 MB more
# where keypoints are kept too.
MOST_SEQUENCES = 6000


@dataclass(frozen=True)
class Evidence:
    """Everything that stage 2 needs to relate the windows of a stream again.

    keys: (n,) float64 seconds, key frames whose windows are complete in here.
    sequences: R short sequences in order of time; with their keypoints only where coordinates are
        relative to a pair, as then they depend on who is there.
    statuses: R, why a sequence was or was not related.
    tokens: (R, L, d), float32; zero where the status is not OK.
    log: what was recognised; it says who was in view from when to when.
    threshold: below this probability the answer is "unknown".
    """

    keys: np.ndarray
    sequences: Sequences
    statuses: tuple[Status, ...]
    tokens: torch.Tensor
    log: ActionLog
    threshold: float

    @property
    def usable(self) -> np.ndarray:
        """(R,) bool: the sequences that may be related."""
        return np.array([s is Status.OK for s in self.statuses], dtype=bool)


@dataclass(frozen=True)
class _Step:
    """One key frame: its new sequences (R'), and the tokens (U, L, d) of the usable ones."""

    key: float
    sequences: Sequences
    statuses: tuple[Status, ...]
    tokens: torch.Tensor

    def spread(self) -> torch.Tensor:
        """(R', L, d) tokens, zero where the status is not OK."""
        out = self.tokens.new_zeros(len(self.statuses), *self.tokens.shape[1:])
        usable = [s is Status.OK for s in self.statuses]
        out[torch.tensor(usable, dtype=torch.bool, device=out.device)] = self.tokens
        return out.cpu()


class EvidenceKeeper:
    """Collects key frame by key frame; the oldest go when there are too many."""

    def __init__(self, config: SequenceConfig, seconds: float | None, most: int) -> None:
        """Args: seconds: of key frames to keep, None for all; most: sequences to keep."""
        self._config = config
        # A window looks back: what is just before the kept key frames is needed too.
        self._seconds = None if seconds is None else seconds + config.window
        self._most = most
        self._steps: deque[_Step] = deque()
        self._count = 0
        self._forgotten = -np.inf

    def add(
        self, key: float, new: Sequences, statuses: Sequence[Status], tokens: torch.Tensor
    ) -> None:
        """One key frame; tokens (U, L, d) are those of the sequences whose status is OK."""
        self._steps.append(_Step(key, self._bare(new), tuple(statuses), tokens))
        self._count += len(new)
        while self._count > self._most or self._too_old(key):
            gone = self._steps.popleft()
            self._count -= len(gone.statuses)
            self._forgotten = gone.key

    def _bare(self, sequences: Sequences) -> Sequences:
        """Without what nothing will be worked out from again."""
        if self._config.normalise == "pair":
            return sequences
        return replace(sequences, keypoints=sequences.keypoints[:, :0].copy())

    def _too_old(self, now: float) -> bool:
        return self._seconds is not None and self._steps[0].key < now - self._seconds

    def evidence(self, log: ActionLog, threshold: float) -> Evidence | None:
        """A copy that later steps do not change; None before the first key frame."""
        if not self._steps:
            return None
        steps = list(self._steps)
        keys = np.array([s.key for s in steps])
        parts = [s.sequences for s in steps if len(s.sequences)]
        nothing = self._bare(empty_sequences((1, 1), self._config))
        return Evidence(
            keys=keys[keys > self._forgotten + self._config.window - 1e-6],
            sequences=Sequences.concatenate(parts or [nothing]),
            statuses=tuple(status for s in steps for status in s.statuses),
            tokens=torch.cat([s.spread() for s in steps]),
            log=log,
            threshold=threshold,
        )
