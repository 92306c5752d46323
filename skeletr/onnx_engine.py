"""ONNX Runtime as the engine of the recogniser: an exported file in the place of the network."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from skeletr.checkpoint import (
    CONFIG_FORMAT,
    Checkpoint,
    CheckpointError,
    about_model,
)
from skeletr.devices import pick_device
from skeletr.digest import checkpoint_digest
from skeletr.model import SkeleTRConfig
from skeletr.model.skeletr import SkeleTROutput
from skeletr.onnx_graph import ATTENTION, STAGE_2_INPUTS, missing, stages

if TYPE_CHECKING:
    import onnx
    import onnxruntime

ONNX_FILE = "model.onnx"  # beside the files of a checkpoint
ENGINES = ("torch", "onnx")
# Names of the metadata: all of `config.json`, and the digest of the checkpoint it was made of.
CONFIG_KEY, DIGEST_KEY = "config", "digest"


def open_checkpoint(
    name: str | os.PathLike[str],
    device: str = "auto",
    engine: str | None = None,
) -> Checkpoint:
    """A checkpoint with the network in torch, or in ONNX Runtime.

    Args:
        name: as of `Checkpoint.from_pretrained`, or an ONNX file that `export` wrote, which holds
            everything that is needed.
        device: see `pick_device`; ONNX computes on the CPU only.
        engine: one of `ENGINES`; by default torch, but for an ONNX file. "onnx" with a folder
            takes the `model.onnx` in it, which must have been made of the same weights.

    Raises:
        CheckpointError: a file is missing, broken or out of date, a package is not installed, or
            ONNX is wanted on another device than the CPU. DeviceError: see `pick_device`.
    """
    is_file = Path(name).suffix == ".onnx"
    if engine == "torch" and is_file:
        raise CheckpointError(f"{Path(name).name} is an ONNX file; expected --engine onnx")
    if engine != "onnx" and not is_file:
        return Checkpoint.from_pretrained(name, pick_device(device))
    if device not in ("auto", "cpu"):
        raise CheckpointError("the ONNX engine computes on the CPU; use --device cpu or auto")
    if is_file:
        return load_onnx(name)
    return _beside(Checkpoint.from_pretrained(name), Path(name))


def _beside(checkpoint: Checkpoint, folder: Path) -> Checkpoint:
    """The ONNX form in the folder of a checkpoint."""
    make = f"python -m skeletr export {folder} --onnx"
    if not (folder / ONNX_FILE).is_file():
        raise CheckpointError(f"{folder.name} has no {ONNX_FILE}; make it with `{make}`")
    found = load_onnx(folder / ONNX_FILE)
    if checkpoint_digest(found) != checkpoint_digest(checkpoint):
        raise CheckpointError(
            f"{folder.name}/{ONNX_FILE} was made of another checkpoint; make it anew with `{make}`"
        )
    return found


def load_onnx(path: str | os.PathLike[str]) -> Checkpoint:
    """What `export` wrote. It takes as many threads as torch has when it is opened.

    Raises:
        CheckpointError: the file is missing, broken, or no export of SkeleTR; or a package is not
            installed.
    """
    path = Path(path)
    try:
        import onnx
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise CheckpointError(str(missing(error))) from error
    if not path.is_file():
        raise CheckpointError(f"{path.name} cannot be found, expected an ONNX file")
    try:
        # A graph may name other files for its weights: these are not opened.
        graph = onnx.load(path, load_external_data=False)
        found = {entry.key: entry.value for entry in graph.metadata_props}
        config = json.loads(found[CONFIG_KEY])
        if config["format"] != CONFIG_FORMAT:
            raise ValueError(f"its format is {config['format']}, expected {CONFIG_FORMAT}")
        model = OnnxModel(graph, SkeleTRConfig(**config["model"]), found[DIGEST_KEY])
        return Checkpoint(model, **about_model(config))
    except Exception as error:  # onnx and its runtime each have exceptions of their own
        raise CheckpointError(
            f"{path.name} is no usable export of SkeleTR ({type(error).__name__}: "
            f"{str(error).strip().splitlines()[0] if str(error) else 'no reason given'}); "
            "make it with `python -m skeletr export CHECKPOINT --onnx`"
        ) from error


class OnnxModel:
    """Both stages in ONNX Runtime on the CPU; what a recogniser asks of `SkeleTR`, it answers.

    config: of the network. digest: of the checkpoint it was made of.
    """

    def __init__(self, graph: onnx.ModelProto, config: SkeleTRConfig, digest: str) -> None:
        """Raises `OnnxError` where the graph is none of ours."""
        self.config = config
        self.digest = digest
        first, second = stages(graph)
        self._length, self._width = (
            d.dim_value for d in first.graph.output[0].type.tensor_type.shape.dim[1:]
        )
        names = [o.name for o in second.graph.output]
        self._attention = [n for n in names if n.startswith(ATTENTION)]
        self._heads = [n for n in names if n not in self._attention]
        self._first, self._second = session(first), session(second)

    def parameters(self) -> Iterator[Tensor]:
        """One empty tensor on the device where inputs belong; the weights are in the runtime."""
        yield torch.empty(0)

    def tokens(self, x: Tensor) -> Tensor:
        """Stage 1, see `SkeleTR.tokens`: (R, T, V, C) -> (R, L, d)."""
        if not len(x):
            return x.new_zeros(0, self._length, self._width)
        (found,) = self._first.run(None, {"sequences": _array(x)})
        return torch.from_numpy(found)

    def relate(
        self, tokens: Tensor, embedding: Tensor, mask: Tensor, need_attention: bool = False
    ) -> SkeleTROutput:
        """Stage 2, see `SkeleTR.relate`; attention only where it was exported."""
        given = (_array(tokens), _array(embedding), np.ascontiguousarray(mask.numpy()))
        wanted = self._heads + (self._attention if need_attention else [])
        arrays = self._second.run(wanted, dict(zip(STAGE_2_INPUTS, given, strict=True)))
        found = {n: torch.from_numpy(a) for n, a in zip(wanted, arrays, strict=True)}
        attention = tuple(found[n] for n in self._attention) if need_attention else ()
        return SkeleTROutput(
            found.get("instance"), found.get("scene"), found["features"], attention or None
        )


def session(graph: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """A graph in ONNX Runtime, with as many threads as torch has now."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    # Threads that spin while they wait take the processor from the pose model.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _array(values: Tensor) -> np.ndarray:
    return np.ascontiguousarray(values.float().numpy())
