"""CTR-GCN (Chen et al., ICCV 2021): stage 1 of SkeleTR[C], with the details of PYSKL.

PYSKL's differs from the authors' code in one place: a ReLU behind the temporal branches. The
published weights that are compared with in the paper are PYSKL's, so it is here too.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from skeletr.model.graph import spatial_partition
from skeletr.model.shortcut import shortcut

_REDUCTION = 8
_FEWEST = 8  # channels in which joints are compared


class RefinedGraphConv(nn.Module):
    """Channel-wise topology refinement: a graph per channel and sequence (sections 3.2, 3.3).

    The K = 3 subsets read the same input, so each of their convolutions is one layer here.
    """

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.adjacency = nn.Parameter(spatial_partition())
        self.alpha = nn.Parameter(torch.zeros(1))
        self.subsets = k = len(self.adjacency)
        compared = _FEWEST if channels <= 2 * _FEWEST else channels // _REDUCTION
        self.relate_from = nn.Conv2d(channels, k * compared, 1)
        self.relate_to = nn.Conv2d(channels, k * compared, 1)
        self.values = nn.Conv2d(channels, k * out_channels, 1)
        self.expand = nn.Conv2d(k * compared, k * out_channels, 1, groups=k)
        self.bn = nn.BatchNorm2d(out_channels)
        self.residual = shortcut(channels, out_channels)
        for conv in (self.relate_from, self.relate_to, self.values, self.expand):
            initialise(conv, parts=k)
        nn.init.constant_(self.bn.weight, 1e-6)  # a block begins as its residual

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V) -> (N, C', T, V)."""
        n, _, t, v = x.shape
        k = self.subsets
        # The mean over T of the convolutions would be that of the mean; in this order it is
        # what the paper counts.
        sender = self.relate_from(x).mean(dim=2)  # (N, K*R, V)
        receiver = self.relate_to(x).mean(dim=2)
        refined = self.expand(torch.tanh(sender[..., :, None] - receiver[..., None, :]))
        graph = refined.view(n, k, -1, v, v) * self.alpha + self.adjacency[:, None]
        values = self.values(x).view(n, k, -1, t, v)
        mixed = torch.einsum("nkctu,nkcuv->nctv", values, graph)
        return torch.relu(self.bn(mixed) + self.residual(x))


class TemporalConv(nn.Module):
    """Four branches on the same input: two dilated 5x1 convolutions, a max, a 1x1.

    The 1x1 convolutions in front of the first three are one layer, and so are the four batch
    norms behind the branches.
    """

    kernel = 5
    dilations = (1, 2)

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.width = mid = channels // 4
        self.squeeze = nn.Sequential(
            nn.Conv2d(channels, 3 * mid, 1), nn.BatchNorm2d(3 * mid), nn.ReLU()
        )
        reach = self.kernel // 2
        self.dilated = nn.ModuleList(
            nn.Conv2d(mid, mid, (self.kernel, 1), (stride, 1), (reach * d, 0), (d, 1))
            for d in self.dilations
        )
        self.max_pool = nn.MaxPool2d((3, 1), (stride, 1), (1, 0))
        self.plain = nn.Conv2d(channels, channels - 3 * mid, 1, (stride, 1))
        self.norm = nn.BatchNorm2d(channels)
        initialise(self.squeeze[0], parts=3)
        for conv in (*self.dilated, self.plain):
            initialise(conv)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V) -> (N, C, ceil(T / stride), V)."""
        *inputs, pooled = self.squeeze(x).split(self.width, dim=1)
        branches = [conv(part) for conv, part in zip(self.dilated, inputs, strict=True)]
        branches += [self.max_pool(pooled), self.plain(x)]
        return torch.relu(self.norm(torch.cat(branches, dim=1)))


class CTRGCNBlock(nn.Module):
    """ReLU(tcn(gcn(x)) + residual); the first block of a stack has no residual."""

    def __init__(self, channels: int, out_channels: int, stride: int, residual: bool) -> None:
        super().__init__()
        self.gcn = RefinedGraphConv(channels, out_channels)
        self.tcn = TemporalConv(out_channels, stride)
        self.residual = shortcut(channels, out_channels, stride) if residual else None

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, T, V) -> (N, C', ceil(T / stride), V)."""
        out = self.tcn(self.gcn(x))
        if self.residual is not None:
            out = out + self.residual(x)
        return torch.relu(out)


@torch.no_grad()
def initialise(conv: nn.Conv2d, parts: int = 1) -> None:
    """As the authors do, for each of the `parts` convolutions that a layer puts together."""
    for weight in conv.weight.chunk(parts):
        nn.init.kaiming_normal_(weight, mode="fan_out")
    nn.init.zeros_(conv.bias)
