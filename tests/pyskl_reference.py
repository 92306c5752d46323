"""ST-GCN++ and CTR-GCN as PYSKL has them: names and shapes, and a forward pass by definition.

Written from the papers and the names in published checkpoints; nothing of the package is used.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

V, C, K = 17, 3, 3
# Input and output channels and stride of each block.
BLOCKS = [(3, 64, 1), *[(64, 64, 1)] * 3, (64, 128, 2), *[(128, 128, 1)] * 2, (128, 256, 2)]
BLOCKS += [(256, 256, 1)] * 2
EDGES = ((15, 13), (13, 11), (16, 14), (14, 12), (11, 5), (12, 6), (9, 7), (7, 5), (10, 8), (8, 6))
EDGES += ((5, 0), (6, 0), (1, 0), (3, 1), (2, 0), (4, 2))

State = dict[str, Tensor]


def graph() -> Tensor:
    """(3, V, V): self, inward, outward; columns sum to 1, or to 0."""
    parts = torch.zeros(3, V, V)
    parts[0] = torch.eye(V)
    for child, parent in EDGES:
        parts[1, parent, child] = parts[2, child, parent] = 1
    return parts / parts.sum(dim=1, keepdim=True).clamp(min=1)


class Maker:
    """Random weights under given names."""

    def __init__(self) -> None:
        self.state: State = {}
        self.random = torch.Generator().manual_seed(7)

    def tensor(self, name: str, *shape: int, low: float = -1.0, high: float = 1.0) -> None:
        values = torch.rand(shape, generator=self.random)
        self.state[name] = low + (high - low) * values

    def conv(self, name: str, inputs: int, outputs: int, kernel: int = 1) -> None:
        bound = math.sqrt(3 / (inputs * kernel))  # keeps the variance
        self.tensor(f"{name}.weight", outputs, inputs, kernel, 1, low=-bound, high=bound)
        self.tensor(f"{name}.bias", outputs, low=-0.1, high=0.1)

    def bn(self, name: str, features: int) -> None:
        self.tensor(f"{name}.weight", features, low=0.5, high=1.5)
        self.tensor(f"{name}.bias", features, low=-0.3, high=0.3)
        self.tensor(f"{name}.running_mean", features, low=-0.3, high=0.3)
        self.tensor(f"{name}.running_var", features, low=0.5, high=2.0)
        self.state[f"{name}.num_batches_tracked"] = torch.tensor(9)

    def head(self, classes: int) -> State:
        self.tensor("cls_head.fc_cls.weight", classes, 256)
        self.tensor("cls_head.fc_cls.bias", classes)
        return self.state


def stgcnpp_state(classes: int = 6) -> State:
    make = Maker()
    make.bn("backbone.data_bn", V * C)
    for number, (i, o, stride) in enumerate(BLOCKS):
        name = f"backbone.gcn.{number}"
        make.tensor(f"{name}.gcn.A", K, V, V, low=-0.2, high=0.4)
        make.bn(f"{name}.gcn.bn", o)
        make.conv(f"{name}.gcn.conv", i, K * o)
        if i != o:
            make.conv(f"{name}.gcn.down.0", i, o)
            make.bn(f"{name}.gcn.down.1", o)
        mid = o // 6
        for b in range(5):
            width = o - 5 * mid if b == 0 else mid
            make.conv(f"{name}.tcn.branches.{b}.0", o, width)
            make.bn(f"{name}.tcn.branches.{b}.1", width)
            if b < 4:
                make.conv(f"{name}.tcn.branches.{b}.3.conv", width, width, 3)
        make.conv(f"{name}.tcn.branches.5", o, mid)
        make.bn(f"{name}.tcn.transform.0", o)
        make.conv(f"{name}.tcn.transform.2", o, o)
        make.bn(f"{name}.tcn.bn", o)
        if number and (i != o or stride != 1):
            make.conv(f"{name}.residual.conv", i, o)
            make.bn(f"{name}.residual.bn", o)
    return make.head(classes)


def ctrgcn_state(classes: int = 6, people: int = 2) -> State:
    make = Maker()
    make.state["backbone.A"] = graph()
    make.bn("backbone.data_bn", people * V * C)
    for number, (i, o, stride) in enumerate(BLOCKS):
        name = f"backbone.net.{number}"
        compared = 8 if i <= 16 else i // 8
        for k in range(K):
            make.conv(f"{name}.gcn1.convs.{k}.conv1", i, compared)
            make.conv(f"{name}.gcn1.convs.{k}.conv2", i, compared)
            make.conv(f"{name}.gcn1.convs.{k}.conv3", i, o)
            make.conv(f"{name}.gcn1.convs.{k}.conv4", compared, o)
        make.tensor(f"{name}.gcn1.A", K, V, V, low=-0.2, high=0.4)
        make.tensor(f"{name}.gcn1.alpha", 1, low=0.05, high=0.1)
        make.bn(f"{name}.gcn1.bn", o)
        if i != o:
            make.conv(f"{name}.gcn1.down.0", i, o)
            make.bn(f"{name}.gcn1.down.1", o)
        mid = o // 4
        for b in range(3):
            make.conv(f"{name}.tcn1.branches.{b}.0", o, mid)
            make.bn(f"{name}.tcn1.branches.{b}.1", mid)
        for b in range(2):
            make.conv(f"{name}.tcn1.branches.{b}.3.conv", mid, mid, 5)
            make.bn(f"{name}.tcn1.branches.{b}.3.bn", mid)
        make.bn(f"{name}.tcn1.branches.2.4", mid)
        make.conv(f"{name}.tcn1.branches.3.0", o, mid)
        make.bn(f"{name}.tcn1.branches.3.1", mid)
        if number and (i != o or stride != 1):
            make.conv(f"{name}.residual.conv", i, o)
            make.bn(f"{name}.residual.bn", o)
    return make.head(classes)


class Pass:
    """The layers by name, on (N, C, T, V), in float64."""

    def __init__(self, state: State) -> None:
        self.state = {name: tensor.double() for name, tensor in state.items()}

    def conv(self, x: Tensor, name: str, **how: tuple[int, int]) -> Tensor:
        return F.conv2d(x, self.state[f"{name}.weight"], self.state[f"{name}.bias"], **how)

    def bn(self, x: Tensor, name: str) -> Tensor:
        shape = (1, -1, *[1] * (x.ndim - 2))
        mean, var, weight, bias = (
            self.state[f"{name}.{leaf}"].view(shape)
            for leaf in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / torch.sqrt(var + 1e-5) * weight + bias

    def input(self, x: Tensor, people: int) -> Tensor:
        """(N, M, T, V, C) -> (N*M, C, T, V), normalised over V*C, or M*V*C for more people."""
        n, m, t, v, c = x.shape
        flat = x.permute(0, 1, 3, 4, 2).reshape(n * m // people, people * v * c, t)
        flat = self.bn(flat, "backbone.data_bn").reshape(n, m, v, c, t)
        return flat.permute(0, 1, 3, 4, 2).reshape(n * m, c, t, v)

    def residual(self, x: Tensor, name: str, stride: int) -> Tensor | float:
        if f"{name}.residual.conv.weight" in self.state:
            x = self.conv(x, f"{name}.residual.conv", stride=(stride, 1))
            return self.bn(x, f"{name}.residual.bn")
        return 0.0 if x.shape[1] == C else x

    def down(self, x: Tensor, name: str) -> Tensor:
        if f"{name}.down.0.weight" not in self.state:
            return x
        return self.bn(self.conv(x, f"{name}.down.0"), f"{name}.down.1")

    def branch(self, x: Tensor, name: str) -> Tensor:
        return self.bn(self.conv(x, f"{name}.0"), f"{name}.1").relu()

    def head(self, x: Tensor, people: int) -> Tensor:
        features = x.mean(dim=(2, 3)).reshape(-1, people, x.shape[1]).mean(dim=1)
        return (
            features @ self.state["cls_head.fc_cls.weight"].T + self.state["cls_head.fc_cls.bias"]
        )


def stgcnpp_forward(state: State, x: Tensor) -> Tensor:
    """(N, M, T, V, C) -> (N, classes)."""
    net = Pass(state)
    h = net.input(x, 1)
    for number, (_, _, s) in enumerate(BLOCKS):
        name = f"backbone.gcn.{number}"
        values = net.conv(h, f"{name}.gcn.conv").chunk(K, dim=1)
        mixed = sum(values[k] @ net.state[f"{name}.gcn.A"][k] for k in range(K))
        g = (net.bn(mixed, f"{name}.gcn.bn") + net.down(h, f"{name}.gcn")).relu()
        parts = []
        for b, d in enumerate((1, 2, 3, 4)):
            z = net.branch(g, f"{name}.tcn.branches.{b}")
            how = {"stride": (s, 1), "padding": (d, 0), "dilation": (d, 1)}
            parts.append(net.conv(z, f"{name}.tcn.branches.{b}.3.conv", **how))
        z = net.branch(g, f"{name}.tcn.branches.4")
        parts.append(F.max_pool2d(z, (3, 1), (s, 1), (1, 0)))
        parts.append(net.conv(g, f"{name}.tcn.branches.5", stride=(s, 1)))
        z = net.bn(torch.cat(parts, dim=1), f"{name}.tcn.transform.0").relu()
        z = net.bn(net.conv(z, f"{name}.tcn.transform.2"), f"{name}.tcn.bn")
        h = (z + net.residual(h, name, s)).relu()
    return net.head(h, x.shape[1])


def ctrgcn_forward(state: State, x: Tensor) -> Tensor:
    """(N, M, T, V, C) -> (N, classes)."""
    net = Pass(state)
    h = net.input(x, x.shape[1])
    for number, (_, _, s) in enumerate(BLOCKS):
        name = f"backbone.net.{number}"
        mixed = sum(_refined(net, h, f"{name}.gcn1", k) for k in range(K))
        g = (net.bn(mixed, f"{name}.gcn1.bn") + net.down(h, f"{name}.gcn1")).relu()
        parts = []
        for b, d in enumerate((1, 2)):
            z = net.branch(g, f"{name}.tcn1.branches.{b}")
            how = {"stride": (s, 1), "padding": (2 * d, 0), "dilation": (d, 1)}
            z = net.conv(z, f"{name}.tcn1.branches.{b}.3.conv", **how)
            parts.append(net.bn(z, f"{name}.tcn1.branches.{b}.3.bn"))
        z = F.max_pool2d(net.branch(g, f"{name}.tcn1.branches.2"), (3, 1), (s, 1), (1, 0))
        parts.append(net.bn(z, f"{name}.tcn1.branches.2.4"))
        z = net.conv(g, f"{name}.tcn1.branches.3.0", stride=(s, 1))
        parts.append(net.bn(z, f"{name}.tcn1.branches.3.1"))
        h = (torch.cat(parts, dim=1).relu() + net.residual(h, name, s)).relu()
    return net.head(h, x.shape[1])


def _refined(net: Pass, x: Tensor, name: str, k: int) -> Tensor:
    """The graph of a subset, refined per channel: joint v sums over joints u."""
    one, two = (net.conv(x, f"{name}.convs.{k}.conv{i}").mean(dim=2) for i in (1, 2))
    difference = torch.tanh(one[:, :, :, None] - two[:, :, None, :])  # (N, R, u, v)
    refined = net.conv(difference, f"{name}.convs.{k}.conv4")
    edges = net.state[f"{name}.alpha"] * refined + net.state[f"{name}.A"][k]
    return net.conv(x, f"{name}.convs.{k}.conv3") @ edges
