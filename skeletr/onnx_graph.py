"""The network as one ONNX graph, made of its two stages, which can be cut apart again.

    x (N, M, T, V, C) -> sequences (N*M, T, V, C) -> stage 1 -> tokens (N, M, L, d)
    tokens, embedding (N, M, 5), mask (N, M) -> stage 2 -> instance, scene, features, attention

N scenes and M sequences are free; T, V and C are those of the checkpoint. A live recogniser runs
stage 1 on new sequences only, see `stages`; everybody else takes the graph as a whole.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from skeletr.model import SkeleTR
from skeletr.model.skeletr import EMBEDDING_INPUT
from skeletr.skeleton import C, V

if TYPE_CHECKING:
    import onnx

INPUTS = ("x", "embedding", "mask")
STAGE_2_INPUTS = ("tokens", "embedding", "mask")
ATTENTION = "attention_"  # and the number of the layer
_DYNAMIC = torch.export.Dim.DYNAMIC
_ATTENDING = ("transformer", "non-local")


class OnnxError(ValueError):
    """An ONNX file that cannot be made or used; the message says what to do."""


def output_names(model: SkeleTR, attention: bool) -> list[str]:
    """Names of the outputs, in order; heads that the model lacks are left out."""
    config = model.config
    heads = [
        *(["instance"] if config.instance_classes else []),
        *(["scene"] if config.scene_classes else []),
        "features",
    ]
    attending = attention and config.interaction in _ATTENDING
    return heads + [f"{ATTENTION}{i}" for i in range(config.layers if attending else 0)]


def build(model: SkeleTR, frames: int, attention: bool) -> onnx.ModelProto:
    """The graph of a model in evaluation mode, on the CPU.

    Args:
        frames: T. attention: also give the weights of each layer, (N, heads, M*L, M*L).

    Raises:
        OnnxError: a package is missing, or the exporter cannot express the model.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise missing(error) from error
    names = output_names(model, attention)
    length = model.pooling.length(model.config.backbone.frames(frames))
    width = model.config.backbone.width
    sequences = torch.zeros(3, frames, V, C)
    scenes = (
        torch.zeros(2, 3, length, width),
        torch.zeros(2, 3, EMBEDDING_INPUT),
        torch.ones(2, 3, dtype=torch.bool),
    )
    free = {name: {0: _DYNAMIC, 1: _DYNAMIC} for name in STAGE_2_INPUTS}
    with _quiet():
        first = _export(
            _Stage1(model), (sequences,), ["sequences"], ["sequence_tokens"], [{0: _DYNAMIC}]
        )
        second = _export(
            _Stage2(model, names), scenes, list(STAGE_2_INPUTS), names, [*free.values()]
        )
    whole = _joined(first, second, frames, length, width)
    onnx.checker.check_model(whole)
    return whole


def stages(whole: onnx.ModelProto) -> tuple[onnx.ModelProto, onnx.ModelProto]:
    """The two graphs of which `whole` was made.

    Returns:
        sequences (R, T, V, C) -> sequence_tokens (R, L, d); and `STAGE_2_INPUTS` -> the outputs.

    Raises:
        OnnxError: it was not made by `build`.
    """
    from onnx.utils import Extractor

    try:
        cut = Extractor(whole)
        first = cut.extract_model(["sequences"], ["sequence_tokens"])
        second = cut.extract_model(list(STAGE_2_INPUTS), [o.name for o in whole.graph.output])
    except (AssertionError, ValueError) as error:
        raise OnnxError(f"it was not made by `python -m skeletr export`: {error}") from error
    return first, second


def missing(error: ImportError) -> OnnxError:
    """What to say where an optional package is not installed."""
    return OnnxError(
        f"ONNX needs packages that are not installed ({error}); "
        "install them with `pip install -r requirements-onnx.txt`"
    )


class _Stage1(nn.Module):
    def __init__(self, model: SkeleTR) -> None:
        super().__init__()
        self.model = model

    def forward(self, sequences: Tensor) -> Tensor:
        return self.model.tokens(sequences)


class _Stage2(nn.Module):
    def __init__(self, model: SkeleTR, names: Sequence[str]) -> None:
        super().__init__()
        self.model = model
        self.names = names

    def forward(self, tokens: Tensor, embedding: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        need_attention = any(name.startswith(ATTENTION) for name in self.names)
        output = self.model.relate(tokens, embedding, mask, need_attention)
        heads = [getattr(output, name) for name in self.names if not name.startswith(ATTENTION)]
        return (*heads, *(output.attention or ()))


def _export(
    module: nn.Module,
    example: tuple[Tensor, ...],
    inputs: list[str],
    outputs: list[str],
    free: list[dict],
) -> onnx.ModelProto:
    try:
        return torch.onnx.export(
            module.eval(),
            example,
            dynamo=True,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=tuple(free),
            verbose=False,
        ).model_proto
    except torch.onnx.OnnxExporterError as error:
        first_line = str(error).strip().splitlines()[0]
        raise OnnxError(f"this model cannot be expressed in ONNX: {first_line}") from error


def _joined(
    first: onnx.ModelProto, second: onnx.ModelProto, frames: int, length: int, width: int
) -> onnx.ModelProto:
    """One graph of both stages; the tensors between them keep their names."""
    from onnx import TensorProto, compose, helper, numpy_helper

    keep = {"rename_inputs": False, "rename_outputs": False}
    first = compose.add_prefix(first, "stage1/", **keep)
    second = compose.add_prefix(second, "stage2/", **keep)
    values = {
        "one_scene": [-1, frames, V, C],
        "one_sequence": [length, width],
        "token_axes": [2, 3],
        "no_token": 0.0,
    }
    constants = [
        numpy_helper.from_array(torch.tensor(v).numpy(), name) for name, v in values.items()
    ]
    nodes = [
        helper.make_node("Reshape", ["x", "one_scene"], ["sequences"]),
        *first.graph.node,
        helper.make_node("Shape", ["mask"], ["scenes"]),
        helper.make_node("Concat", ["scenes", "one_sequence"], ["token_shape"], axis=0),
        helper.make_node("Reshape", ["sequence_tokens", "token_shape"], ["all_tokens"]),
        # What padding looks at means nothing, but is to be the same as in the network.
        helper.make_node("Unsqueeze", ["mask", "token_axes"], ["token_mask"]),
        helper.make_node("Where", ["token_mask", "all_tokens", "no_token"], ["tokens"]),
        *second.graph.node,
    ]

    def real(name: str, *shape: str | int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    inputs = [
        real("x", "N", "M", frames, V, C),
        real("embedding", "N", "M", EMBEDDING_INPUT),
        helper.make_tensor_value_info("mask", TensorProto.BOOL, ["N", "M"]),
    ]
    between = [
        real("sequences", "R", frames, V, C),
        real("sequence_tokens", "R", length, width),
        real("tokens", "N", "M", length, width),
    ]
    graph = helper.make_graph(
        nodes,
        "SkeleTR",
        inputs,
        [_free(o, _axes(o.name)) for o in second.graph.output],
        [*constants, *first.graph.initializer, *second.graph.initializer],
        value_info=between,
    )
    return helper.make_model(
        graph,
        ir_version=max(first.ir_version, second.ir_version),
        opset_imports=second.opset_import,
        producer_name="SkeleTR Live",
    )


def _axes(name: str) -> dict[int, str]:
    """Names of the free axes of an output."""
    if name.startswith(ATTENTION):
        return {0: "N", 2: "M*L", 3: "M*L"}
    return {0: "N"} if name == "scene" else {0: "N", 1: "M"}


def _free(value: onnx.ValueInfoProto, axes: dict[int, str]) -> onnx.ValueInfoProto:
    for axis, name in axes.items():
        value.type.tensor_type.shape.dim[axis].dim_param = name
    return value


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter tells of packages that are not needed here."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
