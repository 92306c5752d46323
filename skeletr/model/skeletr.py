"""SkeleTR: a GCN per short sequence, Mix Pooling, and a Transformer over all sequences.

With the other values of `interaction` and `aggregation` it is what the paper compares itself with.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from skeletr.batch import SequenceBatch
from skeletr.model.alternatives import make_interaction
from skeletr.model.backbone import Backbone
from skeletr.model.config import SkeleTRConfig
from skeletr.model.graph import bones
from skeletr.model.interaction import Related
from skeletr.model.mix_pooling import MixPooling

EMBEDDING_INPUT = 5  # box of the centre skeleton and normalised time of the centre frame


@dataclass(frozen=True)
class SkeleTROutput:
    """What the network says about N scenes of M sequences.

    instance: (N, M, K) logits per sequence, or None without that head; 0 at padding.
    scene: (N, K) logits per scene, or None without that head.
    features: (N, M, d) one vector per sequence; 0 at padding.
    attention: per layer (N, heads, M*L, M*L), or None if not asked for, or if sequences are not
        related by attention.
    """

    instance: Tensor | None
    scene: Tensor | None
    features: Tensor
    attention: tuple[Tensor, ...] | None = None


class SkeleTR(nn.Module):
    """The network of the paper. Padding is an explicit mask and changes nothing."""

    def __init__(self, config: SkeleTRConfig) -> None:
        super().__init__()
        self.config = config
        width = config.backbone.width
        self.backbone = Backbone(config.backbone)
        self.pooling = MixPooling(config.aggregation)
        self.embedding = self.norm = None
        if config.interaction != "none":
            self.embedding = nn.Linear(EMBEDDING_INPUT, width)
            self.norm = nn.LayerNorm(width)
        self.encoder = make_interaction(config)
        self.instance_head = _head(width, config.instance_classes)
        self.scene_head = _head(width, config.scene_classes)

    def forward(self, batch: SequenceBatch, need_attention: bool = False) -> SkeleTROutput:
        """Both stages: see `tokens` and `relate`. Batch norms see the real sequences only."""
        real = self.tokens(batch.x[batch.mask])  # (R, L, d)
        padded = real.new_zeros(*batch.mask.shape, *real.shape[1:])
        padded[batch.mask] = real
        return self.relate(padded, batch.embedding, batch.mask, need_attention)

    def tokens(self, x: Tensor) -> Tensor:
        """Stage 1, one sequence at a time: (R, T, V, C) -> (R, L, d).

        A sequence's tokens do not depend on the other sequences, so they may be cached.
        """
        x = torch.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)
        if self.config.stream == "bone":
            x = bones(x)
        if not len(x):  # an empty batch has no statistics; keep the shape of the tokens
            count = self.pooling.length(self.config.backbone.frames(x.shape[1]))
            return x.new_zeros(0, count, self.config.backbone.width)
        return self.pooling(self.backbone(x))

    def relate(
        self, tokens: Tensor, embedding: Tensor, mask: Tensor, need_attention: bool = False
    ) -> SkeleTROutput:
        """Stage 2, all sequences together, and the heads.

        Args:
            tokens: (N, M, L, d). embedding: (N, M, 5). mask: (N, M) bool, True = real.
        """
        features, attention = self.interact(tokens, embedding, mask, need_attention)
        return SkeleTROutput(
            self._instance(features, mask), self._scene(features, mask), features, attention
        )

    def interact(
        self, tokens: Tensor, embedding: Tensor, mask: Tensor, need_attention: bool = False
    ) -> Related:
        """Stage 2 without the heads, see `relate`: features (N, M, d), 0 at padding."""
        if self.embedding is not None:
            embedding = torch.nan_to_num(embedding, nan=0.0, posinf=0.0, neginf=0.0)
            tokens = self.norm(tokens + self.embedding(embedding)[:, :, None])
        features, attention = self.encoder(tokens, mask, need_attention)
        return features * mask[..., None], attention

    def _instance(self, features: Tensor, mask: Tensor) -> Tensor | None:
        if self.instance_head is None:
            return None
        return self.instance_head(features) * mask[..., None]

    def _scene(self, features: Tensor, mask: Tensor) -> Tensor | None:
        if self.scene_head is None:
            return None
        count = mask.sum(dim=1, keepdim=True).clamp(min=1)
        return self.scene_head(features.sum(dim=1) / count)


def _head(width: int, classes: int) -> nn.Linear | None:
    return nn.Linear(width, classes) if classes else None
