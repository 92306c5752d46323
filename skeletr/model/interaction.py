"""Stage 2: a Transformer over the tokens of all sequences of all people (paper, section 3.3).

What the paper compares it with (Table 4) is in `alternatives`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skeletr.model.config import SkeleTRConfig

# Features (N, M, d) of the sequences, and per layer attention (N, heads, M*L, M*L), if any.
Related = tuple[Tensor, tuple[Tensor, ...] | None]


class Attention(nn.Module):
    """Multi-head self-attention whose inner width may differ from that of the tokens.

    One module, two paths: fused, and explicit where the weights are wanted.
    """

    def __init__(self, width: int, inner: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.head_width = inner // heads
        self.qkv = nn.Linear(width, 3 * inner, bias=False)
        self.out = nn.Linear(inner, width)

    def forward(
        self, x: Tensor, mask: Tensor, need_weights: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Attend among tokens.

        Args:
            x: (N, n, d). mask: (N, n) bool, True = real token.

        Returns:
            (N, n, d), and the weights (N, heads, n, n) or None. Columns of padding are 0; rows
            of real tokens sum to 1.
        """
        n, tokens, _ = x.shape
        qkv = self.qkv(x).view(n, tokens, 3, self.heads, self.head_width)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        # The lowest finite number instead of -inf: a row without any real token gives no NaN.
        floor = torch.finfo(q.dtype).min
        bias = torch.zeros_like(mask, dtype=q.dtype).masked_fill(~mask, floor)[:, None, None, :]
        weights = None
        if need_weights:
            scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
            weights = torch.softmax(scores + bias, dim=-1) * mask[:, None, None, :]
            mixed = weights @ v
        else:
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        return self.out(mixed.transpose(1, 2).flatten(2)), weights


class EncoderBlock(nn.Module):
    """Post-norm encoder block: LayerNorm(x + attention), LayerNorm(x + feed-forward)."""

    def __init__(self, width: int, inner: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(width, inner, heads)
        self.norm1 = nn.LayerNorm(width)
        self.ffn = nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, width)
        )
        self.norm2 = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, mask: Tensor, need_weights: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """(N, n, d) -> (N, n, d) and the attention weights, see `Attention`."""
        attended, weights = self.attention(x, mask, need_weights)
        x = self.norm1(x + self.dropout(attended))
        return self.norm2(x + self.dropout(self.ffn(x))), weights


class Transformer(nn.ModuleList):
    """Encoder blocks over all M*L tokens, then the mean over the L tokens of each sequence.

    A list of its blocks, so that their weights are called `encoder.0...`.
    """

    def __init__(self, config: SkeleTRConfig) -> None:
        width = config.backbone.width
        super().__init__(
            EncoderBlock(
                width,
                config.expansion * width,
                config.heads,
                config.ffn_expansion * width,
                config.dropout,
            )
            for _ in range(config.layers)
        )

    def forward(self, tokens: Tensor, mask: Tensor, need_attention: bool = False) -> Related:
        """(N, M, L, d) tokens and (N, M) mask -> features (N, M, d), and attention if asked for."""
        return run_blocks(self, tokens, mask, need_attention)


def run_blocks(
    blocks: nn.ModuleList, tokens: Tensor, mask: Tensor, need_attention: bool
) -> Related:
    """Blocks that relate all tokens of all sequences: (N, M, L, d) -> features (N, M, d)."""
    n, m, length, width = tokens.shape
    x = tokens.reshape(n, m * length, width)
    token_mask = mask.repeat_interleave(length, dim=1)
    attention = []
    for block in blocks:
        x, weights = block(x, token_mask, need_attention)
        attention.append(weights)
    features = x.view(n, m, length, width).mean(dim=2)
    return features, tuple(attention) if need_attention else None
