"""Where a run starts from: the weights of a checkpoint, for fine-tuning and linear probing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from skeletr.checkpoint import Checkpoint, CheckpointError
from skeletr.model import SkeleTR
from skeletr.model.grow import grow, grows
from skeletr.training.config import ConfigError, TrainConfig
from skeletr.training.multitask import MultiTask
from skeletr.training.tasks import Task

_HEADS = ("instance_head", "scene_head")


def start_from(
    net: MultiTask, tasks: Sequence[Task], config: TrainConfig, sample: Callable[[], Tensor]
) -> list[str]:
    """Load the trunk of `config.init` and the heads of tasks with the same labels, or, as
    `config.init_part` says, stage 1 alone; freeze.

    A SkeleTR-L may start from a SkeleTR-S, see `grow`.

    Args:
        sample: gives sequences (R, T, V, C) to train on.

    Returns:
        What was taken over, for the log.

    Raises:
        ConfigError: no such checkpoint, or its weights do not fit.
    """
    if not config.init:
        return []
    try:
        checkpoint = Checkpoint.from_pretrained(config.init)
    except CheckpointError as error:
        raise ConfigError(f"init: {error}") from error
    if config.init_part == "backbone":
        notes = _backbone(net, checkpoint, config)
    else:
        notes = _trunk(net, tasks, checkpoint, config, sample)
    if checkpoint.model.config.stream != config.stream:
        notes.append(f"it was trained on the {checkpoint.model.config.stream} stream")
    if checkpoint.sequences != config.sequences:
        notes.append(f"its sequences were {checkpoint.sequences}")
    net.freeze(config.freeze)
    if config.freeze != "none":
        notes.append(f"{config.freeze} is kept as it is")
    return notes


def _backbone(net: MultiTask, checkpoint: Checkpoint, config: TrainConfig) -> list[str]:
    _check(net, checkpoint, config, ("backbone",))
    net.trunk.backbone.load_state_dict(checkpoint.model.backbone.state_dict())
    return [f"stage 1 from {config.init}"]


def _trunk(
    net: MultiTask,
    tasks: Sequence[Task],
    checkpoint: Checkpoint,
    config: TrainConfig,
    sample: Callable[[], Tensor],
) -> list[str]:
    model, notes = checkpoint.model, [f"trunk from {config.init}"]
    if config.freeze == "none" and grows(model.config, net.trunk.config):
        torch.manual_seed(config.seed)
        model = grow(model, sample())
        notes = [f"trunk grown from {config.init}"]
    else:
        _check(net, checkpoint, config)
    state = model.state_dict()
    net.trunk.load_state_dict({k: v for k, v in state.items() if k.split(".")[0] not in _HEADS})
    labels = checkpoint.labels
    return notes + [_head(net, n, task, model, labels) for n, task in enumerate(tasks)]


_TRUNK = (
    "backbone",
    "interaction",
    "aggregation",
    "layers",
    "heads",
    "expansion",
    "ffn_expansion",
)


def _check(
    net: MultiTask,
    checkpoint: Checkpoint,
    config: TrainConfig,
    names: Sequence[str] = _TRUNK,
) -> None:
    """Shapes, before anything is loaded. Bones may start from joints: the shapes are the same."""
    theirs, ours = checkpoint.model.config, net.trunk.config
    if config.freeze != "none" and theirs.stream != ours.stream:
        raise ConfigError(
            f"freeze: {config.init} knows the {theirs.stream} stream only; of the {ours.stream} "
            "stream nothing can stay as it is"
        )
    for name in names:
        found, expected = getattr(theirs, name), getattr(ours, name)
        if found != expected:
            raise ConfigError(
                f"init: {config.init} has {name} {found}, this run expects {expected}; set size "
                "and so on as in its config.json"
            )


@torch.no_grad()
def _head(net: MultiTask, number: int, task: Task, model: SkeleTR, labels: Sequence[str]) -> str:
    """Take over the heads of a task whose labels are those of the checkpoint, in any order."""
    if sorted(task.labels) != sorted(labels):
        common = len(set(task.labels) & set(labels))
        return f"new head for {task.config.name} ({common} of {len(task.labels)} labels known)"
    rows = [labels.index(label) for label in task.labels]
    heads = net.heads[number]
    for mine, theirs in (
        (heads.instance, model.instance_head),
        (heads.scene, model.scene_head),
    ):
        if mine is not None and theirs is not None:
            mine.weight.copy_(theirs.weight[rows])
            mine.bias.copy_(theirs.bias[rows])
    return f"head for {task.config.name} from there too"
