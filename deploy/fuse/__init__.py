"""Graph (float) -> Graph (fused): what a kernel does in one go becomes one op.

Fused ops, beside function, prelu, softmax, average_pool_2d, pad_2d, resize, slice, reshape and
concatenate as `trace` made them:

================ ================================================ ================================
kind             inputs                                           options
================ ================================================ ================================
fully_connected  x, weights [out, k], scale [out], offset [out],  weights, low, high, levels, sign
                 shortcut [1, ..., out] (or none)
conv_2d          x, weights [out, kh, kw, c/groups], scale [out], the same, and groups, window,
                 offset [out], shortcut (or none)                 pool, input_dilation, transposed
sign             x                                                -
unpack           x                                                -
max_pool_2d      x                                                window
add, subtract,   a, b                                             low, high
multiply
================ ================================================ ================================

    y = clip(pool(w * x) * scale + offset + shortcut, low, high), or its sign

Few-bit weights are +1, 0 and -1 here, their size stands in `scale`. A tensor of signs has the dtype
"bits"; sign makes one of real values, unpack real values of one. The rules:

- Batch norm folds into scale and offset, ReLU into low and high, a sign into a threshold, of the op
  that they follow, if nothing else reads what is between.
- They move up through what they commute with: a clip and a sign through poolings of maxima and
  reshapes, a batch norm through reshapes that keep the channels, and without negative scales
  through poolings of maxima.
- A max-pooling after a few-bit convolution is done on its accumulators. It then comes before the
  scale: where batch norm was before the pooling and a scale is negative, the channel's weights and
  scale change sign, which is exact in few bits.
- An addition to a few-bit op's outputs becomes its shortcut: the sum is rounded once.
- A rescaling of the model's input, by one scale and offset for all, folds into a linear op behind
  it that pads nothing.
- What has no op to fold into becomes one of its own: a 1x1 depthwise convolution with weights +1.
- Zero padding folds into the few-bit convolution that follows it.
- A dense layer of real weights becomes a 1x1 convolution.
"""

from keras_bc.deploy.fuse.bits import settle_bits
from keras_bc.deploy.fuse.folding import fold
from keras_bc.deploy.fuse.images import as_images
from keras_bc.deploy.graph import Graph


def fuse(graph: Graph) -> Graph:
    """A new graph of fused ops that computes what `graph` computes."""
    return as_images(settle_bits(fold(graph))).to_graph()
