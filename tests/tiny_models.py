"""Networks and inputs that are small enough for tests of the model."""

from __future__ import annotations

import torch

from skeletr.batch import SequenceBatch
from skeletr.model import SkeleTR, SkeleTRConfig
from skeletr.model.config import BackboneConfig
from skeletr.skeleton import C, V

CHANNELS, STRIDES = (12, 12, 24), (1, 1, 2)
TINY = BackboneConfig(CHANNELS, STRIDES)
T = 12


def tiny(backbone: BackboneConfig = TINY, **changes: object) -> SkeleTR:
    """In evaluation mode, with statistics and weights as after training."""
    torch.manual_seed(0)
    config = SkeleTRConfig(backbone=backbone, instance_classes=5, scene_classes=4, **changes)
    return as_trained(SkeleTR(config))


def as_trained(model: torch.nn.Module) -> torch.nn.Module:
    """Not the neutral 0 and 1, nor the zeros with which some parts begin."""
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.any():
                parameter.uniform_(-0.3, 0.3)
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d | torch.nn.BatchNorm1d):
                module.running_mean.uniform_(-0.3, 0.3)
                module.running_var.uniform_(0.5, 2)
                module.weight.uniform_(0.5, 1.5)
    return model.eval()


def scenes(n: int = 2, m: int = 4) -> SequenceBatch:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(n, m, T, V, C, generator=generator)
    embedding = torch.randn(n, m, 5, generator=generator)
    return SequenceBatch(x, embedding, torch.ones(n, m, dtype=torch.bool))
