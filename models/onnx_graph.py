"""Checks an ONNX file's graph without the onnx package, before ONNX Runtime builds it.

What `models.export` writes has neither control flow nor nested graphs nor tensors in other files,
and its weights are finite. Only the fields that tell this are read (onnx.proto3 has the numbers).
"""

from collections.abc import Iterator

import numpy as np

_GRAPH, _FUNCTIONS = 7, 25  # of ModelProto
_NODES, _INITIALISERS = 1, 5  # of GraphProto
_OPERATOR, _ATTRIBUTES, _DOMAIN = 4, 5, 7  # of NodeProto
_TENSOR, _GRAPH_OF, _GRAPHS_OF, _SPARSE, _SPARSE_LIST = 5, 6, 11, 22, 23  # of AttributeProto
_DATA_TYPE, _FLOAT_DATA, _RAW_DATA, _DOUBLE_DATA = 2, 4, 9, 10  # of TensorProto
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14  # of TensorProto
_SPARSE_INITIALISERS = 15  # of GraphProto
_CONTROL_FLOW = {b"If", b"Loop", b"Scan", b"SequenceMap"}
_FLOATS: dict[int, np.dtype] = {1: np.dtype("<f4"), 10: np.dtype("<f2"), 11: np.dtype("<f8")}
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types


def check_graph(content: bytes) -> None:
    """Check a whole file.

    Raises:
        ValueError: If it is no ONNX file, holds what no exported network holds, or weights that
            are not finite.
    """
    for number, value in _parts(memoryview(content)):
        if number == _FUNCTIONS:
            raise ValueError("it defines functions")
        if number == _GRAPH:
            _check_body(_message(value))


def _check_body(graph: memoryview) -> None:
    for number, value in _parts(graph):
        if number == _NODES:
            _check_node(_message(value))
        elif number == _INITIALISERS:
            _check_tensor(_message(value))
        elif number == _SPARSE_INITIALISERS:
            raise ValueError("it holds sparse tensors")


def _check_node(node: memoryview) -> None:
    for number, value in _parts(node):
        if number == _OPERATOR and bytes(_message(value)) in _CONTROL_FLOW:
            raise ValueError(f"it holds control flow ({bytes(_message(value)).decode()})")
        if number == _DOMAIN and bytes(_message(value)) not in (b"", b"ai.onnx"):
            raise ValueError("it holds operators that are not ONNX's own")
        if number == _ATTRIBUTES:
            _check_attribute(_message(value))


def _check_attribute(attribute: memoryview) -> None:
    for number, value in _parts(attribute):
        if number in (_GRAPH_OF, _GRAPHS_OF):
            raise ValueError("it holds graphs inside operators")
        if number in (_SPARSE, _SPARSE_LIST):
            raise ValueError("it holds sparse tensors")
        if number == _TENSOR:
            _check_tensor(_message(value))


def _check_tensor(tensor: memoryview) -> None:
    parts = list(_parts(tensor))
    if any(number in (_EXTERNAL_DATA, _DATA_LOCATION) and value for number, value in parts):
        raise ValueError("its weights lie in another file")
    kind = next((value for number, value in reversed(parts) if number == _DATA_TYPE), 0)
    for number, value in parts:
        if number in (_FLOAT_DATA, _DOUBLE_DATA) and isinstance(value, int):
            raise ValueError("it is no ONNX file")
        dtype: np.dtype | None = {_FLOAT_DATA: _FLOATS[1], _DOUBLE_DATA: _FLOATS[11]}.get(number)
        if number == _RAW_DATA and isinstance(kind, int):
            dtype = _FLOATS.get(kind)
        if dtype is not None and not np.isfinite(np.frombuffer(_message(value), dtype)).all():
            raise ValueError("its weights are not all finite")


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("it is no ONNX file")
    return value


def _parts(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Field numbers and values of a protobuf message."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        wire, number = key & 7, key >> 3
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == _BYTES:
            length, at = _varint(message, at)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError("it is no ONNX file")
        if length > len(message) - at:
            raise ValueError("it is cut off")
        yield number, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise ValueError("it is cut off")
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
    raise ValueError("it is no ONNX file")
