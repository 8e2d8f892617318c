import keras
import numpy as np
import pytest
from keras import layers

import keras_bc
from keras_bc.datasets import Split
from keras_bc.deploy import accuracy, flatbuffer, scales, verify
from keras_bc.deploy.export import to_graph
from keras_bc.errors import UserError
from keras_bc.evaluation import evaluate
from tests.deploy.networks import random_network, samples_for


def _classifier(seed):
    """A network, samples, and labels that it gets right most of the time."""
    model = random_network(seed)
    x = samples_for(model, 300, seed)
    y = keras.ops.convert_to_numpy(model(x)).argmax(axis=-1)
    y[::7] = (y[::7] + 1) % model.output_shape[-1]
    return model, x, y.astype(np.int64)


@pytest.mark.parametrize("seed", range(3))
def test_errors_are_those_of_keras_and_of_the_interpreter(seed, tmp_path):
    model, x, y = _classifier(seed)
    graph = to_graph(model, x[:100])
    seen = []
    found = accuracy.compare(model, graph, Split(x, y), seen.append)
    assert found.float_error == evaluate(model, x, y)["error"] > 0
    (tmp_path / "m.tflite").write_bytes(flatbuffer.write(graph))
    assert found.integer_error == verify.evaluate(tmp_path / "m.tflite", x, y)["error"]
    assert found.drop == pytest.approx(found.integer_error - found.float_error, abs=1e-3)
    assert abs(found.drop) <= found.changed + 1e-3
    assert seen[-1] == found.samples == 300 and seen == sorted(seen)


def test_noise_is_of_every_activation_the_greatest_first():
    model = random_network(3)
    samples = samples_for(model, 150)
    graph = to_graph(model, samples)
    rows = accuracy.noise(model, graph, samples)
    ratios = [row["snr_db"] for row in rows]
    assert ratios == sorted(ratios) and ratios[0] > 5 and ratios[-1] < 80
    x, y = (graph.tensors[name] for name in (*graph.inputs, *graph.outputs))
    taken = samples[: accuracy.NOISE_SAMPLES]
    quantized = scales.to_int8(taken, x.scale, x.zero_point)
    integers = accuracy.reference.run(graph, quantized)[y.name]
    expected = keras.ops.convert_to_numpy(model(taken)).astype(np.float64)
    noise = scales.to_real(integers, y.scale, y.zero_point) - expected
    by_hand = 10 * np.log10(np.sum(expected**2) / np.sum(noise**2))
    (found,) = (row["snr_db"] for row in rows if row["tensor"] == y.name)
    assert found == pytest.approx(by_hand, abs=0.05)


def test_a_worse_calibration_has_more_noise():
    model = keras.Sequential([keras.Input((64,)), keras_bc.BinaryDense(32, activation="relu")])
    samples = samples_for(model, 200)
    ratios = [
        accuracy.noise(model, to_graph(model, samples, calibration=method), samples)[0]["snr_db"]
        for method in ("percentile:90", "percentile:99", "mse")
    ]
    assert ratios[0] + 3 < ratios[1] < ratios[2] - 3


def test_signs_that_flip_are_noise():
    layer = keras_bc.BinaryDense(4, use_bias=False)
    model = keras.Sequential([keras.Input((4,)), keras_bc.SignActivation(name="sign"), layer])
    # A quarter of the inputs is below 0 by less than half a step, which int8 makes 0.
    samples = np.tile(np.array([[1.0, -1.0, 1.0, -1e-4]], np.float32), (8, 1))
    rows = accuracy.noise(model, to_graph(model, samples), samples)
    ratio = {row["layer"]: row["snr_db"] for row in rows}["sign"]
    assert ratio == pytest.approx(0.0)  # a quarter of signs off by 2: 1 / (0.25 * 4)


def test_signs_that_do_not_flip_are_exact():
    model = keras.Sequential([keras.Input((4,)), keras_bc.SignActivation(), layers.Flatten()])
    samples = np.ones((3, 4), np.float32)
    rows = accuracy.noise(model, to_graph(model, samples), samples)
    assert [row["snr_db"] for row in rows] == [None] * len(rows)


def test_what_only_moves_values_is_left_out_and_what_is_lifted_is_not():
    model = keras.Sequential(
        [
            keras.Input((6, 6, 4)),
            layers.DepthwiseConv2D(3, name="depthwise"),  # its integers are lifted
            layers.Cropping2D(1),
            layers.Flatten(),
            keras_bc.BinaryDense(3, name="dense"),
        ]
    )
    samples = samples_for(model, 20)
    rows = accuracy.noise(model, to_graph(model, samples), samples)
    assert {row["layer"] for row in rows} == {"depthwise", "dense"}


def _file(path, **arrays):
    np.savez(path, **arrays)
    return str(path)


def test_samples_are_of_the_models_shape_and_so_many(tmp_path):
    model = keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), keras_bc.BinaryDense(3)])
    x, y = np.ones((9, 16), np.float32), np.arange(9) % 3
    found = accuracy.labelled_samples(model, _file(tmp_path / "d.npz", x=x, y=y), 5)
    assert found.x.shape == (5, 4, 4, 1) and len(found) == 5
    beyond = _file(tmp_path / "e.npz", x=x, y=y + 1)
    with pytest.raises(UserError, match="label 3, but the model has 3 outputs"):
        accuracy.labelled_samples(model, beyond)


def test_no_error_is_measured_of_several_outputs(tmp_path):
    x = keras.Input((4,))
    model = keras.Model(x, [keras_bc.BinaryDense(2)(x), keras_bc.BinaryDense(2)(x)])
    arrays = {"x": np.ones((2, 4), np.float32), "y": np.zeros(2, int)}
    with pytest.raises(UserError, match="2 outputs"):
        accuracy.labelled_samples(model, _file(tmp_path / "d.npz", **arrays))
