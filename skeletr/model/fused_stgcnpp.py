"""ST-GCN++ for inference: the same sums as `stgcnpp`, in an order that the processor likes.

Batch norms are part of the weights, and each convolution is a product of two large matrices.
Activations are (T, V, R, C): time comes first, so that a shift in time is a shift of a whole
matrix, and joints before sequences, so that mixing joints is one small matrix times a wide one.
Within the temporal part channels come first, (C, T*V*R), so that a branch is a run of rows.

Everything may be in bfloat16: products then take less than half the time where the processor has
instructions for it. They add up in float32 and are rounded once each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from skeletr.model.stgcnpp import MultiBranchTemporalConv, SpatialGraphConv, STGCNPPBlock

_IN_CACHE = 2**18  # numbers that are still near the processor when they are used next


@dataclass(frozen=True)
class Affine:
    """A batch norm at evaluation: scale and shift per feature."""

    scale: Tensor
    shift: Tensor

    @classmethod
    def of(cls, norm: nn.modules.batchnorm._BatchNorm) -> Affine:
        """In float64, so that what is folded is rounded once."""
        mean, var = norm.running_mean.double(), norm.running_var.double()
        scale = norm.weight.double() / torch.sqrt(var + norm.eps)
        return cls(scale, norm.bias.double() - scale * mean)

    def take(self, rows: slice) -> Affine:
        """Of some of the features."""
        return Affine(self.scale[rows], self.shift[rows])

    def after(self, conv: nn.Conv2d) -> tuple[Tensor, Tensor]:
        """Weight (C', C, kernel) and bias (C',) of a convolution with this norm behind it."""
        weight = conv.weight.double().squeeze(-1) * self.scale[:, None, None]
        return weight, conv.bias.double() * self.scale + self.shift


class Workspace:
    """Memory for what lies between the layers, by name; kept, for new memory costs as much as a
    layer. One for each call that runs at a time."""

    def __init__(self, dtype: torch.dtype = torch.float32) -> None:
        self._dtype = dtype
        self._kept: dict[str, Tensor] = {}

    def take(self, name: str, *shape: int) -> Tensor:
        """A tensor with anything in it, of use until the name is taken again."""
        size = math.prod(shape)
        kept = self._kept.get(name)
        if kept is None or len(kept) < size:
            with torch.inference_mode(False):  # so that it may be written to in any mode
                kept = self._kept[name] = torch.empty(size, dtype=self._dtype)
        return kept[:size].view(shape)


class Shortcut(nn.Module):
    """A residual connection with its norm; `bias` is what is added to its sum besides."""

    def __init__(self, shortcut: nn.Module | None, bias: Tensor) -> None:
        """bias: (C',), or (V, 1, C') where it differs from joint to joint."""
        super().__init__()
        self.weight = None
        self.identity = isinstance(shortcut, nn.Identity)
        self.stride = 1
        if isinstance(shortcut, nn.Sequential):
            conv, norm = shortcut
            self.stride = conv.stride[0]
            weight, own = Affine.of(norm).after(conv)
            self.weight = constant(weight[..., 0].T)
            bias = bias + own
        self.bias = constant(bias)

    def begin(self, x: Tensor, out: Tensor, work: Workspace) -> Tensor:
        """What a sum begins with: of (T, V, R, C) into `out` (T', V, R, C'), which may be `x`."""
        # Of a whole frame: a long run is added in far less time than many short ones.
        bias = self.bias.expand(out.shape[1:]).contiguous()
        if self.identity:
            return torch.add(x, bias, out=out)
        out.copy_(bias)
        if self.weight is not None:
            if self.stride > 1:
                x = work.take("strided", len(out), *x.shape[1:]).copy_(x[:: self.stride])
            rows(out).addmm_(rows(x), self.weight)
        return out


class FusedGraphConv(nn.Module):
    """`SpatialGraphConv`. Joints are mixed first: there are never more channels before."""

    def __init__(self, gcn: SpatialGraphConv) -> None:
        super().__init__()
        norm = Affine.of(gcn.bn)
        graph = gcn.adjacency.double().transpose(1, 2)  # (K, V, V), row w receives
        parts, joints = graph.shape[:2]
        weight = gcn.conv.weight.double().view(parts, len(norm.scale), -1)
        self.graph = constant(graph)
        self.weight = constant((weight * norm.scale[:, None]).transpose(1, 2))  # (K, C, C')
        bias = graph.sum(dim=2).T @ gcn.conv.bias.double().view(parts, -1) * norm.scale + norm.shift
        self.shortcut = Shortcut(gcn.residual, bias.view(joints, 1, -1))

    def forward(self, x: Tensor, work: Workspace) -> Tensor:
        """(T, V, R, C) -> (T, V, R, C')."""
        out = work.take("gcn", *x.shape[:3], self.weight.shape[2])
        self.shortcut.begin(x, out, work)
        together = max(1, _IN_CACHE // x[0].numel())
        for part, total in zip(x.split(together), out.split(together), strict=True):
            mixed = work.take("mixed", *part.shape)
            for graph, weight in zip(self.graph, self.weight, strict=True):
                torch.bmm(graph.expand(len(part), -1, -1), part.flatten(2), out=mixed.flatten(2))
                rows(total).addmm_(rows(mixed), weight)
        return positive_(out)


class FusedTemporalConv(nn.Module):
    """`MultiBranchTemporalConv`; the norms are in the weights."""

    def __init__(self, tcn: MultiBranchTemporalConv) -> None:
        super().__init__()
        self.stride, self.dilations = tcn.stride, tcn.dilations
        norm = Affine.of(tcn.merge[0])
        squeeze, squeeze_bias = Affine.of(tcn.squeeze[1]).after(tcn.squeeze[0])
        # There is no ReLU between the last branch and the norm behind all: they are one.
        plain, plain_bias = norm.take(slice(sum(tcn.widths), None)).after(tcn.plain)
        self.squeeze = constant(torch.cat([squeeze, plain])[..., 0])  # (C, C)
        self.squeeze_bias = constant(torch.cat([squeeze_bias, plain_bias])[:, None])
        self.spans = list(_spans([*tcn.widths, len(plain)]))
        folded = [norm.take(s).after(c) for c, s in zip(tcn.dilated, self.spans, strict=False)]
        self.taps = nn.ParameterList(constant(w.permute(2, 0, 1)) for w, _ in folded)  # (3, w, w)
        self.tap_bias = constant(torch.cat([bias for _, bias in folded])[:, None])
        pooled = norm.take(self.spans[-2])
        self.scale, self.shift = constant(pooled.scale[:, None]), constant(pooled.shift[:, None])
        weight, self.bias = Affine.of(tcn.merge[3]).after(tcn.merge[2])
        self.merge = constant(weight[..., 0].T)

    def forward(self, x: Tensor, out: Tensor, work: Workspace) -> None:
        """Add to `out` (T', V, R, C) what (T, V, R, C) `x` gives; `bias` is left out."""
        size = x.shape[1] * x.shape[2]  # columns of one frame
        *dilated, pooled, plain = self.spans
        squeezed = work.take("squeezed", len(self.squeeze), len(x) * size)
        squeezed.copy_(self.squeeze_bias).addmm_(self.squeeze, rows(x).T)
        positive_(squeezed[: plain.start])
        frames = Frames(squeezed, len(x), self.stride, work)
        joined = work.take("joined", len(squeezed), len(out) * size)
        joined[: pooled.start] = self.tap_bias
        for span, dilation, taps in zip(dilated, self.dilations, self.taps, strict=True):
            for number, tap in enumerate(taps):
                columns, found = frames.near(span, (number - 1) * dilation)
                joined[span, columns].addmm_(tap, found)
        highest = joined[pooled].copy_(frames.here(pooled))
        for offset in (-1, 1):
            columns, found = frames.near(pooled, offset)
            larger_(highest[:, columns], found)
        highest.mul_(self.scale).add_(self.shift)
        joined[plain] = frames.here(plain)
        rows(out).addmm_(positive_(joined).T, self.merge)


class Frames:
    """Every `stride`-th frame of a matrix (C, T*size), and the frames before and behind it."""

    def __init__(self, matrix: Tensor, frames: int, stride: int, work: Workspace) -> None:
        self.stride, self.count = stride, -(-frames // stride)
        cut = matrix.unflatten(1, (frames, -1))
        self.size = cut.shape[2]
        self.phases = [matrix]  # frames 0, stride, 2 stride, ... ; 1, 1 + stride, ... ; ...
        if stride > 1:
            parts = [cut[:, phase::stride] for phase in range(stride)]
            self.phases = [
                work.take(f"phase {n}", *p.shape).copy_(p).flatten(1) for n, p in enumerate(parts)
            ]

    def here(self, rows: slice) -> Tensor:
        """(w, T'*size): the frames themselves."""
        return self.phases[0][rows]

    def near(self, rows: slice, offset: int) -> tuple[slice, Tensor]:
        """Where there is a frame so many frames away, as columns of the T'*size, and what is in
        it, (w, columns)."""
        phase = self.phases[offset % self.stride][rows]
        shift = offset // self.stride
        first = max(0, -shift)
        last = max(first, min(self.count, phase.shape[1] // self.size - shift))
        columns = slice(first * self.size, last * self.size)
        return columns, phase[:, (first + shift) * self.size : (last + shift) * self.size]


class FusedSTGCNPPBlock(nn.Module):
    """`STGCNPPBlock`. It overwrites its input where the shape stays."""

    def __init__(self, block: STGCNPPBlock) -> None:
        super().__init__()
        self.gcn = FusedGraphConv(block.gcn)
        self.tcn = FusedTemporalConv(block.tcn)
        self.shortcut = Shortcut(block.residual, self.tcn.bias)

    def forward(self, x: Tensor, work: Workspace, name: str) -> Tensor:
        """(T, V, R, C) -> (ceil(T / stride), V, R, C'); name: of the result's memory, in which
        `x` is not."""
        mixed = self.gcn(x, work)
        out = x
        if not self.shortcut.identity:
            frames = -(-len(x) // self.tcn.stride)
            out = work.take(name, frames, *mixed.shape[1:])
        self.shortcut.begin(x, out, work)
        self.tcn(mixed, out, work)
        return positive_(out)


def rows(x: Tensor) -> Tensor:
    """(T, V, R, C) -> (T*V*R, C), the same memory."""
    return x.view(-1, x.shape[-1])


def positive_(x: Tensor) -> Tensor:
    """ReLU in place.

    A bfloat16 number is below 0 where its bits, read as an int16, are: so read, it takes a sixth
    of the time. (A NaN may become 0; joints without a number are 0 already.)
    """
    if x.dtype == torch.bfloat16:
        x.view(torch.int16).clamp_(min=0)
        return x
    return x.relu_()


def larger_(x: Tensor, other: Tensor) -> None:
    """The larger of two numbers in place, none of them below 0; see `positive_`."""
    if x.dtype == torch.bfloat16:
        x, other = x.view(torch.int16), other.view(torch.int16)
    torch.maximum(x, other, out=x)


def constant(values: Tensor) -> nn.Parameter:
    """In float32, nothing to be learnt."""
    return nn.Parameter(values.float().contiguous(), requires_grad=False)


def _spans(widths: list[int]) -> Iterator[slice]:
    first = 0
    for width in widths:
        yield slice(first, first + width)
        first += width
