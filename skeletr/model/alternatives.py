"""What the paper compares the Transformer with (Table 4): other ways to relate sequences.

The paper does not define them beyond their names; each is the standard one. They take the same
tokens as the Transformer, embedded and normalised, but for "none", which is a GCN alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from skeletr.model.config import SkeleTRConfig
from skeletr.model.interaction import Related, Transformer, run_blocks


class NoInteraction(nn.Module):
    """Without interaction: the mean of a sequence's tokens goes straight to the heads.

    With the aggregation "1x1" that is the global mean of the backbone's features, so that the
    network is a GCN that classifies sequence by sequence.
    """

    def forward(self, tokens: Tensor, mask: Tensor, need_attention: bool = False) -> Related:
        """(N, M, L, d) -> (N, M, d); no attention."""
        return tokens.mean(dim=2), None


class AddGlobal(nn.Module):
    """Add global: the mean over the real sequences of the scene is added to each of them."""

    def forward(self, tokens: Tensor, mask: Tensor, need_attention: bool = False) -> Related:
        """(N, M, L, d) -> (N, M, d); no attention."""
        features = tokens.mean(dim=2)
        return features + scene_mean(features, mask), None


class ConcatGlobal(nn.Module):
    """Concat global: the mean over the real sequences of the scene is put behind the feature
    of each; a linear layer brings the 2d channels back to d, so that the heads stay the same."""

    def __init__(self, config: SkeleTRConfig) -> None:
        super().__init__()
        width = config.backbone.width
        self.merge = nn.Linear(2 * width, width)

    def forward(self, tokens: Tensor, mask: Tensor, need_attention: bool = False) -> Related:
        """(N, M, L, d) -> (N, M, d); no attention."""
        features = tokens.mean(dim=2)
        whole = scene_mean(features, mask).expand_as(features)
        return self.merge(torch.cat([features, whole], dim=-1)), None


class NonLocalBlock(nn.Module):
    """Embedded Gaussian non-local block (Wang et al., CVPR 2018, equations 2, 4 and 6).

    x + W_z softmax(theta(x) phi(x)^T) g(x), in half the channels, not scaled; W_z begins as
    zero, so that the block begins as the identity. Without the batch norm that some have behind
    W_z: padding would enter its statistics.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = width // 2
        self.theta = nn.Linear(width, inner)
        self.phi = nn.Linear(width, inner)
        self.g = nn.Linear(width, inner)
        self.out = nn.Linear(inner, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(
        self, x: Tensor, mask: Tensor, need_weights: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """(N, n, d) tokens and (N, n) mask -> (N, n, d), and the weights (N, 1, n, n) or None.

        Columns of padding are 0; rows sum to 1 where there is a real token.
        """
        scores = self.theta(x) @ self.phi(x).transpose(1, 2)
        # The lowest finite number instead of -inf: a row without any real token gives no NaN.
        scores = scores.masked_fill(~mask[:, None], torch.finfo(scores.dtype).min)
        weights = torch.softmax(scores, dim=-1) * mask[:, None]
        out = x + self.out(weights @ self.g(x))
        return out, weights[:, None] if need_weights else None


class NonLocal(nn.ModuleList):
    """Non-local: as many non-local blocks over all M*L tokens as the Transformer has layers."""

    def __init__(self, config: SkeleTRConfig) -> None:
        super().__init__(NonLocalBlock(config.backbone.width) for _ in range(config.layers))

    def forward(self, tokens: Tensor, mask: Tensor, need_attention: bool = False) -> Related:
        """(N, M, L, d) -> (N, M, d), and attention of a single head if asked for."""
        return run_blocks(self, tokens, mask, need_attention)


def make_interaction(config: SkeleTRConfig) -> nn.Module:
    """The module that relates sequences: tokens (N, M, L, d) and mask (N, M) -> `Related`."""
    if config.interaction == "transformer":
        return Transformer(config)
    if config.interaction == "concat global":
        return ConcatGlobal(config)
    if config.interaction == "non-local":
        return NonLocal(config)
    return NoInteraction() if config.interaction == "none" else AddGlobal()


def scene_mean(features: Tensor, mask: Tensor) -> Tensor:
    """(N, M, d) and mask (N, M) -> (N, 1, d): the mean over the real sequences, 0 without any."""
    count = mask.sum(dim=1).clamp(min=1)[:, None, None]
    return (features * mask[..., None]).sum(dim=1, keepdim=True) / count
