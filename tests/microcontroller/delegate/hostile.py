"""Damaged .tflite files for the delegate: each a small valid model with one thing wrong.

Only what the delegate reads is damaged. TensorFlow Lite answers for the rest of the file.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as tflite
from flatbuffers import flexbuffers

from keras_bc.deploy import flatbuffer
from keras_bc.deploy.graph import Graph, Op, Tensor
from tests.deploy.graphs import PLAIN, graph_of

KINDS = ("KbcFullyConnected", "KbcConv2D", "KbcDepthwiseConv2D")
DENSE, CONV, _ = KINDS
_SEED = 11  # its dense layer has pad bits, its convolutions have pooling


@dataclass(frozen=True)
class Case:
    """A damaged file.

    Attributes:
        name: What is wrong.
        data: The file.
        words: Part of the message that it must be refused with; "" where any message will do, None
            where it may run.
    """

    name: str
    data: bytes
    words: str | None


_OPTIONAL = ("input_dilation_h", "input_dilation_w")  # 1 where they are missing


def corpus() -> Iterator[Case]:
    """All cases."""
    yield from _options()
    yield from _few_bit_options()
    yield from _tensors()
    yield from _channels()
    yield from _floats()
    yield from _sizes()
    yield from _operators()
    yield from _graphs()
    yield from _random_options()
    yield from _random_constants()


def damaged(kind: str, change: Callable[[Graph, Op], None]) -> bytes:
    graph = graph_of(kind, _SEED, **PLAIN)
    change(graph, graph.ops[0])
    return flatbuffer.write(graph)


def _options() -> Iterator[Case]:
    for kind in KINDS:
        for name, value in graph_of(kind, _SEED, **PLAIN).ops[0].options.items():
            yield Case(
                f"{kind} without {name}",
                damaged(kind, lambda graph, op, name=name: op.options.pop(name)),
                f"option `{name}`" if name not in _OPTIONAL else None,
            )
            if isinstance(value, str):
                wrong = ["binar", "binaryy", "", 1]
            else:
                wrong = [-129, -(2**40), 2**31, 2**63 - 1, "1", 2**32 + value]
            for other in wrong:
                yield Case(
                    f"{kind} with {name}={other!r}",
                    damaged(kind, lambda graph, op, n=name, o=other: op.options.update({n: o})),
                    f"option `{name}`",
                )
    yield _option_case(DENSE, "crossed bounds", activation_min=5, activation_max=4)
    yield _option_case(CONV, "a stride of 0", kernel_stride_h=0)
    yield _option_case(CONV, "groups of 0", groups=0)
    yield _option_case(CONV, "groups that do not divide", groups=5)
    yield _option_case(CONV, "a pool that is all padding", pool_pad_bottom=2**15)
    yield _option_case(CONV, "a kernel beyond the image", kernel_h=2**15, kernel_pad_top=0)
    yield _option_case(CONV, "the widest steps", kernel_w=2**15, kernel_dilation_w=2**15)
    yield _option_case(CONV, "the largest padding", kernel_pad_top=2**15, kernel_pad_left=2**15)


def _few_bit_options() -> Iterator[Case]:
    """Options that only bits, ternary weights, shortcuts and the ops of bits have."""
    subjects = [
        *((kind, {"bits": True, "weights": "ternary", "outputs": "bits"}) for kind in KINDS),
        *((kind, {"bits": True}) for kind in ("KbcMaxPool2D", "KbcUnpack")),
        ("KbcPack", {}),
    ]
    for kind, fixed in subjects:
        names = [op for op in graph_of(kind, _SEED, **fixed).ops if op.kind == kind][-1].options
        for name in names:
            for value in (None, -129, -(2**40), 2**31, 2**63 - 1, "1"):

                def change(op, name=name, value=value):
                    op.options.update({name: value})
                    if value is None:
                        del op.options[name]

                graph = graph_of(kind, _SEED, **fixed)
                change([op for op in graph.ops if op.kind == kind][-1])
                yield Case(
                    f"{kind} {fixed} with {name}={value!r}",
                    flatbuffer.write(graph),
                    None if value is None and name in _OPTIONAL else f"option `{name}`",
                )
        for number in range(5, 8):
            graph = graph_of(kind, _SEED, **fixed)
            op = [op for op in graph.ops if op.kind == kind][-1]
            for tensor in (*op.inputs[:1], *op.outputs):
                last = graph.tensors[tensor].shape
                graph.tensors[tensor].shape = (*last[:-1], last[-1] + 2**number)
                yield Case(f"{kind} {fixed}: {tensor} {number} longer", flatbuffer.write(graph), "")


def _option_case(kind: str, name: str, **options: int) -> Case:
    return Case(name, damaged(kind, lambda graph, op: op.options.update(options)), "")


def _constant(number: int, change: Callable[[np.ndarray], np.ndarray]):
    """Replace an input's data, and its shape and type with it."""

    def apply(graph: Graph, op: Op) -> None:
        tensor = graph.tensors[op.inputs[number]]
        tensor.data = change(tensor.data.copy())
        tensor.shape, tensor.dtype = tensor.data.shape, str(tensor.data.dtype)

    return apply


def _activation(end: str, **fields):
    def apply(graph: Graph, op: Op) -> None:
        name = op.inputs[0] if end == "input" else op.outputs[0]
        for field, value in fields.items():
            setattr(graph.tensors[name], field, value)

    return apply


def _tensors() -> Iterator[Case]:
    constants = {
        "a column short": lambda data: data[:, :-1],
        "a row short": lambda data: data[:-1],
        "a row long": lambda data: np.concatenate([data, data[:1]]),
        "transposed": lambda data: np.ascontiguousarray(np.vstack([data, data]).T),
        "of one axis": lambda data: data.reshape(-1),
        "of three axes": lambda data: data[None],
        "int8": lambda data: data.astype(np.int8),
        "float32": lambda data: data.astype(np.float32),
    }
    for kind in KINDS:
        for number, what in ((1, "the weights"), (2, "the channels")):
            for name, change in constants.items():
                words = "" if "a row" in name or "transposed" in name else what
                yield Case(
                    f"{kind}: {what} {name}", damaged(kind, _constant(number, change)), words
                )
            computed = damaged(
                kind, lambda graph, op, n=number: setattr(graph.tensors[op.inputs[n]], "data", None)
            )
            yield Case(f"{kind}: {what} not constant", computed, what)
        for end in ("input", "output"):
            for name, fields in {
                "float32": {"dtype": "float32"},
                "int32": {"dtype": "int32"},
                "not quantized": {"scale": None},
                "of scale 0": {"scale": np.zeros(1, np.float32)},
                "of scale NaN": {"scale": np.full(1, np.nan, np.float32)},
                "of infinite scale": {"scale": np.full(1, np.inf, np.float32)},
                "of zero point 128": {"zero_point": 128},
                "of zero point -2^31": {"zero_point": -(2**31)},
            }.items():
                change = _activation(end, **fields)
                words = {"int32": "", "float32": "expected float32"}.get(name, f"the {end}")
                yield Case(f"{kind}: the {end} {name}", damaged(kind, change), words)


def _channels() -> Iterator[Case]:
    fields = {
        0: ("bias", [2**30 + 1, -(2**30) - 1, 2**31 - 1, -(2**31)]),
        1: ("multiplier", [1, -1, 2**30 - 1, -(2**30) + 1, -(2**31)]),
        2: ("shift", [0, -1, 63, 2**31 - 1, -(2**31)]),
    }
    for kind in KINDS:
        for column, (name, values) in fields.items():
            for value in values:

                def change(data, column=column, value=value):
                    data[-1, column] = value
                    return data

                yield Case(f"{kind}: {name} {value}", damaged(kind, _constant(2, change)), name)
        yield Case(
            f"{kind}: pad bits", damaged(kind, _constant(1, lambda data: data | -(2**31))), ""
        )


def floating(graph: Graph, op: Op) -> None:
    """Make a float op of one with few-bit weights."""
    for name in (op.inputs[0], *op.outputs):
        old = graph.tensors[name]
        graph.tensors[name] = Tensor(name, old.shape, "float32")
    name = op.inputs[2]
    data = np.tile(np.array([1, 0, -1, 1, 0], np.float32), (len(graph.tensors[name].data), 1))
    graph.tensors[name] = Tensor(name, data.shape, "float32", data)


def _floats() -> Iterator[Case]:
    def but(change: Callable[[Graph, Op], None]):
        def apply(graph: Graph, op: Op) -> None:
            floating(graph, op)
            change(graph, op)

        return apply

    def channel(column: int, value: float):
        def change(data: np.ndarray) -> np.ndarray:
            data[-1, column] = value
            return data

        return but(_constant(2, change))

    def typed(number: int, dtype: str, **fields):
        def change(graph: Graph, op: Op) -> None:
            name = (*op.inputs, *op.outputs)[number]
            graph.tensors[name] = replace(graph.tensors[name], dtype=dtype, **fields)

        return but(change)

    def endless(data: np.ndarray) -> np.ndarray:
        largest = np.finfo(np.float32).max
        data[-1, 2:] = -largest, largest, 1e37
        return data

    one = np.array([0.5], np.float32)
    for kind in KINDS:
        for name, change, words in (
            ("NaN scale", channel(0, np.nan), "not finite"),
            ("infinite bound", channel(3, np.inf), "not finite"),
            ("bounds the wrong way round", channel(2, 2.0), "bounds or the step"),
            ("negative step", channel(4, -0.1), "bounds or the step"),
            ("far too many levels", channel(4, 1e-30), "bounds or the step"),
            ("levels of no bounds", but(_constant(2, endless)), "bounds or the step"),
            ("a field too few", but(_constant(2, lambda data: data[:, :4])), "another shape"),
            ("int32 channels", but(_constant(2, lambda data: data.view(np.int32))), ""),
            ("int8 output", typed(3, "int8", scale=one), "the output has type 9"),
            ("int8 input", typed(0, "int8", scale=one), "the input has type 9"),
            ("bits as the output", typed(3, "int32"), "the output has type 2"),
        ):
            yield Case(f"float {kind}: {name}", damaged(kind, change), words)


def _sizes() -> Iterator[Case]:
    shapes = [
        (1, 2**30),
        (1, 2**24 + 1),
        (1, 2**16, 2**16),
        (1, 1),
        (1, 0),
        (1, -5),
        (1,),
        (1,) * 9,
    ]
    for kind in KINDS:
        for end in ("input", "output"):
            for shape in shapes:
                data = damaged(kind, _activation(end, shape=shape))
                yield Case(f"{kind}: {end} of shape {shape}", data, "")
    for axis in (1, 2, 3):

        def longer(graph: Graph, op: Op, axis=axis) -> None:
            shape = list(graph.tensors[op.outputs[0]].shape)
            shape[axis] += 1
            graph.tensors[op.outputs[0]].shape = tuple(shape)

        yield Case(f"output longer along axis {axis}", damaged(CONV, longer), "")
    yield Case("an accumulator that overflows", damaged(DENSE, _too_many_products), "overflow")


def _too_many_products(graph: Graph, op: Op) -> None:
    size = 2**30 // 255 + 1
    graph.tensors[op.inputs[0]].shape = (1, size)
    words = (graph.tensors[op.outputs[0]].shape[-1], -(-size // 32))
    graph.tensors[op.inputs[1]] = Tensor(op.inputs[1], words, "int32", np.zeros(words, np.int32))


def _operators() -> Iterator[Case]:
    def rewire(change):
        return lambda model: change(model.subgraphs[0].operators[0])

    changes = {
        "no options": lambda operator: setattr(operator, "customOptions", None),
        "empty options": lambda operator: setattr(operator, "customOptions", []),
        "options of one byte": lambda operator: setattr(operator, "customOptions", [0]),
        "options of ones": lambda operator: setattr(operator, "customOptions", [255] * 40),
        "options that are no map": lambda operator: setattr(
            operator, "customOptions", list(flexbuffers.Dumps([1, 2, 3]))
        ),
        "an empty map": lambda operator: setattr(
            operator, "customOptions", list(flexbuffers.Dumps({}))
        ),
        "no inputs": lambda operator: setattr(operator, "inputs", []),
        "two inputs": lambda operator: setattr(operator, "inputs", operator.inputs[:2]),
        "four inputs": lambda operator: setattr(operator, "inputs", [*operator.inputs, 0]),
        "optional weights": lambda operator: setattr(
            operator, "inputs", [0, -1, operator.inputs[2]]
        ),
        "optional input": lambda operator: setattr(operator, "inputs", [-1, *operator.inputs[1:]]),
        "channels for weights": lambda operator: setattr(
            operator, "inputs", operator.inputs[[0, 2, 1]]
        ),
        "no outputs": lambda operator: setattr(operator, "outputs", []),
        "two outputs": lambda operator: setattr(
            operator, "outputs", [*operator.outputs, operator.inputs[1]]
        ),
        "a constant for the output": lambda operator: setattr(
            operator, "outputs", [operator.inputs[2]]
        ),
    }
    for kind in KINDS:
        whole = flatbuffer.write(graph_of(kind, _SEED, **PLAIN))
        for name, change in changes.items():
            yield Case(f"{kind}: {name}", _repack(whole, rewire(change)), "")


def _graphs() -> Iterator[Case]:
    def constant_output(graph: Graph, op: Op) -> None:
        y = graph.tensors[op.outputs[0]]
        y.data = np.zeros(y.shape, np.int8)

    for kind in KINDS:
        yield Case(f"{kind}: a constant int8 output", damaged(kind, constant_output), "constant")
        for batch, first in itertools.product((1, 3), (True, False)):
            # The input may have another writer, which then runs before the op.
            for end, words in (("input", None), ("output", "another node writes its output")):
                data = damaged(kind, also_written(end, batch, first))
                yield Case(f"{kind}: {end} written with batch {batch}, {first}", data, words)


def also_written(end: str, batch: int, first: bool):
    """Another node writes an end of the op, and gives it another batch, before or after."""

    def apply(graph: Graph, op: Op) -> None:
        target = graph.tensors[op.inputs[0] if end == "input" else op.outputs[0]]
        target.shape = (2, *target.shape[1:])
        shape = (batch, *target.shape[1:])
        graph.tensors["other"] = replace(target, name="other", shape=shape)
        size = np.array(shape, np.int32)
        graph.tensors["shape"] = Tensor("shape", size.shape, "int32", size)
        graph.inputs.append("other")
        graph.ops.insert(0 if first else 1, Op("RESHAPE", "r", ["other", "shape"], [target.name]))

    return apply


def _random_options() -> Iterator[Case]:
    rng = np.random.default_rng(1)
    for kind in KINDS:
        whole = flatbuffer.write(graph_of(kind, _SEED, **PLAIN))
        for number in range(60):

            def change(model, number=number):
                operator = model.subgraphs[0].operators[0]
                options = operator.customOptions.copy()
                if number % 3 == 0:
                    options = options[: rng.integers(len(options))]
                elif number % 3 == 1:
                    options[rng.integers(len(options))] = rng.integers(256)
                else:
                    # The root, the counts and the types stand at the end.
                    options[-rng.integers(1, min(60, len(options)))] = rng.choice([0, 1, 127, 255])
                operator.customOptions = options

            yield Case(f"{kind}: damaged options {number}", _repack(whole, change), None)


def _random_constants() -> Iterator[Case]:
    rng = np.random.default_rng(2)
    for kind in KINDS:
        for number in range(10):

            def change(data):
                return rng.integers(-(2**31), 2**31, data.shape).astype(np.int32)

            data = damaged(kind, _constant(1 + number % 2, change))
            yield Case(f"{kind}: random constants {number}", data, None)


def _repack(data: bytes, change: Callable[[tflite.ModelT], None]) -> bytes:
    model = tflite.ModelT.InitFromPackedBuf(data)
    change(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), flatbuffer.IDENTIFIER)
    return bytes(builder.Output())
