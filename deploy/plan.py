"""What an emitted model calls and where its memory lies: a kernel for each layer, one arena."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

from keras_bc.deploy import arena, bands
from keras_bc.deploy.choices import choices_for, cost
from keras_bc.deploy.graph import Graph, Tensor
from keras_bc.deploy.in_place import overwritable
from keras_bc.deploy.layer import Layer, Step
from keras_bc.deploy.lowering import lower

BANDS = (2, 4, 8, 16)
"""In how many bands of rows two layers may be run."""

ALIGNMENT = 4
"""Of every buffer in the arena: scratch needs it, and tensors get it so that kernels may read words
where a row's length allows."""


@dataclass(frozen=True)
class Plan:
    """A whole model.

    Attributes:
        steps: In the order of execution.
        roots: Every tensor in the arena, by name, and the one whose bytes it shares: its own, or
            for a RESHAPE's output those of the tensor reshaped.
        offsets: Of the roots, in the arena; of a tensor that exists in bands, of one band of it.
        scratch_offsets: Of each step's scratch, in the arena; None where there is none.
        arena_bytes: Size of the arena.
        constant_bytes: Of weights, channels and tables together.
    """

    steps: list[Step]
    roots: dict[str, str]
    offsets: dict[str, int]
    scratch_offsets: list[int | None]
    arena_bytes: int
    constant_bytes: int

    @cached_property
    def layers(self) -> list[Layer]:
        """Those of all steps."""
        return [layer for step in self.steps for layer in step.layers]


@dataclass(frozen=True)
class _Draft:
    """The variants of each layer, the best one last, and which layers are banded with the next."""

    choices: tuple[tuple[Layer, ...], ...]
    bands: Mapping[int, int]

    def steps(self) -> list[Step]:
        layers = [variants[-1] for variants in self.choices]
        seconds = {first + 1 for first in self.bands}
        return [
            Step(tuple(layers[i : i + 2]), self.bands[i]) if i in self.bands else Step((layer,))
            for i, layer in enumerate(layers)
            if i not in seconds
        ]

    def cost(self) -> float:
        return sum(_step_cost(step) for step in self.steps())

    def with_fallback(self, i: int) -> "_Draft":
        shorter = self.choices[i][:-1]
        return _Draft((*self.choices[:i], shorter, *self.choices[i + 1 :]), self.bands)

    def with_bands(self, first: int, count: int) -> "_Draft":
        return _Draft(self.choices, {**self.bands, first: count})


def plan(
    graph: Graph,
    cpu: str = "any",
    ram_limit: int | None = None,
    variants: Mapping[str, str] | None = None,
) -> Plan:
    """Choose the kernels and place the memory of an integer graph.

    Each layer gets the variant of the kernel table that takes the fewest instructions on the CPU,
    as `costs` estimates them. As long as the arena is larger than `ram_limit`, the layers that hold
    the most memory give some of it up for the fewest instructions: by a slower variant, or by bands
    of rows (see `bands`), until it fits or nothing more can be had.

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
    every = [tuple(choices_for(call, cpu, variants or {})) for call in lower(graph)]
    draft: _Draft | None = _Draft(tuple(every), {})
    while draft:
        steps = draft.steps()
        buffers = _buffers(graph, steps, roots)
        memory = arena.plan(buffers)
        fits = ram_limit is None or memory.size <= ram_limit
        draft = None if fits else _smaller(graph, draft, roots)
    layers = [layer for step in steps for layer in step.layers]
    return Plan(
        steps,
        roots,
        {root: memory.offsets[root] for root in roots.values()},
        [memory.offsets.get(_scratch_name(number)) for number in range(len(steps))],
        memory.size,
        sum(data.nbytes for data in distinct_constants(layers).values()),
    )


def distinct_constants(layers: list[Layer]) -> dict[tuple, np.ndarray]:
    """The constants of all layers, each once: layers that are called again share theirs."""
    every = (item for layer in layers for item in layer.constants().items())
    return {constant_identity(field, data): data for field, data in every}


def constant_identity(field: str, data: np.ndarray) -> tuple:
    """What two constants have in common that are one in C."""
    return field, str(data.dtype), data.shape, data.tobytes()


def tensor_bytes(tensor: Tensor) -> int:
    """What a tensor takes in the arena."""
    return prod(tensor.shape) * np.dtype(tensor.dtype).itemsize


def _smaller(graph: Graph, draft: _Draft, roots: dict[str, str]) -> _Draft | None:
    """The cheapest change by which the layers that hold the most memory hold less; None if none."""
    held = _held(graph, draft, roots)
    for layer in sorted(range(len(held)), key=lambda i: -held[i]):
        found = [
            (changed.cost(), number, changed)
            for number, changed in enumerate(_changes(graph, draft, layer))
            if _held(graph, changed, roots)[layer] < held[layer]
        ]
        if found:
            return min(found)[2]
    return None


def _changes(graph: Graph, draft: _Draft, i: int) -> Iterator[_Draft]:
    """A draft with something else for layer i."""
    for first in (i - 1, i):
        if not 0 <= first < len(draft.choices) - 1 or {first - 1, first + 1} & draft.bands.keys():
            continue
        pair = [variants[-1] for variants in draft.choices[first : first + 2]]
        if not bands.can_be_banded(graph, *pair):
            continue
        for count in BANDS:
            if count > draft.bands.get(first, 1) and bands.pieces(*pair, count):
                yield draft.with_bands(first, count)
    if len(draft.choices[i]) > 1:
        yield draft.with_fallback(i)


def _held(graph: Graph, draft: _Draft, roots: dict[str, str]) -> list[int]:
    """The bytes that each layer's step needs at the least."""
    steps = draft.steps()
    buffers = _buffers(graph, steps, roots)
    live = [arena.live_bytes(buffers, number) for number in range(len(steps))]
    return [live[number] for number, step in enumerate(steps) for _ in step.layers]


def _step_cost(step: Step) -> float:
    if step.bands == 1:
        return sum(cost(layer, layer.call.params) for layer in step.layers)
    found = bands.pieces(*step.layers, step.bands) or []
    return sum(cost(piece.layer, piece.params) for pair in found for piece in pair)


def _roots(graph: Graph) -> dict[str, str]:
    """Every tensor in the arena and the one whose bytes it shares: a RESHAPE moves nothing."""
    roots = {name: name for name in graph.inputs}
    for op in graph.ops:
        for name in op.outputs:
            roots[name] = roots[op.inputs[0]] if op.kind == "RESHAPE" else name
    return roots


def _buffers(graph: Graph, steps: list[Step], roots: dict[str, str]) -> list[arena.Buffer]:
    """Tensors and scratch with their lives, in steps."""
    lives = _lives(graph, steps, roots)
    sizes = {name: tensor_bytes(graph.tensors[name]) for name in lives}
    over, scratch = {}, {}
    for number, step in enumerate(steps):
        scratch[number] = max(layer.scratch_bytes or 0 for layer in step.layers)
        if step.bands > 1:
            found = bands.pieces(*step.layers, step.bands)
            between = step.layers[0].output
            sizes[between] = bands.buffer_rows(found) * bands.row_bytes(graph, between)
            scratch[number] = max(piece.scratch_bytes for pair in found for piece in pair)
        inputs = {roots.get(name) for name in overwritable(graph, step.layers[0].call)} - {None}
        dying = [name for name in sorted(inputs) if lives[name][1] == number]
        if dying:
            over[step.output] = max(dying, key=sizes.get)
    tensors = [
        arena.Buffer(name, sizes[name], *life, ALIGNMENT, over.get(name))
        for name, life in lives.items()
    ]
    return tensors + [
        arena.Buffer(_scratch_name(number), size, number, number, ALIGNMENT)
        for number, size in scratch.items()
        if size
    ]


def _lives(graph: Graph, steps: list[Step], roots: dict[str, str]) -> dict[str, list[int]]:
    """The first and the last step that needs each root."""
    lives = {name: [0, 0] for name in graph.inputs}
    for number, step in enumerate(steps):
        lives.update({layer.output: [number, number] for layer in step.layers})
        for name in (name for layer in step.layers for name in layer.call.op.inputs):
            if name in roots:  # a constant is not
                lives[roots[name]][1] = number
    for name in graph.outputs:
        lives[roots[name]][1] = len(steps)
    return lives


def _scratch_name(step: int) -> tuple[str, int]:
    return "scratch", step
