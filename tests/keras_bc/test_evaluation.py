import keras
import numpy as np
import pytest

from keras_bc.datasets import fit_shape
from keras_bc.errors import UserError
from keras_bc.evaluation import evaluate, inference_weights
from keras_bc.layers import BinaryDense


def _classifier():
    """Two inputs, two classes: the deployed weights are +-1, the real ones tiny."""
    layer = BinaryDense(2, use_bias=False)
    model = keras.Sequential([keras.Input((2,)), layer])
    layer.set_weights([np.array([[0.1, -0.9], [-0.1, 0.1]], "float32")])
    return model


X = np.array([[3, 1], [1, 3], [3, 1], [-1, 4]], "float32")


def test_counts_wrong_classes():
    # Deployed: the class is that of the larger input: 0, 1, 0, 1.
    assert evaluate(_classifier(), X, np.array([0, 1, 0, 0])) == {
        "error": 25.0,
        "samples": 4,
        "weights": "deployed",
    }


def _stochastic():
    layer = BinaryDense(2, use_bias=False, kernel_quantizer="stochastic_binary", seed=1, name="a")
    model = keras.Sequential([keras.Input((2,)), layer])
    kernel = np.array([[0.8, -0.8], [-0.8, 0.8]], "float32")
    layer.set_weights([kernel, np.uint32(7)])
    return model


def test_an_ensemble_is_the_mean_of_drawn_networks():
    model = _stochastic()
    layer = model.layers[0]
    samples = [layer.sampled_kernel(number) for number in range(200)]
    assert {float(w) for sample in samples for w in sample.ravel()} == {-1, 1}
    assert len({sample.tobytes() for sample in samples}) > 5
    # The mean of a draw is its real weight: 200 draws of deviation 0.6 come within 0.2.
    np.testing.assert_allclose(np.mean(samples, axis=0), layer.kernel, atol=0.2)
    x = np.array([[3, 1], [1, 3]], "float32")
    outputs = np.mean([x @ sample for sample in samples[:5]], axis=0)
    y = outputs.argmax(axis=1)
    result = evaluate(model, x, y, weights="ensemble:5")
    assert result == {"error": 0, "samples": 2, "weights": "ensemble:5"}
    assert evaluate(model, x, 1 - y, weights="ensemble:5")["error"] == 100


def test_an_ensemble_leaves_the_model_as_it_was():
    model = _stochastic()
    before = model.get_weights()
    evaluate(model, X, np.zeros(4, int), "ensemble:3", train_x=X)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.layers[0].weights_mode == "deployed"


def test_says_which_weights():
    # Real: outputs (0.2, -2.6), (-0.2, -0.6), (0.2, -2.6), (-0.5, 1.3): the classes 0, 0, 0, 1.
    result = evaluate(_classifier(), X, np.array([0, 1, 0, 1]), weights="real", batch_size=3)
    assert result == {"error": 25.0, "samples": 4, "weights": "real"}


def test_leaves_the_model_as_it_was():
    model = keras.Sequential([keras.Input((2,)), BinaryDense(2), keras.layers.BatchNormalization()])
    before = model.get_weights()
    evaluate(model, X, np.zeros(4, int), "real", train_x=X + 5)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.layers[0].weights_mode == "deployed"


def test_reestimates_for_the_weights_it_uses():
    model = keras.Sequential([keras.Input((2,)), BinaryDense(2), keras.layers.BatchNormalization()])
    model.layers[0].set_weights([np.array([[0.1, -0.9], [-0.1, 0.1]], "float32"), np.zeros(2)])
    # Normalized by themselves the real outputs' classes are 0, 0, 0, 1; and without, 1 less sure.
    x = np.array([[1, 0], [-1, 0], [1, 1], [-1, -1]], "float32")
    y = np.array([0, 1, 0, 1])
    assert evaluate(model, x, y, "real", train_x=x)["error"] == 0
    assert evaluate(model, x + 100, y, "real", train_x=x + 100)["error"] == 0
    assert evaluate(model, x + 100, y, "real")["error"] == 50


def test_inference_weights_come_back_after_an_error():
    model = _classifier()
    with pytest.raises(RuntimeError), inference_weights(model, "real"):
        raise RuntimeError
    assert model.layers[0].weights_mode == "deployed"


def test_outputs_that_are_no_numbers_are_no_classes():
    model = _classifier()
    model.layers[0].set_weights([np.full((2, 2), np.nan, "float32")])
    with pytest.raises(UserError, match="outputs are not finite"):
        evaluate(model, X, np.zeros(4, int), weights="real")


def test_labels_are_integers():
    with pytest.raises(UserError, match="Expected one integer"):
        evaluate(_classifier(), X, np.zeros(4, "float32"))


def test_a_subclassed_model_takes_the_examples_as_they_are():
    class Subclassed(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = _classifier()

        def call(self, inputs):
            return self.inner(inputs)

    assert evaluate(Subclassed(), X, np.array([0, 1, 0, 0]))["error"] == 25


@pytest.mark.parametrize("structure", [list, dict])
def test_a_model_of_two_inputs_takes_an_array_each(structure):
    a, b = keras.Input((2,), name="b"), keras.Input((2, 1), name="a")
    inputs = [a, b] if structure is list else {"b": a, "a": b}
    model = keras.Model(inputs, keras.layers.Subtract()([a, keras.layers.Flatten()(b)]))
    arrays = {"b": X, "a": np.zeros_like(X)}
    labels = X.argmax(axis=1)
    in_order = [arrays[tensor.name] for tensor in model.inputs]
    for x in (arrays, in_order, tuple(in_order)):
        assert evaluate(model, x, labels, batch_size=3) == {
            "error": 0,
            "samples": 4,
            "weights": "deployed",
        }
    assert evaluate(model, {"b": arrays["a"], "a": X}, X.argmin(axis=1))["error"] == 0


def test_arrays_that_do_not_fit_two_inputs_are_refused():
    inputs = [keras.Input((2,), name="a"), keras.Input((2,), name="b")]
    model = keras.Model(inputs, keras.layers.Add()(inputs), name="two")
    labels = np.zeros(4, int)
    with pytest.raises(UserError, match=r"2 inputs \(a, b\), but 1 array given"):
        evaluate(model, X, labels)
    with pytest.raises(UserError, match="named a, c, the model's inputs a, b"):
        evaluate(model, {"a": X, "c": X}, labels)
    with pytest.raises(UserError, match=r"have \[3, 4\] samples"):
        evaluate(model, [X, X[:3]], labels)
    with pytest.raises(UserError, match="4 examples and 3 labels"):
        evaluate(model, [X, X], labels[:3])


def test_fit_shape_flattens_images():
    x = np.zeros((5, 4, 4, 1), "float32")
    assert fit_shape(x, (16,)).shape == (5, 16)
    assert fit_shape(x, (4, 4, 1)) is x


@pytest.mark.parametrize("shape", [(17,), (None, 4), (4, 4, 2), (2, 8), (1, 2, 8)])
def test_fit_shape_refuses_another_shape(shape):
    with pytest.raises(UserError, match="Give a data set of the model's shape"):
        fit_shape(np.zeros((5, 4, 4, 1)), shape)


def test_fit_shape_swaps_no_axes():
    with pytest.raises(UserError, match="Give a data set of the model's shape"):
        fit_shape(np.zeros((5, 3, 4, 2)), (4, 2, 3))


@pytest.mark.parametrize(
    ("x", "y", "weights", "message"),
    [
        (X, [[0], [0], [0], [0]], "deployed", "Expected one integer"),
        (X, [0, 0, 0, -1], "deployed", "Expected one integer"),
        (X, [0, 0, 0, 0], "drawn", "Expected deployed, real, or ensemble:N"),
        (X, [0, 0, 0, 0], "ensemble:0", "Expected deployed, real, or ensemble:N"),
        (X, [0, 0, 0, 0], "ensemble:3", "draws no weights"),
        (X, [0, 0, 0, 2], "deployed", "label 2, but the model has 2 outputs"),
        (X, [0, 0, 0], "deployed", "Expected a label each"),
        (X[:0], [], "deployed", "Expected a label each"),
        (X[:, :1], [0, 0, 0, 0], "deployed", "Give a data set"),
    ],
)
def test_refuses(x, y, weights, message):
    with pytest.raises(UserError, match=message):
        evaluate(_classifier(), x, np.array(y, int), weights)


def test_one_output_is_measured():
    x = keras.Input((4,))
    model = keras.Model(x, [BinaryDense(3)(x), BinaryDense(2)(x)])
    with pytest.raises(UserError, match="has 2 outputs"):
        evaluate(model, np.zeros((5, 4), "f"), np.zeros(5, int))
