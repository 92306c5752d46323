"""The residual connection that all blocks share."""

from __future__ import annotations

from torch import nn


def shortcut(channels: int, out_channels: int, stride: int = 1) -> nn.Module:
    """(N, C, T, V) -> (N, C', ceil(T / stride), V): as it is where the shape stays, else a 1x1
    convolution and a batch norm."""
    if channels == out_channels and stride == 1:
        return nn.Identity()
    return nn.Sequential(
        nn.Conv2d(channels, out_channels, 1, (stride, 1)), nn.BatchNorm2d(out_channels)
    )
