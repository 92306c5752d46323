"""Configuration of the network; the sizes S and L reproduce the paper's Table 2."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

BackboneKind = Literal["stgcn++", "ctrgcn", "stgcn"]
Interaction = Literal["transformer", "none", "add global", "concat global", "non-local"]
Stream = Literal["1x1", "TxP", "Tx1", "1xP", "1xV"]

BACKBONES: tuple[str, ...] = get_args(BackboneKind)
INTERACTIONS: tuple[str, ...] = get_args(Interaction)
STREAMS: tuple[str, ...] = get_args(Stream)
MIX = ("1x1", "Tx1", "1xP")  # Mix Pooling


@dataclass(frozen=True)
class BackboneConfig:
    """A stack of spatial-temporal blocks.

    channels: output channels of each block. strides: temporal stride of each block. kind: of the
    blocks. people: 1 = the batch norm of the input is shared by all sequences, so that M may
    vary; 2 or more = each of so many people of a scene has its own, as in published CTR-GCNs.
    """

    channels: tuple[int, ...]
    strides: tuple[int, ...]
    kind: BackboneKind = "stgcn++"
    people: int = 1

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
        if self.kind not in BACKBONES:
            raise ValueError(f"backbone is {self.kind!r}, expected one of {BACKBONES}")
        if self.people < 1:
            raise ValueError(f"people is {self.people}, expected at least 1")

    @property
    def width(self) -> int:
        """d, the channels of the last block."""
        return self.channels[-1]

    def frames(self, frames: int) -> int:
        """T', what is left of T frames."""
        for stride in self.strides:
            frames = -(-frames // stride)
        return frames


S_BACKBONE = BackboneConfig((64,) * 5 + (128,), (1, 1, 1, 1, 1, 2))
L_BACKBONE = BackboneConfig((64,) * 4 + (128,) * 3 + (256,) * 3, (1, 1, 1, 1, 2, 1, 1, 2, 1, 1))
C_BACKBONE = replace(L_BACKBONE, kind="ctrgcn")  # of SkeleTR[C]


@dataclass(frozen=True)
class SkeleTRConfig:
    """The whole network.

    stream: "joint" (coordinates) or "bone" (child minus parent). interaction: how sequences are
    related (Table 4), see `interaction`. aggregation: which tokens a sequence has (Table 5), see
    `mix_pooling`; a text like "1x1+Tx1" will do. layers: Transformer or non-local blocks.
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
    interaction: Interaction = "transformer"
    aggregation: tuple[Stream, ...] = MIX

    def __post_init__(self) -> None:
        if isinstance(self.backbone, dict):
            object.__setattr__(self, "backbone", BackboneConfig(**self.backbone))
        object.__setattr__(self, "aggregation", streams(self.aggregation))
        if self.backbone.people != 1:
            raise ValueError("SkeleTR takes any number of sequences, expected people = 1")
        if self.stream not in ("joint", "bone"):
            raise ValueError(f"stream is {self.stream!r}, expected 'joint' or 'bone'")
        if self.interaction not in INTERACTIONS:
            raise ValueError(f"interaction is {self.interaction!r}, expected of {INTERACTIONS}")
        if self.layers < 1 or self.heads < 1 or not 0 <= self.dropout < 1:
            raise ValueError("expected layers >= 1, heads >= 1 and 0 <= dropout < 1")
        if (self.expansion * self.backbone.width) % self.heads:
            raise ValueError(
                f"attention width {self.expansion * self.backbone.width} is not a multiple "
                f"of {self.heads} heads"
            )
        if min(self.instance_classes, self.scene_classes) < 0:
            raise ValueError("numbers of classes must not be negative")


def streams(given: str | tuple[str, ...] | list[str]) -> tuple[Stream, ...]:
    """A set of streams in the order of their tokens; "1x1+Tx1" and ("Tx1", "1x1") are the same.

    Raises:
        ValueError: there is none, an unknown one, or one twice.
    """
    names = given.split("+") if isinstance(given, str) else list(given)
    if not names or len(set(names)) < len(names) or not set(names) <= set(STREAMS):
        raise ValueError(f"aggregation is {given!r}, expected different ones of {STREAMS}")
    return tuple(name for name in STREAMS if name in names)


def small(**changes: object) -> SkeleTRConfig:
    """SkeleTR-S."""
    return SkeleTRConfig(backbone=S_BACKBONE, **changes)


def large(**changes: object) -> SkeleTRConfig:
    """SkeleTR-L."""
    return SkeleTRConfig(backbone=L_BACKBONE, **changes)


def ctr(**changes: object) -> SkeleTRConfig:
    """SkeleTR[C]."""
    return SkeleTRConfig(backbone=C_BACKBONE, **changes)
