"""Mix Pooling: a few tokens per sequence (paper, section 3.3 and Table 5)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from skeletr.model.graph import part_matrix


class MixPooling(nn.Module):
    """Concatenates three streams: 1x1 (global), T'x1 (time steps), 1xP (body parts).

    L = 1 + T' + P tokens, in this order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("parts", part_matrix(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(R, d, T', V) -> (R, L, d)."""
        over_joints = x.mean(dim=3)  # (R, d, T')
        over_time = x.mean(dim=2)  # (R, d, V)
        global_mean = over_joints.mean(dim=2, keepdim=True)
        parts = over_time @ self.parts.to(x.dtype)
        return torch.cat([global_mean, over_joints, parts], dim=2).transpose(1, 2)
