"""The GCN alone, without interaction: the baseline of the paper's Table 2."""

from __future__ import annotations

from torch import Tensor, nn

from skeletr.model.config import BackboneConfig
from skeletr.model.stgcn import STGCN


class GCNClassifier(nn.Module):
    """Classic skeleton action recognition: M^ long sequences per video, features averaged."""

    def __init__(self, backbone: BackboneConfig, classes: int) -> None:
        super().__init__()
        self.backbone = STGCN(backbone)
        self.scene_head = nn.Linear(backbone.width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, M, T, V, C) -> logits (N, K)."""
        n, m, *rest = x.shape
        features = self.backbone(x.reshape(n * m, *rest)).mean(dim=(2, 3))
        return self.scene_head(features.view(n, m, -1).mean(dim=1))
