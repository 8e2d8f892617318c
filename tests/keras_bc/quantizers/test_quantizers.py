import keras
import numpy as np
import pytest

from keras_bc import draws, quantizers
from keras_bc.layers import BinaryDense, SignActivation
from keras_bc.quantizers import (
    ApproxSign,
    Binary,
    DoReFa,
    MagnitudeAware,
    StochasticBinary,
    StochasticSign,
    StochasticTernary,
    SwishSign,
    Ternary,
)
from tests.keras_bc.layer_checks import check_saving
from tests.keras_bc.running_backend import gradients, tensorflow_only

W = np.array([-2.0, -0.5, -0.0, 0.0, 0.25, 3.0], "float32")


def test_binary_is_the_sign_and_the_sign_of_zero_is_plus():
    assert np.array_equal(Binary()(W), [-1, -1, 1, 1, 1, 1])
    assert np.array_equal(Binary(0.5)(W, training=True), [-0.5, -0.5, 0.5, 0.5, 0.5, 0.5])


def test_glorot_scale_is_that_of_the_kernel():
    kernel = np.array([[1.0, -1.0, 1.0, 1.0], [-1.0, 1.0, -1.0, 0.0]], "float32")
    # sqrt(1.5 / (2 + 4)) = 0.5
    assert np.array_equal(Binary("glorot")(kernel), 0.5 * np.where(kernel >= 0, 1, -1))


def test_stochastic_draws_plus_where_uniform_is_below_the_hard_sigmoid():
    # (w + 1) / 2 is 0 (clipped), 0.25, 0.5, 0.5, 0.625, 1 (clipped).
    for uniform, expected in (
        (0.0, [-1, 1, 1, 1, 1, 1]),
        (0.24, [-1, 1, 1, 1, 1, 1]),
        (0.25, [-1, -1, 1, 1, 1, 1]),
        (0.5, [-1, -1, -1, -1, 1, 1]),
        (0.999, [-1, -1, -1, -1, -1, 1]),
    ):
        drawn = StochasticBinary()(W, training=True, uniform=np.full(6, uniform, "float32"))
        assert np.array_equal(drawn, expected)


@pytest.mark.parametrize("scale", [1.0, 0.2])
def test_stochastic_probabilities(scale):
    n = 100_000
    for w in (-0.9, -0.3, 0.0, 0.6):
        weights = np.full(n, w * scale, "float32")
        uniform = draws.uniform((n,), 5, 0)
        drawn = np.asarray(StochasticBinary(scale)(weights, training=True, uniform=uniform))
        assert set(np.unique(drawn)) <= {np.float32(scale), np.float32(-scale)}
        p = (w + 1) / 2
        # Five standard deviations of a binomial share: one run in a million fails by chance.
        assert abs((drawn > 0).mean() - p) < 5 * np.sqrt(p * (1 - p) / n)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_does_not_round_the_draws(dtype):
    """The draw that is nearest to 1 misses no weight of H, nor the one nearest to 0 one of -H."""
    uniform = np.array([0, 1 - 2**-24], "float32")
    for w in (1.0, -1.0):
        weights = keras.ops.cast(np.full(2, w), dtype)
        for quantizer in (StochasticBinary(), StochasticTernary(1.0), StochasticSign()):
            drawn = quantizer(weights, training=True, uniform=uniform)
            assert np.asarray(keras.ops.cast(drawn, "float32")).tolist() == [w, w]
            assert keras.backend.standardize_dtype(drawn.dtype) == dtype


def test_stochastic_is_plain_binary_at_inference():
    assert np.array_equal(StochasticBinary()(W), Binary()(W))


def test_ternary_is_zero_within_a_third_of_the_scale():
    w = np.array([-2.0, -0.4, -1 / 3, -0.1, 0.0, 0.3, 0.34, 1.0], "float32")
    assert np.array_equal(Ternary(1.0)(w), [-1, -1, 0, 0, 0, 0, 1, 1])
    assert np.array_equal(Ternary(0.5)(w), [-0.5, -0.5, -0.5, 0, 0, 0.5, 0.5, 0.5])
    assert np.array_equal(Ternary(1.0, threshold=0)(w), [-1, -1, -1, -1, 0, 1, 1, 1])


def test_stochastic_ternary_draws_where_uniform_is_below_the_magnitude():
    for uniform, expected in (
        (0.0, [-1, -1, 0, 0, 1, 1]),
        (0.25, [-1, -1, 0, 0, 0, 1]),
        (0.49, [-1, -1, 0, 0, 0, 1]),
        (0.5, [-1, 0, 0, 0, 0, 1]),
        (0.999, [-1, 0, 0, 0, 0, 1]),
    ):
        drawn = StochasticTernary(1.0)(W, training=True, uniform=np.full(6, uniform, "float32"))
        assert np.array_equal(drawn, expected)


@pytest.mark.parametrize("scale", [1.0, 0.2])
def test_stochastic_ternary_probabilities(scale):
    n = 100_000
    for w in (-0.9, -0.3, 0.0, 0.6, 1.0):
        weights = np.full(n, w * scale, "float32")
        uniform = draws.uniform((n,), 5, 0)
        drawn = np.asarray(StochasticTernary(scale)(weights, training=True, uniform=uniform))
        assert set(np.unique(drawn)) <= {0, np.float32(np.copysign(scale, w))}
        p = abs(w)
        # Five standard deviations of a binomial share: one run in a million fails by chance.
        assert abs((drawn != 0).mean() - p) <= 5 * np.sqrt(p * (1 - p) / n)


@pytest.mark.parametrize("threshold", [-0.1, 1.0, float("nan"), "a"])
def test_a_threshold_is_a_share_of_the_scale(threshold):
    with pytest.raises(ValueError, match="threshold"):
        Ternary(threshold=threshold)


@pytest.mark.parametrize(
    "quantizer", [Binary(), StochasticBinary(0.3), Ternary(1.0), StochasticTernary(0.3)]
)
def test_gradient_is_the_identity_also_beyond_the_clip(quantizer):
    uniform, upstream = np.full(6, 0.5, "float32"), np.arange(6, dtype="float32")
    (gradient,) = gradients(
        lambda w: quantizer(w, training=True, uniform=uniform), [W], upstream=upstream
    )
    assert np.array_equal(gradient, upstream)


@tensorflow_only
def test_inference_holds_no_gradient_trick():
    import tensorflow as tf

    graph = tf.function(lambda w: StochasticBinary()(w, training=False)).get_concrete_function(
        tf.TensorSpec((6,), tf.float32)
    )
    kinds = {operation.type for operation in graph.graph.get_operations()}
    assert kinds <= {"Placeholder", "Const", "GreaterEqual", "SelectV2", "Identity", "Neg", "Cast"}


@pytest.mark.parametrize(
    "quantizer",
    [
        Binary(),
        StochasticBinary(0.25),
        Binary("glorot"),
        Ternary(threshold=0.2),
        StochasticTernary("glorot", 0.5),
    ],
)
def test_serializes(quantizer):
    again = quantizers.get(quantizers.serialize(quantizer))
    assert type(again) is type(quantizer)
    assert again.get_config() == quantizer.get_config()


@pytest.mark.parametrize(
    ("kernel_quantizer", "input_quantizer"),
    [
        (Ternary("glorot", 0.2), SwishSign(1.5)),
        (StochasticTernary(0.5), ApproxSign()),
        (MagnitudeAware(-1), DoReFa(3)),
        (StochasticBinary(0.25), StochasticSign()),
        (SwishSign(2.0), "sign"),
    ],
)
def test_comes_back_with_its_model(kernel_quantizer, input_quantizer, tmp_path):
    layer = BinaryDense(5, kernel_quantizer=kernel_quantizer, input_quantizer=input_quantizer)
    model = keras.Sequential([keras.Input((6,)), layer])
    x = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")
    loaded = check_saving(model, x, tmp_path / "model.keras")
    for name in ("kernel_quantizer", "input_quantizer"):
        before, after = getattr(layer, name), getattr(loaded.layers[0], name)
        assert type(after) is type(before) and after.get_config() == before.get_config()


@pytest.mark.parametrize("name", ["ternary", "stochastic_ternary"])
def test_ternary_weights_do_not_begin_as_zeros(name):
    """By name, and with the initial weights that Keras's layers have."""
    layer = BinaryDense(256, kernel_quantizer=name)
    layer.build((None, 784))
    assert 0.8 < (layer.deployed_kernel() != 0).mean() < 0.87  # 5 of 6 are beyond a third of H


@pytest.mark.parametrize("identifier", ["binary", "ternary", "magnitude_aware", Binary(0.5)])
def test_inputs_take_none_whose_gradient_is_for_clipped_weights(identifier):
    for make in (lambda q: BinaryDense(3, input_quantizer=q), SignActivation):
        with pytest.raises(ValueError, match=r"Expected a Quantizer of activations.*'swish_sign'"):
            make(identifier)


def test_get_by_name_and_object():
    assert type(quantizers.get("binary")) is Binary
    assert type(quantizers.get("stochastic_binary")) is StochasticBinary
    quantizer = Binary(2.0)
    assert quantizers.get(quantizer) is quantizer


@pytest.mark.parametrize("identifier", ["ternery", None, 3, keras.layers.ReLU()])
def test_get_refuses_what_is_no_quantizer(identifier):
    with pytest.raises(ValueError, match="Invalid value for argument `quantizer`"):
        quantizers.get(identifier)


def test_get_refuses_the_config_of_something_else():
    config = keras.saving.serialize_keras_object(keras.layers.ReLU())
    with pytest.raises(ValueError, match="Expected the config of a Quantizer"):
        quantizers.get(config)


@pytest.mark.parametrize("scale", [0, -1.0, float("nan"), float("inf"), "glorott", True, None])
def test_refuses_a_scale_that_is_none(scale):
    with pytest.raises(ValueError, match="Invalid value for argument `scale`"):
        Binary(scale)
