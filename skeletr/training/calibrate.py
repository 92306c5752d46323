"""How sure is sure: temperature and the threshold of "unknown", chosen on validation scenes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from skeletr.checkpoint import Calibration
from skeletr.datasets.targets import IGNORE
from skeletr.model import SkeleTR
from skeletr.training.data import LabelledBatch

_TEMPERATURES = np.geomspace(0.3, 3.0, 47)
_THRESHOLDS = np.arange(0.2, 0.61, 0.01)
_RIGHT = 0.75  # of the labels that are shown
_FALSE_ALARMS = 0.08  # of the people who stand or sit, at most so many are said to act


@dataclass(frozen=True)
class Judged:
    """Labelled sequences of validation scenes. logits: (R, K); targets: (R,)."""

    logits: Tensor
    targets: Tensor

    @property
    def accuracy(self) -> float:
        """Share of sequences whose best label is right."""
        return float((self.logits.argmax(dim=1) == self.targets).float().mean())

    def loss(self, temperature: float = 1.0) -> float:
        """Mean negative log likelihood."""
        return float(F.cross_entropy(self.logits / temperature, self.targets))


@torch.inference_mode()
def judge(model: SkeleTR, batches: Iterable[LabelledBatch]) -> Judged:
    """Run the model, in evaluation mode and wherever it is, over batches."""
    device = next(model.parameters()).device
    logits, targets = [], []
    for batch in batches:
        known = batch.instance != IGNORE
        found = model(batch.scenes.to(device)).instance.float().cpu()
        logits.append(found[known])
        targets.append(batch.instance[known])
    return Judged(torch.cat(logits), torch.cat(targets))


def calibrate(judged: Judged, rest: Iterable[int] = ()) -> Calibration:
    """The temperature of the smallest loss, and the lowest threshold that is careful enough.

    Of the labels that are shown the share `_RIGHT` must be right, and of the people at rest
    (whose targets are in `rest`) at most `_FALSE_ALARMS` may be said to act. If no threshold is
    that careful, the highest one.
    """
    temperature = float(min(_TEMPERATURES, key=judged.loss))
    best_scores, best = (judged.logits / temperature).softmax(dim=1).max(dim=1)
    scores, wrong = best_scores.numpy(), (best != judged.targets).numpy()
    resting = np.isin(judged.targets.numpy(), list(rest))
    acts = ~np.isin(best.numpy(), list(rest))  # to call who sits standing is wrong, but no alarm

    def careful(threshold: float) -> bool:
        shown = scores >= threshold
        right = not shown.any() or wrong[shown].mean() <= 1 - _RIGHT
        calm = not resting.any() or (acts & shown)[resting].mean() <= _FALSE_ALARMS
        return bool(right and calm)

    lowest = next((float(t) for t in _THRESHOLDS if careful(t)), float(_THRESHOLDS[-1]))
    return Calibration(round(temperature, 3), round(lowest, 2))
