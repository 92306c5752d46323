"""Leaves out of a tflite network what only serves outputs that nobody reads.

BlazePose's landmark network also paints a mask of the body and heat maps: a third of its time.
The file is changed in place: the list of outputs and that of operators become shorter.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from flatbuffers.number_types import Int32Flags
from flatbuffers.table import Table

# Places in the tables of the TFLite schema: 4 + 2 times the number of the field.
_MODEL_SUBGRAPHS = 8
_GRAPH_TENSORS, _GRAPH_OUTPUTS, _GRAPH_OPERATORS = 4, 8, 10
_OPERATOR_INPUTS, _OPERATOR_OUTPUTS = 6, 8
_TENSOR_SHAPE = 4
_WORD = 4  # bytes of a length, an offset and a number of a tensor

Shape = tuple[int, ...]


def keep_outputs(network: bytes, shapes: Collection[Shape]) -> bytes:
    """The tflite file `network` without all that the outputs of these shapes do not need.

    Args:
        shapes: of the outputs that stay, with the batch axis.

    Raises:
        ValueError: the network has no output of one of the shapes.
    """
    data = bytearray(network)
    model = Table(data, int.from_bytes(data[:_WORD], "little"))
    (graph,) = _tables(model, _MODEL_SUBGRAPHS)
    tensors = _tables(graph, _GRAPH_TENSORS)
    shape_of = {i: tuple(_numbers(tensors[i], _TENSOR_SHAPE)) for i in _outputs(graph)}
    kept = [i for i, shape in shape_of.items() if shape in shapes]
    missing = set(shapes) - set(shape_of.values())
    if missing:
        raise ValueError(f"no output of shape {missing}, there are {set(shape_of.values())}")
    operators = _tables(graph, _GRAPH_OPERATORS)
    needed = _needed(operators, set(kept))
    # An entry of a vector of tables says how far behind itself its table lies.
    _rewrite(graph, _GRAPH_OUTPUTS, kept)
    _rewrite(graph, _GRAPH_OPERATORS, [operators[i].Pos for i in needed], relative=True)
    return bytes(data)


def _needed(operators: list[Table], wanted: set[int]) -> list[int]:
    """Which operators make the tensors `wanted`, in their order; they stand in that of running."""
    found = []
    for index in reversed(range(len(operators))):
        if wanted & set(_numbers(operators[index], _OPERATOR_OUTPUTS)):
            wanted |= set(_numbers(operators[index], _OPERATOR_INPUTS))
            found.append(index)
    return found[::-1]


def _outputs(graph: Table) -> list[int]:
    return _numbers(graph, _GRAPH_OUTPUTS)


def _numbers(table: Table, field: int) -> list[int]:
    place = table.Offset(field)
    return table.GetVectorAsNumpy(Int32Flags, place).tolist() if place else []


def _tables(table: Table, field: int) -> list[Table]:
    place = table.Offset(field)
    start, count = table.Vector(place), table.VectorLen(place)
    return [Table(table.Bytes, table.Indirect(start + _WORD * i)) for i in range(count)]


def _rewrite(table: Table, field: int, values: list[int], relative: bool = False) -> None:
    """Put fewer values in a vector of four-byte numbers or, if `relative`, of places of tables."""
    start = table.Vector(table.Offset(field))
    entries = np.array(values, np.uint32)
    if relative:
        entries = entries - (start + _WORD * np.arange(len(values), dtype=np.uint32))
    table.Bytes[start : start + _WORD * len(values)] = entries.astype("<u4").tobytes()
    table.Bytes[start - _WORD : start] = len(values).to_bytes(_WORD, "little")
