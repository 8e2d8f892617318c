import keras
import numpy as np
import pytest
from keras import layers

from keras_bc.deploy.trace import trace
from keras_bc.errors import UserError
from keras_bc.layers import BinaryConv2D, BinaryDense
from keras_bc.quantizers import Quantizer


def kinds(*stack) -> list[str]:
    return [op.kind for op in trace(keras.Sequential([*stack])).ops]


def test_each_layer_becomes_its_op():
    assert kinds(
        keras.Input((8, 8, 3)),
        layers.ZeroPadding2D(1),
        BinaryConv2D(4, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.MaxPooling2D(),
        layers.Dropout(0.5),
        layers.Conv2D(2, 1),
        layers.ReLU(6.0),
        layers.AveragePooling2D(2),
        layers.Flatten(),
        layers.Reshape((4, 2)),
        layers.Flatten(),
        layers.Dense(3),
        BinaryDense(2, activation="softmax"),
    ) == [
        "pad_2d",
        *("conv_2d", "clip"),
        "batch_norm",
        "max_pool_2d",
        "conv_2d",
        "clip",
        "average_pool_2d",
        *("reshape", "reshape", "reshape"),
        "fully_connected",
        *("fully_connected", "softmax"),
    ]


def test_global_average_pooling_is_a_pooling_of_the_whole_image():
    assert kinds(keras.Input((4, 5, 3)), layers.GlobalAveragePooling2D()) == [
        "average_pool_2d",
        "reshape",
    ]


def test_a_functional_model_without_branches_is_a_chain():
    x = keras.Input((6,))
    y = layers.ReLU()(BinaryDense(3)(x))
    assert [op.kind for op in trace(keras.Model(x, y)).ops] == ["fully_connected", "clip"]


def test_binary_weights_are_the_deployed_ones():
    layer = BinaryDense(3)
    graph = trace(keras.Sequential([keras.Input((5,)), layer]))
    weights = graph.tensors[graph.ops[0].inputs[1]].data
    np.testing.assert_array_equal(weights, np.where(np.asarray(layer.kernel) >= 0, 1, -1).T)


class Halves(Quantizer):
    """A user's own: +-1 and +-1/2."""

    def deterministic(self, inputs):
        sign = keras.ops.where(inputs >= 0, 1.0, -1.0)
        return keras.ops.where(abs(inputs) >= 0.2, sign, sign / 2)


class Zeros(Quantizer):
    """A user's own: all zero."""

    def deterministic(self, inputs):
        return 0 * inputs


def test_a_users_own_relu_is_not_keras_s():
    def relu(x):
        return keras.ops.maximum(x, -1.0)

    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, activation=relu, name="mine")])
    with pytest.raises(UserError, match="`mine` has the activation 'relu'"):
        trace(model)


@pytest.mark.parametrize(
    "layer, words",
    [
        (layers.LayerNormalization(name="norm"), "`norm` of type LayerNormalization"),
        (layers.ReLU(threshold=1.0, name="late"), "`late` is a ReLU"),
        (layers.Activation("gelu", name="curve"), "`curve` has the activation 'gelu'"),
        (layers.BatchNormalization(axis=1, name="rows"), "`rows` normalizes axis 1"),
        (layers.Softmax(axis=1, name="rows"), "`rows` is a softmax over axis 1"),
        (layers.MaxPooling2D(data_format="channels_first", name="first"), "channels_last"),
        (layers.Flatten(data_format="channels_first", name="first"), "channels_last"),
        (layers.UpSampling2D(interpolation="bilinear", name="soft"), "`soft` enlarges by"),
        (layers.ELU(alpha=2.0, name="steep"), "`steep` has alpha=2.0"),
        (layers.Activation(lambda x: -x, name="own"), "`own` has the activation"),
        (BinaryDense(4, kernel_quantizer=Halves(), name="two"), "`two` has the quantizer Halves"),
        (BinaryDense(4, input_quantizer=Halves(), name="in"), "`in` quantizes activations by"),
    ],
)
def test_what_is_not_supported_is_named(layer, words):
    keras.utils.set_random_seed(0)
    with pytest.raises(UserError, match=words):
        trace(keras.Sequential([keras.Input((4, 4, 30)), layer]))


def test_branches_are_followed():
    x = keras.Input((4,), name="x")
    y = layers.Add(name="sum")([BinaryDense(4, name="dense")(x), x])
    graph = trace(keras.Model(x, [y, layers.ReLU(name="relu")(y)]))
    assert [op.inputs[:1] for op in graph.ops] == [["input"], ["dense"], ["sum"]]
    assert graph.ops[1].inputs == ["dense", "input"]
    assert graph.outputs == ["sum", "relu"]


def test_several_inputs_keep_their_names():
    a, b = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    graph = trace(keras.Model([a, b], layers.Concatenate()([a, b])))
    assert graph.inputs == ["left", "right"]
    assert graph.tensors[graph.outputs[0]].shape == (1, 8)


def test_a_shared_layer_has_an_op_for_each_call():
    x, shared = keras.Input((4,)), BinaryDense(4, name="twice")
    graph = trace(keras.Model(x, shared(shared(x))))
    assert [op.name for op in graph.ops] == ["twice", "twice"]
    assert [op.outputs for op in graph.ops] == [["twice"], ["twice/fully_connected"]]
    assert graph.ops[1].inputs[0] == "twice"


def test_a_nested_model_is_opened():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4), layers.ReLU()])
    x = keras.Input((4,))
    assert kinds(keras.Input((4,)), inner, inner) == ["fully_connected", "clip"] * 2
    assert len(trace(keras.Model(x, inner(inner(x)))).ops) == 4


@pytest.mark.parametrize("expression, kind", [(lambda x: 2 * x + 1, "batch_norm")])
def test_arithmetic_with_constants_is_a_batch_norm(expression, kind):
    x = keras.Input((3,))
    assert [op.kind for op in trace(keras.Model(x, expression(x))).ops] == [kind, kind]


@pytest.mark.parametrize("function", [lambda x: 1 / x, lambda x: x * np.ones((2, 3), "float32")])
def test_other_arithmetic_is_refused(function):
    x = keras.Input((2, 3))
    with pytest.raises(UserError, match="only one number, or one a channel"):
        trace(keras.Model(x, function(x)))


def test_a_product_that_stretches_in_the_middle_is_refused():
    a, b = keras.Input((4, 5, 3)), keras.Input((4, 1, 3))
    with pytest.raises(UserError, match="stretches the shape"):
        trace(keras.Model([a, b], layers.Multiply(name="gate")([a, b])))


def test_ternary_weights_are_told_from_binary_ones():
    def kind(**options):
        model = keras.Sequential([keras.Input((50,)), BinaryDense(3, **options)])
        return trace(model).ops[0].options["weights"]

    assert kind() == kind(kernel_quantizer="magnitude_aware") == "binary"
    assert kind(kernel_quantizer="ternary") == "ternary"
    assert kind(kernel_quantizer=Zeros()) == "ternary"


def test_a_subclassed_model_is_refused():
    class Mine(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(UserError, match="of type Mine has no layers whose"):
        trace(Mine())


def test_a_model_without_an_input_shape_is_refused():
    with pytest.raises(UserError, match=r"Give a Sequential model a keras\.Input"):
        trace(keras.Sequential([BinaryDense(4)]))


def test_nan_weights_are_named():
    layer = layers.Dense(2, name="broken")
    model = keras.Sequential([keras.Input((3,)), layer])
    layer.kernel.assign(np.full((3, 2), np.nan))
    with pytest.raises(UserError, match="`broken` has weights that are not finite"):
        trace(model)
