import keras
import numpy as np
import pytest

from keras_bc.constraints import WeightClip
from keras_bc.layers import BinaryGRU, BinaryLSTM, BinarySimpleRNN
from keras_bc.quantizers import Binary, StochasticBinary
from keras_bc.traversal import quantized
from tests.keras_bc.layer_checks import check_saving
from tests.keras_bc.running_backend import JIT_COMPILE, gradients

LAYERS = [BinarySimpleRNN, BinaryLSTM, BinaryGRU]
PLAIN = {
    BinarySimpleRNN: keras.layers.SimpleRNN,
    BinaryLSTM: keras.layers.LSTM,
    BinaryGRU: keras.layers.GRU,
}
X = np.random.default_rng(0).uniform(-1, 1, (4, 7, 3)).astype("float32")


def _as_plain(layer, **arguments):
    """Keras's own layer with this one's deployed weights."""
    x, h = layer.cell.input_product, layer.cell.recurrent_product
    biases = np.asarray(x.bias)
    if h.use_bias:
        biases = np.stack([biases, np.asarray(h.bias)])
    plain = PLAIN[type(layer)](layer.cell.units, **arguments)
    plain.build(X.shape)
    plain.set_weights([x.deployed_kernel(), h.deployed_kernel(), biases])
    return plain


@pytest.mark.parametrize("layer_class", LAYERS)
@pytest.mark.parametrize(
    "arguments", [{}, {"return_sequences": True}, {"go_backwards": True}, {"unroll": True}]
)
def test_equals_keras_with_the_deployed_weights(layer_class, arguments):
    layer = layer_class(5, bias_initializer="random_uniform", **arguments)
    layer.build(X.shape)
    plain = _as_plain(layer, **arguments)
    np.testing.assert_allclose(layer(X), plain(X), rtol=1e-5, atol=1e-6)
    assert layer.compute_output_shape(X.shape) == plain.compute_output_shape(X.shape)


@pytest.mark.parametrize(
    ("layer_class", "sequence", "states"),
    [
        (BinarySimpleRNN, [1, 2, 4], [1, 2 - 1, 4 - 1]),
        # i = g = o = 1, f = 1 + 1; c = 1, h = 1. Then x - h = 1 again: c = 2 * 1 + 1, h = 3.
        (BinaryLSTM, [1, 2], [1, 3]),
        # u = r = g = 2, h = 2 * 0 + (1 - 2) * 2. Then u = r = 1 + 2, h = 3 * -2 - 2 * (1 + 3 * 2).
        (BinaryGRU, [2, 1], [-2, -20]),
    ],
)
def test_worked_by_hand(layer_class, sequence, states):
    """Without curves, weights +1 of the input and -1 of the state."""
    linear = {"recurrent_activation": "linear", "return_sequences": True}
    layer = layer_class(
        *(1, "linear"), kernel_quantizer="binary", recurrent_quantizer="binary", **linear
    )
    layer.build((None, None, 1))
    for product, weight in ((layer.cell.input_product, 0.3), (layer.cell.recurrent_product, -0.2)):
        product.kernel.assign(np.full(product.kernel.shape, weight))
    x = np.reshape(np.array(sequence, "float32"), (1, -1, 1))
    assert np.ravel(layer(x)).tolist() == states


@pytest.mark.parametrize("name", ["kernel_quantizer", "recurrent_quantizer"])
def test_names_its_quantizers(name):
    with pytest.raises(ValueError, match=f"argument `{name}`"):
        BinaryLSTM(3, **{name: "bad"})


@pytest.mark.parametrize("layer_class", LAYERS)
def test_wants_sequences(layer_class):
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        layer_class(4)(np.zeros((6, 5), "float32"))


@pytest.mark.parametrize("units", [0, -1, 2.5])
def test_units_are_a_positive_integer(units):
    with pytest.raises(ValueError, match=f"Received: units={units}"):
        BinaryGRU(units)


def test_regularizers_penalize():
    layer = BinarySimpleRNN(
        5, kernel_regularizer=keras.regularizers.L2(1.0), bias_regularizer="l1", use_bias=False
    )
    layer.build(X.shape)
    expected = np.square(layer.cell.input_product.kernel).sum()
    np.testing.assert_allclose(np.sum(layer.losses), expected, rtol=1e-5)
    assert layer.units == 5
    assert layer.from_config(layer.get_config()).get_config() == layer.get_config()


def test_the_forget_gate_starts_open():
    layer = BinaryLSTM(2)
    layer.build(X.shape)
    assert np.array_equal(layer.cell.input_product.bias, [0, 0, 1, 1, 0, 0, 0, 0])


@pytest.mark.parametrize("layer_class", LAYERS)
@pytest.mark.parametrize("jit_compile", JIT_COMPILE)
def test_trains_clips_and_goes_on_from_a_file(layer_class, jit_compile, tmp_path):
    quantizer = StochasticBinary(0.3)
    layer = layer_class(5, kernel_quantizer=quantizer, recurrent_quantizer=quantizer)
    model = keras.Sequential([keras.Input(X.shape[1:]), layer, keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.1), "mse", jit_compile=jit_compile)
    before = model.get_weights()
    targets = X.sum((1, 2))[:, None]
    model.fit(X, targets, epochs=2, batch_size=4, shuffle=False, verbose=0)
    assert all((b != a).any() for b, a in zip(before, model.get_weights(), strict=True))
    for product in quantized(model):
        assert np.abs(product.kernel).max() <= np.float32(0.3)
        assert int(product.variables[-1].numpy()) == 2  # one draw a step, not one a time step
    check_saving(model, X, tmp_path / "model.keras")


@pytest.mark.parametrize("layer_class", LAYERS)
def test_serializes_whole(layer_class):
    layer = layer_class(
        3,
        kernel_quantizer="ternary",
        recurrent_quantizer="stochastic_binary",
        recurrent_constraint=WeightClip(0.7),
        return_sequences=True,
        activation="relu",
        seed=5,
        name="layer",
    )
    again = layer_class.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.cell.recurrent_product.kernel_constraint.limit == 0.7
    assert again.return_sequences and again.name == "layer"


def test_one_draw_serves_all_time_steps():
    layer = BinarySimpleRNN(
        4,
        activation="linear",
        use_bias=False,
        return_sequences=True,
        kernel_quantizer="stochastic_binary",
        kernel_initializer="zeros",
        recurrent_initializer="zeros",
        recurrent_quantizer="ternary",  # of zeros: no recurrence
    )
    outputs = np.asarray(layer(np.ones((1, 6, 3), "float32"), training=True))
    assert (outputs == outputs[:, :1]).all()
    again = np.asarray(layer(np.ones((1, 6, 3), "float32"), training=True))
    assert (outputs != again).any()


def test_layers_and_their_two_kernels_draw_differently():
    def products(name):
        layer = BinarySimpleRNN(64, seed=1, name=name)
        return layer.cell.input_product, layer.cell.recurrent_product

    streams = {product.stream() for name in ("a", "b") for product in products(name)}
    assert len(streams) == 4


@pytest.mark.parametrize("layer_class", LAYERS)
def test_gradient_is_that_of_keras_at_the_deployed_weights(layer_class):
    layer = layer_class(5, kernel_quantizer=Binary(0.4), recurrent_quantizer=Binary(0.4))
    layer.build(X.shape)
    plain = _as_plain(layer)
    x, h = layer.cell.input_product.kernel, layer.cell.recurrent_product.kernel

    def of_loss(layer, variables):
        return gradients(
            lambda: keras.ops.sum(keras.ops.square(layer(X, training=True))), variables=variables
        )

    ours = of_loss(layer, [x, h])
    theirs = of_loss(plain, plain.trainable_variables[:2])
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer_class", LAYERS)
def test_back_propagation_shifts_in_both_kernels(layer_class):
    """Inputs that are powers of two change nothing; others do, and in the mean as much."""
    options = {"kernel_quantizer": Binary(0.4), "recurrent_quantizer": "ternary", "seed": 1}
    exact = layer_class(5, name="layer", **options)
    shifting = layer_class(5, name="layer", backprop_quantizer="power_of_two", **options)
    for layer in (exact, shifting):
        layer.build(X.shape)
    for ours, others in zip(shifting.trainable_variables, exact.trainable_variables, strict=True):
        ours.assign(others)

    def of_kernels(layer, x):
        products = layer.cell.input_product, layer.cell.recurrent_product
        for product in products:
            product.count_draw()  # JAX does not count while it differentiates
        kernels = [product.kernel for product in products]
        return gradients(lambda: keras.ops.sum(layer(x, training=True)), variables=kernels)

    powers = np.exp2(np.round(3 * X)).astype("float32")
    of_powers, expected = of_kernels(shifting, powers), of_kernels(exact, powers)
    np.testing.assert_allclose(of_powers[0], expected[0], rtol=1e-5, atol=1e-6)
    assert np.abs(of_powers[1] - np.asarray(expected[1])).max() > 1e-3  # states are no powers
    np.testing.assert_array_equal(shifting(X, training=True), exact(X, training=True))

    drawn = np.array([[np.asarray(g).sum() for g in of_kernels(shifting, X)] for _ in range(64)])
    means = [np.asarray(g).sum() for g in of_kernels(exact, X)]
    errors = drawn.std(0) / len(drawn) ** 0.5
    assert (errors > 0).all() and (np.abs(drawn.mean(0) - means) < 4 * errors).all()


@pytest.mark.parametrize("jit_compile", JIT_COMPILE)
def test_back_propagation_that_shifts_trains_and_is_saved(jit_compile, tmp_path):
    layer = BinaryLSTM(5, backprop_quantizer="power_of_two")
    model = keras.Sequential([keras.Input(X.shape[1:]), layer, keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.1), "mse", jit_compile=jit_compile)
    before = model.get_weights()
    model.fit(X, X.sum((1, 2))[:, None], verbose=0)
    assert all((b != a).any() for b, a in zip(before, model.get_weights(), strict=True))
    check_saving(model, X, tmp_path / "model.keras")
    again = BinaryLSTM.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert all(product.backprop_quantizer for product in quantized(model))


def test_works_in_mixed_precision():
    layer = BinaryGRU(5, dtype="mixed_float16")
    assert layer(X).dtype == "float16"
    assert layer.cell.input_product.kernel.dtype == "float32"
