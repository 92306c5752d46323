"""One trunk for several tasks, each with heads of its own (paper, joint training)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from skeletr.batch import SequenceBatch
from skeletr.model import SkeleTR, SkeleTRConfig


@dataclass(frozen=True)
class TaskOutput:
    """What the heads of one task say about its n scenes of a batch, in order.

    instance: (n, M, K) logits per sequence, or None. scene: (n, K) logits, or None.
    """

    instance: Tensor | None
    scene: Tensor | None


class TaskHeads(nn.Module):
    """Linear heads of one task: per sequence ("instance"), per scene ("scene"), or both."""

    def __init__(self, width: int, classes: int, kinds: Sequence[str]) -> None:
        super().__init__()
        self.classes = classes
        self.instance = nn.Linear(width, classes) if "instance" in kinds else None
        self.scene = nn.Linear(width, classes) if "scene" in kinds else None

    def forward(self, features: Tensor, mask: Tensor) -> TaskOutput:
        """(n, M, d) features, zero at padding, and (n, M) mask -> logits."""
        instance = None if self.instance is None else self.instance(features) * mask[..., None]
        if self.scene is None:
            return TaskOutput(instance, None)
        count = mask.sum(dim=1, keepdim=True).clamp(min=1)
        return TaskOutput(instance, self.scene(features.sum(dim=1) / count))


class MultiTask(nn.Module):
    """SkeleTR without heads, and the heads of every task."""

    def __init__(self, config: SkeleTRConfig, tasks: Sequence[tuple[int, Sequence[str]]]) -> None:
        """tasks: for each the number of classes, and the kinds of its heads."""
        super().__init__()
        self.trunk = SkeleTR(replace(config, instance_classes=0, scene_classes=0))
        width = config.backbone.width
        self.heads = nn.ModuleList(TaskHeads(width, classes, kinds) for classes, kinds in tasks)
        self.frozen: tuple[str, ...] = ()

    def forward(self, scenes: SequenceBatch, task: Tensor) -> list[TaskOutput]:
        """N scenes, and (N,) int64 which task each belongs to -> one output per task.

        Every head takes part, with or without scenes: processes that train together expect a
        gradient, if only of zeros, for every weight.
        """
        features = self.trunk(scenes).features
        found = []
        for number, heads in enumerate(self.heads):
            mine = task == number
            found.append(heads(features[mine], scenes.mask[mine]))
        return found

    def freeze(self, what: str) -> None:
        """Keep "backbone" or the whole "trunk" as it is; "none" keeps nothing."""
        parts = {"none": (), "backbone": ("trunk.backbone",), "trunk": ("trunk",)}
        self.frozen = parts[what]
        for module in self._frozen_modules():
            module.requires_grad_(False)

    def train(self, mode: bool = True) -> MultiTask:
        """As of every module, but what is frozen stays in evaluation mode: batch statistics and
        dropout are part of what it does."""
        super().train(mode)
        for module in self._frozen_modules():
            module.eval()
        return self

    def _frozen_modules(self) -> Iterator[nn.Module]:
        return (self.get_submodule(name) for name in self.frozen)

    @torch.no_grad()
    def single(self, number: int) -> SkeleTR:
        """Trunk and heads of one task as the network that the program uses, in evaluation mode.

        Where a task has one head it answers for sequences and for scenes: a linear head over a
        mean is the mean of its answers.
        """
        heads = self.heads[number]
        classes = heads.classes
        config = replace(self.trunk.config, instance_classes=classes, scene_classes=classes)
        model = SkeleTR(config)
        state = dict(self.trunk.state_dict())
        for name, head in (
            ("instance_head", heads.instance or heads.scene),
            ("scene_head", heads.scene or heads.instance),
        ):
            state |= {f"{name}.{k}": v for k, v in head.state_dict().items()}
        model.load_state_dict(state)
        return model.eval().to(next(self.parameters()).device)
