"""How sure is sure: temperature and the threshold of "unknown", chosen on validation scenes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from skeletr.batch import SequenceBatch
from skeletr.checkpoint import Calibration
from skeletr.datasets.targets import IGNORE
from skeletr.model import SkeleTR
from skeletr.skeleton import BODY_JOINTS, V
from skeletr.training.data import LabelledBatch

_TEMPERATURES = np.geomspace(0.3, 3.0, 47)
_THRESHOLDS = np.arange(0.2, 0.61, 0.01)
_WRONG = 0.2  # of the labels that are shown, at most so many may be wrong
_FALSE_ALARMS = 0.05  # of the people who stand or sit, at most so many are said to act
_NONSENSE = 0.3  # of the bodies that cannot be, at most so many get a label


@dataclass(frozen=True)
class Judged:
    """Labelled sequences of validation scenes.

    logits: (R, K); targets: (R,). nonsense: (S, K) logits of bodies that cannot be.
    """

    logits: Tensor
    targets: Tensor
    nonsense: Tensor

    @property
    def accuracy(self) -> float:
        """Share of sequences whose best label is right."""
        return float((self.logits.argmax(dim=1) == self.targets).float().mean())

    def loss(self, temperature: float = 1.0) -> float:
        """Mean negative log likelihood."""
        return float(F.cross_entropy(self.logits / temperature, self.targets))


@torch.inference_mode()
def judge(model: SkeleTR, batches: Iterable[LabelledBatch]) -> Judged:
    """Run the model, in evaluation mode, over batches."""
    logits, targets, nonsense = [], [], []
    for number, batch in enumerate(batches):
        known = batch.instance != IGNORE
        logits.append(model(batch.scenes).instance[known].float())
        targets.append(batch.instance[known])
        mixed = mix_joints(batch.scenes, seed=number)
        nonsense.append(model(mixed).instance[mixed.mask].float())
    return Judged(torch.cat(logits), torch.cat(targets), torch.cat(nonsense))


def mix_joints(batch: SequenceBatch, seed: int) -> SequenceBatch:
    """Movements of people on bodies that cannot be: the joints exchanged at random."""
    generator = torch.Generator().manual_seed(seed)
    body = torch.tensor(BODY_JOINTS)
    order = torch.arange(V)
    order[body] = body[torch.randperm(len(body), generator=generator)]
    return replace(batch, x=batch.x[..., order, :])


def calibrate(judged: Judged, rest: Iterable[int] = ()) -> Calibration:
    """The temperature of the smallest loss, and the lowest threshold that is honest enough.

    Honest enough: few of the labels shown are wrong, few people at rest (whose targets are in
    `rest`) are said to act, and few impossible bodies get a label. If no threshold is, the
    highest one that is looked at.
    """
    temperature = float(min(_TEMPERATURES, key=judged.loss))
    scores, best = (judged.logits / temperature).softmax(dim=1).max(dim=1)
    wrong = (best != judged.targets).numpy()
    resting = np.isin(judged.targets.numpy(), list(rest))
    nonsense = (judged.nonsense / temperature).softmax(dim=1).amax(dim=1).numpy()
    for threshold in _THRESHOLDS:
        shown = scores.numpy() >= threshold
        if (
            _share(wrong, shown) <= _WRONG
            and _share(wrong & shown, resting) <= _FALSE_ALARMS
            and (nonsense >= threshold).mean() <= _NONSENSE
        ):
            break
    return Calibration(round(temperature, 3), round(float(threshold), 2))


def _share(what: np.ndarray, among: np.ndarray) -> float:
    """Share of True in `what` where `among` is True; 0 where nothing is."""
    return float(what[among].mean()) if among.any() else 0.0
