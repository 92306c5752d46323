"""The GCN alone, without interaction: the baseline of the paper's Table 2."""

from __future__ import annotations

from torch import Tensor, nn

from skeletr.model.backbone import Backbone
from skeletr.model.config import BackboneConfig


class GCNClassifier(nn.Module):
    """Classic skeleton action recognition: M^ long sequences per video, features averaged.

    The same as SkeleTR with interaction "none", aggregation "1x1" and a scene head, but for
    `BackboneConfig.people`; that is how it is trained, see configs/paper.
    """

    def __init__(self, backbone: BackboneConfig, classes: int) -> None:
        super().__init__()
        self.people = backbone.people
        self.backbone = Backbone(backbone)
        self.scene_head = nn.Linear(backbone.width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, M, T, V, C) -> logits (N, K).

        Raises:
            ValueError: M is not the number of people that the input norm is for.
        """
        n, m, *rest = x.shape
        if self.people not in (1, m):
            raise ValueError(f"{m} sequences per scene given, expected {self.people}")
        features = self.backbone(x.reshape(n * m, *rest)).mean(dim=(2, 3))
        return self.scene_head(features.view(n, m, -1).mean(dim=1))
