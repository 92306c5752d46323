"""From what the network says to probabilities: the same for every way of asking it."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch

from skeletr.checkpoint import Checkpoint
from skeletr.model.skeletr import SkeleTROutput
from skeletr.sequences import Sequences


class Taught(Protocol):
    """Labels that a user taught, beside those of the checkpoint; see `skeletr.teach`."""

    names: tuple[str, ...]

    def shares(self, features: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """How likely each of n sequences shows each taught action, (n, names).

        Between 0 and 1, at most 1 in sum; what is left belongs to the labels of the checkpoint.

        Args:
            features: (n, d) after stage 2. tokens: (n, L, d) of stage 1.
        """


# Key frames without anybody after which the room is empty: in a single one, people who are there
# may have been overlooked.
_OVERLOOKED = 1.5


class Scorer:
    """Calibrated probabilities over `labels`: the checkpoint's, then the taught ones."""

    def __init__(self, checkpoint: Checkpoint, taught: Taught | None = None) -> None:
        """Raises `ValueError` where a taught name is a label of the checkpoint already."""
        names = () if taught is None else tuple(taught.names)
        double = sorted(set(names) & set(checkpoint.labels))
        if double:
            raise ValueError(f"{double} are labels of the checkpoint already, expected new names")
        self.labels = checkpoint.labels + names
        self._taught = taught if names else None
        self._temperature = checkpoint.calibration.temperature
        self._interaction = np.isin(checkpoint.labels, checkpoint.interactions)

    def people(self, output: SkeleTROutput, alone: bool, tokens: torch.Tensor) -> np.ndarray:
        """(n, K) of the n sequences of the one scene in `output`; nobody interacts `alone`.

        Args:
            tokens: (n, L, d), what the output was made of.
        """
        scores = self._softmax(output.instance[0], alone)
        if self._taught is None:
            return scores
        features, tokens = (t.float().cpu().numpy() for t in (output.features[0], tokens))
        return _beside(scores, self._taught.shares(features, tokens))

    def scene(self, output: SkeleTROutput, alone: bool, people: np.ndarray) -> np.ndarray:
        """(K,) of the one scene in `output`; people: what `people` gave for it.

        What was taught was shown on people; a scene shows it as much as its people do.
        """
        scores = self._softmax(output.scene, alone)
        if self._taught is None:
            return scores[0]
        shares = people[:, scores.shape[1] :].mean(axis=0, keepdims=True)
        return _beside(scores, shares)[0]

    def _softmax(self, logits: torch.Tensor, alone: bool) -> np.ndarray:
        scaled = logits.float().reshape(-1, logits.shape[-1]) / self._temperature
        if alone:
            scaled[:, torch.from_numpy(self._interaction).to(scaled.device)] = -torch.inf
        return torch.softmax(scaled, dim=-1).cpu().numpy()


def _beside(scores: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """(n, K) and (n, taught) -> (n, K + taught), rows sum to 1."""
    rest = 1 - shares.sum(axis=1, keepdims=True)
    return np.concatenate([scores * rest, shares], axis=1).astype(np.float32)


def in_company(sequences: Sequences) -> bool:
    """Whether two people were ever there at the same time; one may have had two ids."""
    _, count = np.unique(sequences.times, return_counts=True)
    return bool(len(count) and count.max() > 1)


def nobody_there(key: float, peopled: float | None, interval: float) -> bool:
    """Whether the room is empty at a key frame, though people are still in its window.

    Args:
        key: seconds. peopled: the newest key frame until then with somebody in it, None if there
            was none. interval: seconds between key frames.
    """
    return peopled is None or key - peopled > _OVERLOOKED * interval
