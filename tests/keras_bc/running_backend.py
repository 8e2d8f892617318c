"""Gradients and compilation on whichever backend Keras runs on."""

import keras
import numpy as np
import pytest

BACKEND = keras.backend.backend()
# On JAX a graph is always compiled, a step that is not takes seconds, and float64 is switched off.
_ALL = BACKEND != "jax"
WAYS = ("eager", "graph", "jit") if _ALL else ("eager", "jit")
JIT_COMPILE = (False, True) if _ALL else (True,)
FLOATS = ("float16", "bfloat16", "float64") if _ALL else ("float16", "bfloat16")
MODES = ({"run_eagerly": True}, {"jit_compile": False}, {"jit_compile": True})[0 if _ALL else 2 :]
"""Arguments of `compile`."""

tensorflow_only = pytest.mark.skipif(BACKEND != "tensorflow", reason="is about TensorFlow")


def compiled(function, way: str):
    """Return a function of arrays as one of `WAYS` runs it.

    On JAX it must not change variables, unless eagerly.
    """
    if BACKEND == "tensorflow":
        import tensorflow as tf

        if way != "eager":
            function = tf.function(function, jit_compile=way == "jit")
        return lambda *arrays: function(*map(tf.constant, arrays))
    import jax

    function = jax.jit(function) if way == "jit" else function
    return lambda *arrays: function(*map(jax.numpy.asarray, arrays))


def gradients(
    function, inputs=(), variables=(), upstream=None, way: str = "eager"
) -> list[np.ndarray]:
    """Return the gradients of sum(upstream * function(*inputs)) for the inputs and the variables.

    Args:
        function: Takes tensors and returns one. On JAX what it assigns to variables is not kept.
        inputs: Arrays.
        variables: Keras variables that it reads; they exist already.
        upstream: An array; by default ones.
        way: One of `WAYS`.
    """
    engine = _tensorflow_gradients if BACKEND == "tensorflow" else _jax_gradients
    of_inputs = compiled(engine(function, len(inputs), variables, upstream), way)
    values = [] if BACKEND == "tensorflow" else [np.asarray(v) for v in variables]
    return [np.asarray(gradient) for gradient in of_inputs(*inputs, *values)]


def _tensorflow_gradients(function, count, variables, upstream):
    import tensorflow as tf

    def run(*inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = function(*inputs)
        seed = None if upstream is None else tf.constant(upstream, y.dtype)
        sources = [*inputs, *(variable.value for variable in variables)]
        return tape.gradient(y, sources, seed, unconnected_gradients="zero")

    return run


def _jax_gradients(function, count, variables, upstream):
    import jax

    def of_values(*values):
        mapping = list(zip(variables, values[count:], strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            return function(*values[:count])

    def run(*values):
        y, pull_back = jax.vjp(of_values, *values)
        ones = 1 if upstream is None else upstream
        return pull_back(jax.numpy.broadcast_to(jax.numpy.asarray(ones, y.dtype), y.shape))

    return run
