"""Optimiser and learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch.optim import Optimizer

from skeletr.training.config import TrainConfig


def make_optimiser(model: torch.nn.Module, config: TrainConfig) -> Optimizer:
    """AdamW or SGD; biases, norms and adjacency matrices are not decayed, frozen weights left
    out."""
    learnt = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    decayed = [p for n, p in learnt if p.ndim > 1 and "adjacency" not in n]
    free = [p for n, p in learnt if p.ndim <= 1 or "adjacency" in n]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
    if config.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=config.rate, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=config.rate, betas=(0.9, 0.98))


def learning_rate(step: int, config: TrainConfig) -> float:
    """Linear warm-up, then cosine to 1% or a tenth at each milestone."""
    if step < config.warmup:
        return config.rate * (step + 1) / config.warmup
    share = (step - config.warmup) / max(1, config.steps - config.warmup)
    shapes: dict[str, Callable[[], float]] = {
        "cosine": lambda: 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)),
        "multistep": lambda: 0.1 ** sum(share >= m for m in config.milestones),
    }
    return config.rate * shapes[config.schedule]()
