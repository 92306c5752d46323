"""The state of a run in one safetensors file, written whole or not at all; no pickles."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from skeletr.files import atomic_path


class StateError(ValueError):
    """A saved state that cannot be continued: names the file and the reason."""


def save_state(
    path: str | os.PathLike[str],
    modules: dict[str, nn.Module],
    optimiser: Optimizer,
    progress: dict[str, Any],
) -> None:
    """Write weights, optimiser and progress (plain values) together."""
    tensors: dict[str, Tensor] = {}
    for name, module in modules.items():
        state = module.state_dict()
        tensors |= {f"{name}.{k}": v.detach().cpu().contiguous() for k, v in state.items()}
    for index, state in optimiser.state_dict()["state"].items():
        for key, value in state.items():
            if isinstance(value, Tensor):
                tensors[f"optimiser.{index}.{key}"] = value.detach().cpu().contiguous()
    with atomic_path(path) as partial:
        save_file(tensors, partial, metadata={"progress": json.dumps(progress)})


def load_state(
    path: str | os.PathLike[str], modules: dict[str, nn.Module], optimiser: Optimizer
) -> dict[str, Any]:
    """Restore what `save_state` wrote; returns the progress.

    Raises:
        StateError: the file is broken, or of another model.
    """
    path = Path(path)
    try:
        with safe_open(path, "pt") as file:
            progress = json.loads((file.metadata() or {})["progress"])
            tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118
        for name, module in modules.items():
            module.load_state_dict(_part(tensors, name))
        _load_optimiser(optimiser, _part(tensors, "optimiser"))
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise StateError(f"{path} cannot be continued: {error}") from error
    return progress


def _part(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}


def _load_optimiser(optimiser: Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    groups = optimiser.state_dict()["param_groups"]
    count = sum(len(group["params"]) for group in groups)
    if any(index >= count for index in state):
        raise ValueError(f"optimiser state for {max(state) + 1} parameters, the model has {count}")
    optimiser.load_state_dict({"state": state, "param_groups": groups})
