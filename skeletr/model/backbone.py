"""Stage 1: a stack of spatial-temporal blocks of one kind, one sequence at a time."""

from __future__ import annotations

from torch import Tensor, nn

from skeletr.model.config import BackboneConfig
from skeletr.model.ctrgcn import CTRGCNBlock
from skeletr.model.stgcn import STGCNBlock
from skeletr.model.stgcnpp import STGCNPPBlock
from skeletr.skeleton import C, V

_BLOCKS = {"stgcn++": STGCNPPBlock, "ctrgcn": CTRGCNBlock, "stgcn": STGCNBlock}


class InputNorm(nn.BatchNorm1d):
    """Batch norm over the V*C input features.

    people = 1: shared by all sequences, so that M may vary. More: over M*V*C features, each of
    M people has its own, for scenes of exactly so many sequences.
    """

    def __init__(self, people: int = 1) -> None:
        super().__init__(people * V * C)
        self.people = people

    def forward(self, x: Tensor) -> Tensor:
        """(R, T, V, C) -> (R, C, T, V); with M people the R sequences are those of R / M scenes,
        one scene behind the other."""
        r, t, v, c = x.shape
        flat = x.permute(0, 2, 3, 1).reshape(r // self.people, self.people * v * c, t)
        return super().forward(flat).view(r, v, c, t).permute(0, 2, 3, 1).contiguous()


class Backbone(nn.Module):
    """The input norm and the blocks."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        self.input_bn = InputNorm(config.people)
        block = _BLOCKS[config.kind]
        inputs = (C, *config.channels[:-1])
        self.blocks = nn.ModuleList(
            block(i, o, s, residual=n > 0)
            for n, (i, o, s) in enumerate(zip(inputs, config.channels, config.strides, strict=True))
        )

    def forward(self, x: Tensor) -> Tensor:
        """(R, T, V, C) sequences -> (R, d, T', V) features."""
        x = self.input_bn(x)
        for block in self.blocks:
            x = block(x)
        return x
