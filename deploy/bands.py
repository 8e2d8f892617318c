"""Two convolutions in bands of rows: the tensor between them never exists whole.

For each band of the second one's output, the first computes just the rows that the second reads of
it, into a buffer that serves every band. Rows on which two bands meet are computed twice.
"""

from ctypes import Structure
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import numpy as np

from keras_bc.deploy.graph import Graph
from keras_bc.deploy.layer import Layer
from keras_bc.deploy.native import Conv2DParams, scratch_bytes

Rows = tuple[int, int]
"""The first row, and the one behind the last."""


@dataclass(frozen=True)
class Piece:
    """One call of a layer's kernel, for some rows of its output.

    Attributes:
        layer: Whose kernel.
        params: Of the call.
        x: The rows that it reads of its input, those of the buffer for a band's second call.
        y: The rows that it writes of its output.
    """

    layer: Layer
    params: Structure
    x: Rows
    y: Rows

    @property
    def scratch_bytes(self) -> int | None:
        """What the kernel works in; None where it takes none, -1 where it is not made for this."""
        return scratch_bytes(self.layer.kernel.function, self.params)


def whole(layer: Layer) -> Piece:
    """The one call of a layer that is not run in bands."""
    return Piece(layer, layer.call.params, (0, 0), (0, 0))


def can_be_banded(graph: Graph, first: Layer, second: Layer) -> bool:
    """Whether the second is a convolution that alone reads what the first, one too, writes."""
    between = first.output
    readers = [op for op in graph.ops if between in op.inputs]
    return (
        between not in graph.outputs
        and readers == [second.call.op]
        and readers[0].inputs.index(between) == 0
        and readers[0].inputs.count(between) == 1
        and all(_has_rows(layer) for layer in (first, second))
    )


def pieces(first: Layer, second: Layer, bands: int) -> list[tuple[Piece, Piece]] | None:
    """The calls of each band, or None where a band would lie in the padding alone."""
    rows = second.call.params.out_height
    if bands > rows:
        return None
    ends = [rows * i // bands for i in range(bands + 1)]
    found = []
    for last in pairwise(ends):
        one = _for_rows(second, last)
        two = one and _for_rows(first, one.x)
        if not two or min(one.scratch_bytes, two.scratch_bytes) < 0:
            return None
        found.append((two, one))
    return found


def buffer_rows(band_pieces: list[tuple[Piece, Piece]]) -> int:
    """How many rows of the tensor between the two there are at a time."""
    return max(first.y[1] - first.y[0] for first, _ in band_pieces)


def row_bytes(graph: Graph, tensor: str) -> int:
    """Of one row of an image."""
    found = graph.tensors[tensor]
    return prod(found.shape[2:]) * np.dtype(found.dtype).itemsize


def _has_rows(layer: Layer) -> bool:
    params = layer.call.params
    is_image = isinstance(params, Conv2DParams)
    return is_image and params.batch == 1 and params.input_dilation_height == 1


def _for_rows(layer: Layer, y: Rows) -> Piece | None:
    """The call that makes rows `y` of a convolution's output."""
    p = layer.call.params
    params = type(p).from_buffer_copy(p)
    pool_first = y[0] * p.pool.stride_height - p.pool.pad_top
    pool_last = (y[1] - 1) * p.pool.stride_height - p.pool.pad_top + p.pool.height
    conv = max(pool_first, 0), min(pool_last, p.conv_height)
    reach = (p.kernel.height - 1) * p.kernel.dilation_height + 1
    first = conv[0] * p.kernel.stride_height - p.kernel.pad_top
    last = (conv[1] - 1) * p.kernel.stride_height - p.kernel.pad_top + reach
    x = max(first, 0), min(last, p.in_height)
    if x[0] >= x[1]:
        return None
    params.out_height, params.conv_height, params.in_height = (
        rows[1] - rows[0] for rows in (y, conv, x)
    )
    params.pool.pad_top, params.pool.pad_bottom = conv[0] - pool_first, pool_last - conv[1]
    params.kernel.pad_top, params.kernel.pad_bottom = x[0] - first, last - x[1]
    return Piece(layer, params, x, y)
