"""ST-GCN (Yan et al., AAAI 2018): fixed graph, learnt importance of its edges, 9x1 convolutions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from skeletr.model.graph import distance_partition
from skeletr.model.shortcut import shortcut

_TEMPORAL_KERNEL = 9


class STGCNBlock(nn.Module):
    """ReLU(tcn(gcn(x)) + residual); the first block of a stack has no residual.

    gcn: a 1x1 convolution per part of the graph, summed over the graph, whose fixed entries are
    multiplied by the importance M (equation 10 and section 3.3.4); BN, ReLU. tcn: 9x1, BN.
    """

    def __init__(self, channels: int, out_channels: int, stride: int, residual: bool) -> None:
        super().__init__()
        self.register_buffer("adjacency", distance_partition(), persistent=False)
        # The name keeps weight decay away from it, see `training.optim`.
        self.adjacency_importance = nn.Parameter(torch.ones_like(self.adjacency))
        self.conv = nn.Conv2d(channels, len(self.adjacency) * out_channels, 1)
        self.tcn = nn.Sequential(
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            nn.Conv2d(
                out_channels,
                out_channels,
                (_TEMPORAL_KERNEL, 1),
                (stride, 1),
                (_TEMPORAL_KERNEL // 2, 0),
            ),
            nn.BatchNorm2d(out_channels),
        )
        self.residual = shortcut(channels, out_channels, stride) if residual else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V) -> (N, C', ceil(T / stride), V)."""
        n, _, t, v = x.shape
        parts = self.conv(x).view(n, len(self.adjacency), -1, t, v)
        graph = self.adjacency * self.adjacency_importance
        out = self.tcn(torch.einsum("nkctv,kvw->nctw", parts, graph))
        if self.residual is not None:
            out = out + self.residual(x)
        return torch.relu(out)
