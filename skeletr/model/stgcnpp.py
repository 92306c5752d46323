"""ST-GCN++ (Duan et al., PYSKL, arXiv 2205.09443): stage 1 of SkeleTR-S and -L."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from skeletr.model.graph import spatial_partition
from skeletr.model.shortcut import shortcut


class SpatialGraphConv(nn.Module):
    """Graph convolution over the joints with a free adjacency matrix per block.

    The joints may be mixed before the channels or after them, which is the same sum. After is the
    published order; before takes fewer and larger products, which makes a training step with
    bfloat16 on a CPU up to a third faster.
    """

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.adjacency = nn.Parameter(spatial_partition())
        self.conv = nn.Conv2d(channels, self.adjacency.shape[0] * out_channels, 1)
        self.bn = nn.BatchNorm2d(out_channels)
        self.residual = shortcut(channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V) -> (N, C', T, V)."""
        mixed = self.joints_first(x) if self.training else self.channels_first(x)
        return torch.relu(self.bn(mixed) + self.residual(x))

    def channels_first(self, x: Tensor) -> Tensor:
        """(N, C, T, V) -> (N, C', T, V), before the norm."""
        n, _, t, v = x.shape
        parts = self.conv(x).view(n, self.adjacency.shape[0], -1, t, v)
        return torch.einsum("nkctv,kvw->nctw", parts, self.adjacency)

    def joints_first(self, x: Tensor) -> Tensor:
        """The same."""
        n, c, t, v = x.shape
        parts = self.adjacency.shape[0]
        graphs = self.adjacency.permute(2, 0, 1).flatten(0, 1)  # (w * K, v)
        mixed = graphs @ x.permute(0, 2, 3, 1).reshape(n * t, v, c)
        mixed = mixed.view(n, t, v, parts * c).permute(0, 3, 1, 2)
        weight = self.conv.weight.view(parts, -1, c).transpose(0, 1).flatten(1)
        bias = torch.einsum("kvw,kc->cw", self.adjacency, self.conv.bias.view(parts, -1))
        out = nn.functional.conv2d(mixed, weight[..., None, None])
        return out + bias[:, None].to(out.dtype)


class MultiBranchTemporalConv(nn.Module):
    """Six temporal branches on the same input: four dilated 3x1 convolutions, a max, a 1x1.

    The 1x1 convolutions in front of the first five read the same input, so they are one layer.
    """

    dilations = (1, 2, 3, 4)

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        mid = channels // 6
        self.widths = [channels - 5 * mid, mid, mid, mid, mid]
        self.stride = stride
        self.squeeze = nn.Sequential(
            nn.Conv2d(channels, sum(self.widths), 1), nn.BatchNorm2d(sum(self.widths)), nn.ReLU()
        )
        self.dilated = nn.ModuleList(
            nn.Conv2d(w, w, (3, 1), (stride, 1), (d, 0), (d, 1))
            for w, d in zip(self.widths, self.dilations, strict=False)
        )
        self.max_pool = nn.MaxPool2d((3, 1), (stride, 1), (1, 0))
        self.plain = nn.Conv2d(channels, mid, 1, (stride, 1))
        self.merge = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 1),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V) -> (N, C, ceil(T / stride), V)."""
        *inputs, pooled = self.squeeze(x).split(self.widths, dim=1)
        branches = [conv(part) for conv, part in zip(self.dilated, inputs, strict=True)]
        branches += [self.max_pool(pooled), self.plain(x)]
        return self.merge(torch.cat(branches, dim=1))


class STGCNPPBlock(nn.Module):
    """ReLU(tcn(gcn(x)) + residual); the first block of a stack has no residual."""

    def __init__(self, channels: int, out_channels: int, stride: int, residual: bool) -> None:
        super().__init__()
        self.gcn = SpatialGraphConv(channels, out_channels)
        self.tcn = MultiBranchTemporalConv(out_channels, stride)
        self.residual = shortcut(channels, out_channels, stride) if residual else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V) -> (N, C', ceil(T / stride), V)."""
        out = self.tcn(self.gcn(x))
        if self.residual is not None:
            out = out + self.residual(x)
        return torch.relu(out)
