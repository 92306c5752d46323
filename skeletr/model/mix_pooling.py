"""Feature aggregation: a few tokens per sequence (paper, section 3.3 and Table 5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from skeletr.model.config import MIX
from skeletr.model.graph import part_matrix
from skeletr.skeleton import V

P = part_matrix().shape[1]

# Stream -> number of tokens for T' time steps.
_TOKENS: dict[str, Callable[[int], int]] = {
    "1x1": lambda frames: 1,
    "TxP": lambda frames: frames * P,
    "Tx1": lambda frames: frames,
    "1xP": lambda frames: P,
    "1xV": lambda frames: V,
}


class MixPooling(nn.Module):
    """Concatenates streams of means over time and joints.

    1x1: everything. TxP: each part at each time. Tx1: each time. 1xP: each of the P = 5 body
    parts. 1xV: each joint. The default is Mix Pooling: L = 1 + T' + P tokens, in this order.
    """

    def __init__(self, streams: Sequence[str] = MIX) -> None:
        super().__init__()
        self.streams = tuple(streams)
        self.register_buffer("parts", part_matrix(), persistent=False)

    def length(self, frames: int) -> int:
        """L, tokens per sequence of T' = `frames` time steps."""
        return sum(_TOKENS[stream](frames) for stream in self.streams)

    def forward(self, x: Tensor) -> Tensor:
        """(R, d, T', V) -> (R, L, d)."""
        over_joints, over_time = x.mean(dim=3), x.mean(dim=2)  # (R, d, T') and (R, d, V)
        parts = self.parts.to(x.dtype)
        make = {
            "1x1": lambda: over_joints.mean(dim=2, keepdim=True),
            "TxP": lambda: (x @ parts).flatten(2),
            "Tx1": lambda: over_joints,
            "1xP": lambda: over_time @ parts,
            "1xV": lambda: over_time,
        }
        return torch.cat([make[stream]() for stream in self.streams], dim=2).transpose(1, 2)
