"""SkeleTR-S -> SkeleTR-L that says nearly the same: a larger network starts from a smaller one.

After Net2Net (Chen et al., ICLR 2016): where L is wider, channels are doubled and what reads them
divides its weights among the two, unevenly, so that they learn different things; where it is
deeper, the new blocks let everything through until they have learnt something. Two things change
what is said, a few hundred steps mend it: L has one block of 64 channels less, and halves the
frames once more.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from skeletr.model.config import L_BACKBONE, S_BACKBONE, SkeleTRConfig
from skeletr.model.skeletr import SkeleTR
from skeletr.model.stgcnpp import STGCNPPBlock

# Block of L -> block of S. The fifth of S, which does least, has no place.
_SAME = {0: 0, 1: 1, 2: 2, 3: 3, 4: 5}
_WIDENED = 7  # the block of L that doubles the channels of S
_SHAPES = ("interaction", "aggregation", "layers", "heads", "expansion", "ffn_expansion")
_SPLIT = 0.25  # of a weight's two parts around one half, uniformly


def grows(small: SkeleTRConfig, large: SkeleTRConfig) -> bool:
    """Whether `grow` leads from one to the other, but for heads, input and dropout."""
    sizes = small.backbone == S_BACKBONE and large.backbone == L_BACKBONE
    same = all(getattr(small, name) == getattr(large, name) for name in _SHAPES)
    return sizes and same and small.interaction == "transformer"


@torch.no_grad()
def grow(model: SkeleTR, x: Tensor) -> SkeleTR:
    """A SkeleTR-L with what a SkeleTR-S has learnt, heads included.

    Args:
        model: a SkeleTR-S that relates by a Transformer.
        x: (R, T, V, C) sequences as the model gets them; 100 or more tell well enough how large
            the features are.
    """
    config = replace(model.config, backbone=L_BACKBONE)
    if not grows(model.config, config):
        raise ValueError("expected a SkeleTR-S with ST-GCN++ and a Transformer")
    large = SkeleTR(config).eval()
    large.backbone.input_bn.load_state_dict(model.backbone.input_bn.state_dict())
    for index, block in enumerate(large.backbone.blocks):
        if index in _SAME:
            block.load_state_dict(model.backbone.blocks[_SAME[index]].state_dict())
        else:
            _say_nothing(block)
    _double(large, x.to(next(model.parameters()).device))
    _relate(model, large)
    return large


def _say_nothing(block: STGCNPPBlock) -> None:
    """Only the residual connection of a block counts."""
    nn.init.zeros_(block.tcn.merge[-1].weight)
    nn.init.zeros_(block.tcn.merge[-1].bias)


def _double(large: SkeleTR, x: Tensor) -> None:
    """The residual connection of the widened block gives every channel twice.

    Its batch norm is set to give back what it takes in, also while it learns.
    """
    conv, norm = large.backbone.blocks[_WIDENED].residual
    conv.weight.copy_(torch.eye(conv.in_channels).repeat(2, 1)[..., None, None])
    nn.init.zeros_(conv.bias)
    features = large.backbone.input_bn(torch.nan_to_num(x))
    for block in large.backbone.blocks[:_WIDENED]:
        features = block(features)
    variance, mean = torch.var_mean(conv(features), dim=(0, 2, 3), correction=0)
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    norm.weight.copy_((variance + norm.eps).sqrt())
    norm.bias.copy_(mean)


def _relate(small: SkeleTR, large: SkeleTR) -> None:
    """Stage 2 and the heads, every token twice as wide."""
    large.embedding.weight.copy_(_twice(small.embedding.weight))
    large.embedding.bias.copy_(_twice(small.embedding.bias))
    _norm(small.norm, large.norm)
    for theirs, ours in zip(small.encoder, large.encoder, strict=True):
        _attend(theirs.attention, ours.attention)
        _norm(theirs.norm1, ours.norm1)
        for index in (0, 3):
            ours.ffn[index].weight.copy_(_twice(_shared(theirs.ffn[index].weight)))
            ours.ffn[index].bias.copy_(_twice(theirs.ffn[index].bias))
        _norm(theirs.norm2, ours.norm2)
    for name in ("instance_head", "scene_head"):
        head = getattr(small, name)
        if head is not None:
            getattr(large, name).weight.copy_(_shared(head.weight))
            getattr(large, name).bias.copy_(head.bias)


def _attend(small: nn.Module, large: nn.Module) -> None:
    """Attention; every head twice as wide, its scores as they were."""
    width = small.qkv.in_features
    parts = _shared(small.qkv.weight).view(3, small.heads, small.head_width, 2 * width)
    parts = torch.cat([parts, parts], dim=2)
    parts[0] *= 2**-0.5  # q k doubles, and is divided by the root of the doubled width
    large.qkv.weight.copy_(parts.reshape(-1, 2 * width))
    mixed = small.out.weight.view(width, small.heads, small.head_width)
    large.out.weight.copy_(_twice(_shared(mixed).flatten(1)))
    large.out.bias.copy_(_twice(small.out.bias))


def _norm(small: nn.LayerNorm, large: nn.LayerNorm) -> None:
    """Doubled features have the mean and the variance that they had before."""
    large.weight.copy_(_twice(small.weight))
    large.bias.copy_(_twice(small.bias))


def _twice(weight: Tensor) -> Tensor:
    """For everything that is given twice."""
    return torch.cat([weight, weight])


def _shared(weight: Tensor) -> Tensor:
    """For everything that is taken twice, along the last dimension: two parts of each weight."""
    part = 0.5 + (2 * torch.rand_like(weight) - 1) * _SPLIT
    return torch.cat([weight * part, weight * (1 - part)], dim=-1)
