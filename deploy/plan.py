"""What an emitted model calls and where its memory lies: a kernel for each layer, one arena."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from keras_bc.deploy import arena, costs, kernels, layouts, targets
from keras_bc.deploy.graph import Graph, Tensor
from keras_bc.deploy.guards import holds
from keras_bc.deploy.in_place import overwritable
from keras_bc.deploy.lowering import Call, lower
from keras_bc.deploy.native import scratch_bytes
from keras_bc.errors import UserError

ALIGNMENT = 4
"""Of every buffer in the arena: scratch needs it, and tensors get it so that kernels may read words
where a row's length allows."""


LARGEST_APART = 32767
"""Bytes of an array where no pointer reaches the flash: in avr-gcc an int has 16 bits."""


@dataclass(frozen=True)
class Layer:
    """A call, and the kernel variant that computes it.

    Attributes:
        call: What is computed.
        kernel: The row of the kernel table.
        scratch_bytes: What the kernel works in; None where it takes no scratch.
    """

    call: Call
    kernel: kernels.Variant
    scratch_bytes: int | None

    @property
    def name(self) -> str:
        """The Keras layer."""
        return self.call.op.name

    @property
    def kind(self) -> str:
        """The op of the integer graph."""
        return self.call.op.kind

    @property
    def variant(self) -> str:
        """The kernel variant's name."""
        return self.kernel.name

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return self.call.macs

    def constants(self) -> dict[str, np.ndarray]:
        """The arrays that the parameters point to, weights in the layout that the kernel wants."""
        constants = dict(self.call.constants)
        if "weights" in constants:
            constants["weights"] = layouts.pack(
                self.kernel.layout, constants["weights"], self.call.params
            )
        return constants


@dataclass(frozen=True)
class Plan:
    """A whole model.

    Attributes:
        layers: In the order of execution.
        roots: Every tensor in the arena, by name, and the one whose bytes it shares: its own, or
            for a RESHAPE's output those of the tensor reshaped.
        offsets: Of the roots, in the arena.
        scratch_offsets: Of each layer's scratch, in the arena; None where there is none.
        arena_bytes: Size of the arena.
        constant_bytes: Of weights, channels and tables together.
    """

    layers: list[Layer]
    roots: dict[str, str]
    offsets: dict[str, int]
    scratch_offsets: list[int | None]
    arena_bytes: int
    constant_bytes: int


def plan(
    graph: Graph,
    cpu: str = "any",
    ram_limit: int | None = None,
    variants: Mapping[str, str] | None = None,
) -> Plan:
    """Choose the kernels and place the memory of an integer graph.

    Each layer gets the variant of the kernel table that takes the fewest instructions on the CPU,
    as `costs` estimates them. Where the arena is then larger than `ram_limit`, the layers that hold
    the most memory fall back to slower variants, one at a time, until it fits or none is left.

    Args:
        graph: In the integer dialect.
        cpu: As the compiler names it, such as "cortex-m4"; "any" takes portable kernels only.
        ram_limit: Bytes that the arena may have.
        variants: The variant to take by op, such as {"fully_connected_s8": "reference"}, wherever
            it can compute a layer; for tests and benchmarks.

    Raises:
        UserError: The graph has an op that no kernel computes, or none on this CPU.
    """
    roots = _roots(graph)
    choices = [_choices(call, cpu, variants or {}) for call in lower(graph)]
    while True:
        layers = [variants[-1] for variants in choices]
        buffers = _buffers(graph, layers, roots)
        memory = arena.plan(buffers)
        retreats = [step for step, variants in enumerate(choices) if len(variants) > 1]
        if ram_limit is None or memory.size <= ram_limit or not retreats:
            break
        choices[max(retreats, key=lambda step: arena.live_bytes(buffers, step))].pop()
    return Plan(
        layers,
        roots,
        {root: memory.offsets[root] for root in roots.values()},
        [memory.offsets.get(_scratch_name(step)) for step in range(len(layers))],
        memory.size,
        sum(data.nbytes for data in distinct_constants(layers).values()),
    )


def runnable(call: Call, cpu: str) -> list[Layer]:
    """The call in every variant that a CPU can run and that is made for it, in the table's order.

    Args:
        call: Of a kernel.
        cpu: As for `plan`.
    """
    # A builtin has one kernel and no row in the table.
    rows = [row for row in kernels.table() if row.op == call.kernel]
    rows = rows or [kernels.Variant(call.kernel, "reference", "canonical", "1")]
    if call.constants and targets.of(cpu).flash_apart:
        rows = [row for row in rows if row.guard == kernels.APART]
        call = _reading_flash_apart(call, cpu)
        if not rows:
            raise _no_kernel(call, cpu)
    layers = [
        Layer(call, row, scratch_bytes(row.function, call.params))
        for row in rows
        if holds(row.guard, cpu)
    ]
    return [layer for layer in layers if layer.scratch_bytes is None or layer.scratch_bytes >= 0]


def _reading_flash_apart(call: Call, cpu: str) -> Call:
    """The call with functions that read its constants where no pointer reaches the flash."""
    functions = {key: f"{name}{kernels.APART_SUFFIX}" for key, name in call.functions.items()}
    if any(not kernels.source(name).exists() for name in functions.values()):
        raise _no_kernel(call, cpu)
    for field, data in call.constants.items():
        if data.nbytes > LARGEST_APART:
            raise UserError(
                f"`{call.op.name}` has {data.nbytes} bytes of {field}, and the compiler for {cpu} "
                f"takes {LARGEST_APART} at most. Make it smaller, or take another board."
            )
    return replace(call, functions=functions)


def _no_kernel(call: Call, cpu: str) -> UserError:
    return UserError(
        f"`{call.op.name}` ({call.op.kind}) does not run on {cpu} yet, whose flash is no memory "
        "that a pointer reaches: there are fully connected layers with one-bit weights, and what "
        "has no constants. Take a board with another CPU."
    )


def _choices(call: Call, cpu: str, variants: Mapping[str, str]) -> list[Layer]:
    """The call in the variant that is asked for; where none is, or where it cannot, in all of them,
    the best one last."""
    layers = runnable(call, cpu)
    wanted = [layer for layer in layers if variants.get(call.kernel) == layer.variant]
    if wanted or len(layers) == 1:
        return wanted or layers
    estimates = [costs.estimate(layer.kernel.function, call.params, cpu) for layer in layers]
    if None in estimates:  # a core that was not measured: the table's order
        return layers
    order = sorted(range(len(layers)), key=lambda i: -estimates[i])
    return [layers[i] for i in order]


def distinct_constants(layers: list[Layer]) -> dict[tuple, np.ndarray]:
    """The constants of all layers, each once: layers that are called again share theirs."""
    every = (item for layer in layers for item in layer.constants().items())
    return {constant_identity(field, data): data for field, data in every}


def constant_identity(field: str, data: np.ndarray) -> tuple:
    """What two constants have in common that are one in C."""
    return field, str(data.dtype), data.shape, data.tobytes()


def _roots(graph: Graph) -> dict[str, str]:
    """Every tensor in the arena and the one whose bytes it shares: a RESHAPE moves nothing."""
    roots = {name: name for name in graph.inputs}
    for op in graph.ops:
        for name in op.outputs:
            roots[name] = roots[op.inputs[0]] if op.kind == "RESHAPE" else name
    return roots


def _buffers(graph: Graph, layers: list[Layer], roots: dict[str, str]) -> list[arena.Buffer]:
    """Tensors and scratch with their lives, in steps of one layer."""
    lives = _lives(graph, layers, roots)
    sizes = {name: tensor_bytes(graph.tensors[name]) for name in lives}
    over = {}
    for step, layer in enumerate(layers):
        inputs = {roots[name] for name in overwritable(graph, layer.call) if name in roots}
        dying = [name for name in sorted(inputs) if lives[name][1] == step]
        if dying:
            over[layer.call.op.outputs[0]] = max(dying, key=sizes.get)
    tensors = [
        arena.Buffer(name, sizes[name], *life, ALIGNMENT, over.get(name))
        for name, life in lives.items()
    ]
    scratch = [
        arena.Buffer(_scratch_name(step), layer.scratch_bytes, step, step, ALIGNMENT)
        for step, layer in enumerate(layers)
        if layer.scratch_bytes
    ]
    return tensors + scratch


def _lives(graph: Graph, layers: list[Layer], roots: dict[str, str]) -> dict[str, list[int]]:
    """The first and the last step that needs each root."""
    lives = {name: [0, 0] for name in graph.inputs}
    for step, layer in enumerate(layers):
        op = layer.call.op
        lives.update({name: [step, step] for name in op.outputs})
        for name in op.inputs:
            if name in roots:  # a constant is not
                lives[roots[name]][1] = step
    for name in graph.outputs:
        lives[roots[name]][1] = len(layers)
    return lives


def tensor_bytes(tensor: Tensor) -> int:
    """What a tensor takes in the arena."""
    return prod(tensor.shape) * np.dtype(tensor.dtype).itemsize


def _scratch_name(step: int) -> tuple[str, int]:
    return "scratch", step
