"""Configuration of the network; the sizes S and L reproduce the paper's Table 2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class BackboneConfig:
    """A stack of spatial-temporal blocks.

    channels: output channels of each block. strides: temporal stride of each block.
    """

    channels: tuple[int, ...]
    strides: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(self.channels))
        object.__setattr__(self, "strides", tuple(self.strides))
        if not self.channels or len(self.channels) != len(self.strides):
            raise ValueError(
                f"{len(self.channels)} channels and {len(self.strides)} strides given, "
                "expected one of each per block"
            )
        if min(self.channels) < 6:
            raise ValueError(f"channels are {self.channels}, expected at least 6: six branches")

    @property
    def width(self) -> int:
        """d, the channels of the last block."""
        return self.channels[-1]


S_BACKBONE = BackboneConfig((64,) * 5 + (128,), (1, 1, 1, 1, 1, 2))
L_BACKBONE = BackboneConfig((64,) * 4 + (128,) * 3 + (256,) * 3, (1, 1, 1, 1, 2, 1, 1, 2, 1, 1))


@dataclass(frozen=True)
class SkeleTRConfig:
    """The whole network.

    stream: "joint" (coordinates) or "bone" (child minus parent). layers: Transformer blocks.
    heads: attention heads. expansion: inner width of the attention in units of d.
    ffn_expansion: hidden width of the feed-forward net in units of d. dropout: in the blocks.
    instance_classes, scene_classes: K of the head per sequence (instance task) and of the head
    per scene (video and group tasks); 0 leaves a head out.
    """

    backbone: BackboneConfig = S_BACKBONE
    stream: Literal["joint", "bone"] = "joint"
    layers: int = 2
    heads: int = 8
    expansion: int = 4
    ffn_expansion: int = 2
    dropout: float = 0.0
    instance_classes: int = 0
    scene_classes: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.backbone, dict):
            object.__setattr__(self, "backbone", BackboneConfig(**self.backbone))
        if self.stream not in ("joint", "bone"):
            raise ValueError(f"stream is {self.stream!r}, expected 'joint' or 'bone'")
        if self.layers < 1 or self.heads < 1 or not 0 <= self.dropout < 1:
            raise ValueError("expected layers >= 1, heads >= 1 and 0 <= dropout < 1")
        if (self.expansion * self.backbone.width) % self.heads:
            raise ValueError(
                f"attention width {self.expansion * self.backbone.width} is not a multiple "
                f"of {self.heads} heads"
            )
        if min(self.instance_classes, self.scene_classes) < 0:
            raise ValueError("numbers of classes must not be negative")


def small(**changes: object) -> SkeleTRConfig:
    """SkeleTR-S."""
    return SkeleTRConfig(backbone=S_BACKBONE, **changes)


def large(**changes: object) -> SkeleTRConfig:
    """SkeleTR-L."""
    return SkeleTRConfig(backbone=L_BACKBONE, **changes)
