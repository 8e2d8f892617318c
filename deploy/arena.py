"""The static memory planner: every tensor of a model and all scratch in one block.

A buffer is needed from one step of the model to another, both included. Buffers whose lives
overlap get different bytes; others may share them. To pack them into the fewest bytes is bin
packing in time and space, so a good order is searched for: each buffer in turn goes to the lowest
gap that the buffers placed before it leave. Some order always gives the best packing there is,
since letting each buffer of that packing sink, lowest first, never makes it higher.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Buffer:
    """Bytes that are needed for some steps.

    Attributes:
        name: Unique among the buffers of a plan.
        size: In bytes.
        first: The first step that needs it.
        last: The last step that needs it.
        alignment: Its offset is a multiple of this.
    """

    name: Hashable
    size: int
    first: int
    last: int
    alignment: int = 1

    def overlaps(self, other: "Buffer") -> bool:
        """True where a step needs both."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Arena:
    """Where each buffer lies.

    Attributes:
        size: Of the whole, in bytes.
        offsets: Of each buffer, by name, in bytes.
    """

    size: int
    offsets: dict[Hashable, int]


def plan(buffers: Sequence[Buffer]) -> Arena:
    """Place `buffers` in as few bytes as a short search finds.

    It starts with the largest first, then moves a single buffer to the front of the order as long
    as that saves bytes, and stops at once where no plan can be smaller.
    """
    order = sorted(buffers, key=lambda b: (-b.size, b.first, b.name))
    best = _place(order)
    bound = most_live_bytes(buffers)
    improved = True
    while improved and best.size > bound:
        improved = False
        for buffer in order:
            candidate = [buffer] + [b for b in order if b is not buffer]
            arena = _place(candidate)
            if arena.size < best.size:
                best, order, improved = arena, candidate, True
                break
    return best


def live_bytes(buffers: Iterable[Buffer], step: int) -> int:
    """The bytes that a step needs."""
    return sum(buffer.size for buffer in buffers if buffer.first <= step <= buffer.last)


def most_live_bytes(buffers: Sequence[Buffer]) -> int:
    """The most bytes that any step needs: no plan is smaller."""
    return max((live_bytes(buffers, buffer.first) for buffer in buffers), default=0)


def _place(order: Sequence[Buffer]) -> Arena:
    """Put each buffer, in this order, at the lowest offset that is free all its life."""
    offsets: dict[Hashable, int] = {}
    placed: list[Buffer] = []
    size = 0
    for buffer in order:
        taken = sorted((offsets[p.name], p.size) for p in placed if p.overlaps(buffer))
        offset = 0
        for start, length in taken:
            if offset + buffer.size <= start:
                break
            offset = max(offset, _align(start + length, buffer.alignment))
        offsets[buffer.name] = offset
        placed.append(buffer)
        size = max(size, offset + buffer.size)
    return Arena(size, {buffer.name: offsets[buffer.name] for buffer in order})


def _align(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment
