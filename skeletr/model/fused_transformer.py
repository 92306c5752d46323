"""The Transformer for inference: the weights of the plain one, without what inference never uses.

Without padding there is no mask; sums are made in place; the last layer can be asked for some
sequences only.
"""

from __future__ import annotations

from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skeletr.model.interaction import EncoderBlock, Related, Transformer


class Product(nn.Module):
    """A linear layer in another number format; float32 goes in and comes out."""

    def __init__(self, linear: nn.Linear, dtype: torch.dtype) -> None:
        super().__init__()
        self.linear = linear if dtype == torch.float32 else deepcopy(linear).to(dtype)
        self.dtype = dtype

    def forward(self, x: Tensor, rows: slice = slice(None)) -> Tensor:
        """(..., C) -> (..., C'), or some of the C' only."""
        bias = None if self.linear.bias is None else self.linear.bias[rows]
        return F.linear(x.to(self.dtype), self.linear.weight[rows], bias).float()


class FusedEncoderBlock(nn.Module):
    """`EncoderBlock` on (N, n, d) tokens."""

    def __init__(self, block: EncoderBlock, dtype: torch.dtype) -> None:
        super().__init__()
        self.heads, self.inner = block.attention.heads, block.attention.out.in_features
        self.qkv = Product(block.attention.qkv, dtype)
        self.out = Product(block.attention.out, dtype)
        self.norm1, self.norm2 = block.norm1, block.norm2
        self.expand, self.contract = Product(block.ffn[0], dtype), Product(block.ffn[3], dtype)

    @torch.no_grad()
    def forward(self, x: Tensor, asked: Tensor | None = None) -> Tensor:
        """(N, n, d) -> (N, n, d), or (N, m, d) where only m tokens are asked for; no padding."""
        if asked is None:
            asked = x
            q, k, v = self._heads(self.qkv(x))
        else:
            (q,) = self._heads(self.qkv(asked, slice(self.inner)))
            k, v = self._heads(self.qkv(x, slice(self.inner, None)))
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return self.rest(asked, self.out(mixed))

    def rest(self, x: Tensor, attended: Tensor) -> Tensor:
        """What follows the attention, which is overwritten."""
        x = self.norm1(attended.add_(x))
        hidden = F.gelu(self.expand(x))
        return self.norm2(self.contract(hidden).add_(x))

    def _heads(self, joined: Tensor) -> tuple[Tensor, ...]:
        """(N, n, parts * inner) -> parts of (N, heads, n, width)."""
        width = self.inner // self.heads
        split = joined.unflatten(2, (-1, self.heads, width))
        return split.permute(2, 0, 3, 1, 4).unbind()


class FusedTransformer(nn.Module):
    """`Transformer`. With padding, or where attention is asked for, the plain one answers."""

    def __init__(self, plain: Transformer, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.plain = plain
        self.blocks = nn.ModuleList(FusedEncoderBlock(block, dtype) for block in plain)

    def forward(self, tokens: Tensor, mask: Tensor, need_attention: bool = False) -> Related:
        """See `Transformer.forward`."""
        if need_attention or not mask.all():
            return self.plain(tokens, mask, need_attention)
        x = tokens.flatten(1, 2)
        for block in self.blocks:
            x = block(x)
        return x.view(tokens.shape).mean(dim=2), None

    def some(self, tokens: Tensor, asked: Tensor) -> Tensor:
        """Features (m, d) of some sequences of one scene, see `FusedSkeleTR.instances`."""
        x = tokens.flatten(0, 1)[None]
        *before, last = self.blocks
        for block in before:
            x = block(x)
        own = x.view(tokens.shape)[asked].flatten(0, 1)[None]
        return last(x, own).view(len(asked), *tokens.shape[1:]).mean(dim=1)
