"""Recurrent layers whose two kernels, of the inputs and of the state, are binary.

The few-multiplications paper names recurrent networks as the next step (Lin et al. 2016, section
6). One draw serves a whole sequence, as it serves a whole batch elsewhere: the network that a
training step runs is the same at all its time steps. So it is with the draws of quantized
back-propagation: each input's power of two has its probability, so that the sum over the time
steps, which is the kernel's gradient, keeps its expectation.
"""

import contextlib

import keras
from keras import ops

from keras_bc import quantizers
from keras_bc.layers.dense import BinaryDense
from keras_bc.quantizers.binary import Binary

_OF_THE_LAYER = (
    *("return_sequences", "return_state", "go_backwards", "stateful", "unroll"),
    *("zero_output_for_mask", "activity_regularizer", "name", "trainable"),
)
_GLOROT = Binary("glorot")


class QuantizedCell(keras.layers.Layer):
    """One time step: a subclass says what becomes of the two products.

    Args:
        units: Positive integer, the size of the state.
        activation, recurrent_activation: Of the candidate state, and of the gates.
        use_bias: Whether biases are added.
        kernel_initializer, recurrent_initializer, bias_initializer: As in Keras.
        kernel_quantizer, recurrent_quantizer: As `kernel_quantizer` of `QuantizedKernel`. The
            default has Glorot's scale: without a batch norm behind them, weights of +-1 would
            drive every gate to its end.
        kernel_constraint, recurrent_constraint: "clip", or as in Keras.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: As in Keras.
        backprop_quantizer: As in `QuantizedKernel`, for the gradients of both kernels.
        seed: Integer, of the draws; see `Drawing`.

    Raises:
        ValueError: `units` is no positive integer, a quantizer is unknown, or an argument is not as
            Keras wants it.
    """

    gates = 1
    """How many times `units` the products have."""

    recurrent_bias = False
    """Whether the product with the state has a bias of its own."""

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_quantizer=_GLOROT,
        recurrent_quantizer=_GLOROT,
        kernel_constraint="clip",
        recurrent_constraint="clip",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        backprop_quantizer=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(units, int) or units < 1:
            raise ValueError(
                "Invalid value for argument `units`. Expected a positive integer. "
                f"Received: units={units!r}"
            )
        self.units = self.state_size = self.output_size = units
        self.activation = keras.activations.get(activation)
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.input_product = BinaryDense(
            self.gates * units,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=self._bias_initializer(bias_initializer),
            kernel_quantizer=quantizers.get(kernel_quantizer, "kernel_quantizer", "kernel"),
            kernel_constraint=kernel_constraint,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            backprop_quantizer=backprop_quantizer,
            seed=seed,
            name="input",
            dtype=self.dtype_policy,
        )
        self.recurrent_product = BinaryDense(
            self.gates * units,
            use_bias=use_bias and self.recurrent_bias,
            kernel_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_quantizer=quantizers.get(recurrent_quantizer, "recurrent_quantizer", "kernel"),
            kernel_constraint=recurrent_constraint,
            kernel_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            backprop_quantizer=backprop_quantizer,
            seed=self.input_product.seed,
            name="recurrent",
            dtype=self.dtype_policy,
        )
        self.draw_as(self.name)
        self._kernels = None

    def build(self, input_shape):
        self.input_product.build(input_shape)
        self.recurrent_product.build((input_shape[0], self.units))

    def draw_as(self, name: str) -> None:
        """Let the draws depend on the name of the layer that owns this cell."""
        self.input_product.stream_name = f"{name}/input"
        self.recurrent_product.stream_name = f"{name}/recurrent"

    @contextlib.contextmanager
    def propagating(self, training: bool):
        """Quantize the kernels once for all time steps that run in the block."""
        products = (self.input_product, self.recurrent_product)
        self._kernels = tuple(product.propagated_kernel(training) for product in products)
        try:
            yield
        finally:
            self._kernels = None

    def call(self, inputs, states, training=False):
        if self._kernels is None:  # a cell that runs by itself
            with self.propagating(training):
                return self.call(inputs, states, training)
        kernel, recurrent_kernel = self._kernels
        x = _affine(inputs, kernel, self.input_product, training)
        h = _affine(states[0], recurrent_kernel, self.recurrent_product, training)
        new_states = self._step(x, h, states)
        return new_states[0], new_states

    def _step(self, x, h, states):
        """Return the new states, the output first.

        Args:
            x: Product of the inputs, `(batch, gates * units)`.
            h: Product of the first state, the same shape.
            states: Before this step.
        """
        raise NotImplementedError

    def _bias_initializer(self, initializer):
        return initializer

    def get_config(self):
        x, h = self.input_product.get_config(), self.recurrent_product.get_config()
        keys = (
            *("use_bias", "kernel_initializer", "kernel_quantizer", "kernel_constraint"),
            *("kernel_regularizer", "bias_regularizer", "backprop_quantizer", "seed"),
        )
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "recurrent_activation": keras.activations.serialize(self.recurrent_activation),
            **{key: x[key] for key in keys},
            "recurrent_initializer": h["kernel_initializer"],
            "recurrent_quantizer": h["kernel_quantizer"],
            "recurrent_constraint": h["kernel_constraint"],
            "recurrent_regularizer": h["kernel_regularizer"],
            "bias_initializer": h["bias_initializer"],
        }


@keras.saving.register_keras_serializable(package="keras_bc")
class BinarySimpleRNNCell(QuantizedCell):
    """h' = activation(x · Wb + b + h · Ub)."""

    def _step(self, x, h, states):
        return [self.activation(ops.add(x, h))]


@keras.saving.register_keras_serializable(package="keras_bc")
class BinaryLSTMCell(QuantizedCell):
    """[i, f, g, o] = x · Wb + b + h · Ub; c' = s(f) c + s(i) a(g); h' = s(o) a(c').

    s is the recurrent activation, a the activation; f's bias starts at one, as in Keras
    (Hochreiter and Schmidhuber 1997; Jozefowicz et al. 2015 for the bias).
    """

    gates = 4

    def __init__(self, units, *args, **kwargs):
        super().__init__(units, *args, **kwargs)
        self.state_size = [units, units]

    def _step(self, x, h, states):
        i, f, g, o = ops.split(ops.add(x, h), 4, axis=-1)
        kept = ops.multiply(self.recurrent_activation(f), states[1])
        c = ops.add(kept, ops.multiply(self.recurrent_activation(i), self.activation(g)))
        return [ops.multiply(self.recurrent_activation(o), self.activation(c)), c]

    def _bias_initializer(self, initializer):
        initialize = keras.initializers.get(initializer)

        def with_open_forget_gate(shape, dtype=None):
            biases = ops.split(initialize(shape, dtype=dtype), 4)
            return ops.concatenate([biases[0], ops.ones_like(biases[1]), *biases[2:]])

        return with_open_forget_gate


@keras.saving.register_keras_serializable(package="keras_bc")
class BinaryGRUCell(QuantizedCell):
    """[z, r, g] = x · Wb + b; [z', r', g'] = h · Ub + b'; u = s(z + z');
    h' = u h + (1 - u) a(g + s(r + r') g').

    s is the recurrent activation, a the activation; as Keras's GRU with `reset_after`
    (Cho et al. 2014).
    """

    gates = 3
    recurrent_bias = True

    def _step(self, x, h, states):
        z, r, g = ops.split(x, 3, axis=-1)
        hz, hr, hg = ops.split(h, 3, axis=-1)
        update = self.recurrent_activation(ops.add(z, hz))
        reset = self.recurrent_activation(ops.add(r, hr))
        candidate = self.activation(ops.add(g, ops.multiply(reset, hg)))
        change = ops.multiply(ops.subtract(1, update), candidate)
        return [ops.add(ops.multiply(update, states[0]), change)]


class QuantizedRNN(keras.layers.RNN):
    """A cell over a sequence.

    Args:
        units: Positive integer, the size of the state.
        activation: Of the candidate state.
        kwargs: `return_sequences`, `return_state`, `go_backwards`, `stateful`, `unroll` and
            `zero_output_for_mask` as in `keras.layers.RNN`, name and dtype, and the arguments of
            `QuantizedCell`. There is no dropout: put it between layers.

    Input shape: `(batch, steps, channels)`. Output shape: `(batch, units)`, or
    `(batch, steps, units)` with `return_sequences`.

    Raises:
        ValueError: A quantizer is unknown, or an argument is not as Keras wants it.
    """

    cell_class = QuantizedCell

    def __init__(self, units, activation="tanh", **kwargs):
        own = {key: kwargs.pop(key) for key in _OF_THE_LAYER if key in kwargs}
        cell = self.cell_class(units, activation, name="cell", **kwargs)
        super().__init__(cell, dtype=cell.dtype_policy, **own)
        self.input_spec = keras.layers.InputSpec(ndim=3)
        cell.draw_as(self.name)

    @property
    def units(self) -> int:
        """The size of the state."""
        return self.cell.units

    def call(self, sequences, initial_state=None, mask=None, training=False):
        with self.cell.propagating(training):
            return super().call(sequences, initial_state, mask=mask, training=training)

    def get_config(self):
        config = super().get_config()
        del config["cell"]
        of_the_cell = self.cell.get_config()
        for key in ("name", "trainable"):
            del of_the_cell[key]
        return {**config, **of_the_cell}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable(package="keras_bc")
class BinarySimpleRNN(QuantizedRNN):
    __doc__ = f"Fully connected recurrent layer with binary weights.\n\n{QuantizedRNN.__doc__}"
    cell_class = BinarySimpleRNNCell


@keras.saving.register_keras_serializable(package="keras_bc")
class BinaryLSTM(QuantizedRNN):
    __doc__ = f"Long short-term memory with binary weights.\n\n{QuantizedRNN.__doc__}"
    cell_class = BinaryLSTMCell


@keras.saving.register_keras_serializable(package="keras_bc")
class BinaryGRU(QuantizedRNN):
    __doc__ = f"Gated recurrent unit with binary weights.\n\n{QuantizedRNN.__doc__}"
    cell_class = BinaryGRUCell


def _affine(inputs, kernel, product, training):
    outputs = product.multiplied(inputs, kernel, product.shifts(inputs, training))
    return ops.add(outputs, product.bias) if product.use_bias else outputs
