"""The static memory planner: every tensor of a model and all scratch in one block.

A buffer is needed from one step of the model to another, both included. Buffers whose lives
overlap get different bytes; others may share them. To pack them into the fewest bytes is bin
packing in time and space, so a good order is searched for: each buffer in turn goes to the lowest
gap that the buffers placed before it leave. Some order always gives the best packing there is,
since letting each buffer of that packing sink, lowest first, never makes it higher.

A step that reads each byte of an input before it writes there may have its output over that input:
then the two may share bytes though the step needs both.
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
        over: The name of a buffer that is needed for the last time where this one is needed first,
            and that it may be written over, unless it begins behind it.
    """

    name: Hashable
    size: int
    first: int
    last: int
    alignment: int = 1
    over: Hashable | None = None

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
    order = sorted(buffers, key=lambda b: (-b.size, b.first, repr(b.name)))
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
    """The bytes that a step needs at the least."""
    live = {buffer.name: buffer for buffer in buffers if buffer.first <= step <= buffer.last}
    shared = [min(b.size, live[b.over].size) for b in live.values() if b.over in live]
    return sum(buffer.size for buffer in live.values()) - sum(shared)


def most_live_bytes(buffers: Sequence[Buffer]) -> int:
    """The most bytes that any step needs: no plan is smaller."""
    return max((live_bytes(buffers, buffer.first) for buffer in buffers), default=0)


def _place(order: Sequence[Buffer]) -> Arena:
    """Put each buffer, in this order, at the lowest offset that is free all its life."""
    offsets: dict[Hashable, int] = {}
    placed: list[Buffer] = []
    size = 0
    for buffer in order:
        offset = 0
        others = [p for p in placed if p.overlaps(buffer)]
        for low, high in sorted(_forbidden(buffer, other, offsets[other.name]) for other in others):
            if low < offset < high:
                offset = _align(high, buffer.alignment)
        offsets[buffer.name] = offset
        placed.append(buffer)
        size = max(size, offset + buffer.size)
    return Arena(size, {buffer.name: offsets[buffer.name] for buffer in order})


def _forbidden(buffer: Buffer, other: Buffer, start: int) -> tuple[int, int]:
    """Between which offsets a buffer cannot begin, for another that begins at `start`."""
    low, high = start - buffer.size, start + other.size
    if buffer.over == other.name:
        low = start
    if other.over == buffer.name:
        high = start
    return low, high


def _align(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment
