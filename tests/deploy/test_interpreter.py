import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import keras_bc.errors
from keras_bc import deploy
from keras_bc.deploy import flatbuffer, interpreter, reference
from keras_bc.deploy.interpreter import RUNTIMES, Interpreter
from keras_bc.errors import UserError
from tests.deploy.graphs import KINDS, graph_of, mlp, random_graph, random_inputs, side_by_side

SCRIPT = Path(__file__).with_name("run_in_runtime.py")


def assert_same_integers(actual, expected):
    assert sorted(actual) == sorted(expected)
    for name, integers in expected.items():
        np.testing.assert_array_equal(actual[name], integers, err_msg=name)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_gives_the_integers_of_the_reference(kind, seed):
    graph = graph_of(kind, seed)
    x = random_inputs(graph, 9, seed)
    expected = reference.run(graph, x)
    assert_same_integers(Interpreter(flatbuffer.write(graph)).run_all(x), expected)


@pytest.mark.parametrize("kind", ["ADD", "SUB", "MUL", "PRELU", "CONV_2D", "DEPTHWISE_CONV_2D"])
def test_halves_are_rounded_as_the_reference_does(kind):
    """Scales that are powers of two make many of them."""
    for seed in range(25):
        graph = graph_of(kind, seed)
        for tensor in graph.tensors.values():
            if tensor.scale is not None:
                tensor.scale = np.exp2(np.round(np.log2(tensor.scale)))
        x = random_inputs(graph, 5, seed)
        expected = reference.run(graph, x)
        assert_same_integers(Interpreter(flatbuffer.write(graph)).run_all(x), expected)


@pytest.mark.parametrize("seed", range(12))
def test_chains_give_the_integers_of_the_reference(seed):
    graph = random_graph(seed, layers=6)
    x = random_inputs(graph, 5, seed)
    opened = Interpreter(flatbuffer.write(graph))
    expected = reference.run(graph, x)
    assert_same_integers(opened.run_all(x), expected)
    np.testing.assert_array_equal(opened.run(x), expected[graph.outputs[0]])


def test_several_inputs_and_outputs():
    graph = side_by_side(random_graph(1), mlp(9, 5), random_graph(2))
    x = random_inputs(graph, 5)
    opened = Interpreter(flatbuffer.write(graph))
    expected = reference.run(graph, x)
    assert_same_integers(opened.run_all(x), expected)
    for name, y in zip(graph.outputs, opened.run(x), strict=True):
        np.testing.assert_array_equal(y, expected[name])
    by_name = dict(zip(opened.input_names, x, strict=True))
    assert opened.input_names == graph.inputs
    backwards = dict(reversed(by_name.items()))
    for one, other in zip(opened.run(backwards), opened.run(x), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(UserError, match="The arrays are named wrong, the model's inputs"):
        opened.predict({"wrong": x[0]})
    assert [y.dtype for y in opened.predict([array.astype("f") for array in x])] == ["float32"] * 3
    with pytest.raises(UserError, match=r"takes int8 of shape .* and int8 of shape \[n, 9\] and"):
        opened.run(x[:2])


def python_of(runtime):
    if runtime != "tflite_runtime":
        return sys.executable
    # Its last release needs an older NumPy, so it has a virtual environment of its own.
    python = os.environ.get("KERAS_BC_TFLITE_RUNTIME_PYTHON")
    if not python:
        pytest.skip("KERAS_BC_TFLITE_RUNTIME_PYTHON names no Python with tflite-runtime and NumPy")
    return python


def package_root(folder: Path) -> Path:
    """A folder for PYTHONPATH from which another Python imports this very keras_bc."""
    package = folder / "keras_bc"
    package.mkdir(parents=True)
    for path in Path(keras_bc.errors.__file__).parent.iterdir():
        (package / path.name).symlink_to(path)
    if not (package / "deploy").exists():
        (package / "deploy").symlink_to(Path(deploy.__file__).parent)
    return folder


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_runtime_gives_the_integers_of_the_reference(runtime, tmp_path):
    graphs = [random_graph(seed, layers=5) for seed in range(20, 26)]
    graphs += [graph_of(kind, 5) for kind in KINDS]
    inputs = [random_inputs(graph, 3, seed) for seed, graph in enumerate(graphs)]
    models = tmp_path / "models"
    models.mkdir()
    for number, (graph, x) in enumerate(zip(graphs, inputs, strict=True)):
        (models / f"{number}.tflite").write_bytes(flatbuffer.write(graph))
        np.save(models / f"{number}.npy", x)
    environment = os.environ | {"PYTHONPATH": str(package_root(tmp_path / "path"))}
    command = [python_of(runtime), SCRIPT, models, runtime]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for number, (graph, x) in enumerate(zip(graphs, inputs, strict=True)):
        with np.load(models / f"{number}.npz") as outputs:
            activations = {name.replace("|", "/"): outputs[name] for name in outputs}
        expected = reference.run(graph, x)
        if runtime == "tflite_runtime":
            # It lets some ops write over their inputs, even where all tensors are to be kept.
            expected = {name: expected[name] for name in graph.outputs}
            activations = {name: activations[name] for name in graph.outputs}
        assert_same_integers(activations, expected)


def test_any_batch_runs():
    graph = random_graph(3)
    opened = Interpreter(flatbuffer.write(graph))
    x = random_inputs(graph, 600)
    expected = reference.run(graph, x)[graph.outputs[0]]
    for size in (1, 7, 1, 256, 257, 600):
        np.testing.assert_array_equal(opened.run(x[:size]), expected[:size])


def test_threads_do_not_change_the_integers():
    graph = random_graph(4, layers=6)
    x = random_inputs(graph, 20)
    model = flatbuffer.write(graph)
    one, two = (Interpreter(model, num_threads=threads).run(x) for threads in (1, 2))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("kernels", ["plain", ""])
def test_plain_kernels_give_the_same_integers(kernels, monkeypatch):
    graph = random_graph(7, layers=6)
    x = random_inputs(graph, 9)
    monkeypatch.setenv("KERAS_BC_KERNELS", kernels)
    assert_same_integers(Interpreter(flatbuffer.write(graph)).run_all(x), reference.run(graph, x))


def test_kernels_that_this_cpu_lacks_are_refused(monkeypatch):
    monkeypatch.setenv("KERAS_BC_KERNELS", "avx1024")
    with pytest.raises(UserError, match="KERAS_BC_KERNELS names none that this CPU has"):
        Interpreter(flatbuffer.write(random_graph(0)))


def quantized_by(scale, zero_point):
    graph = graph_of("KbcFullyConnected", 1)
    tensor = graph.tensors[graph.inputs[0]]
    tensor.scale, tensor.zero_point = np.array([scale], np.float32), zero_point
    return graph, Interpreter(flatbuffer.write(graph))


def test_quantize_rounds_halves_away_from_zero_and_saturates():
    _, opened = quantized_by(0.5, -3)
    reals = np.array([0, 0.2, 0.25, 0.75, -0.25, -0.2, 100, -100], np.float32)
    assert opened.quantize(reals).tolist() == [-3, -3, -2, -1, -4, -3, 127, -128]


def test_predict_is_the_run_between_the_scales():
    graph, opened = quantized_by(0.125, 5)
    x = random_inputs(graph, 4)
    reals = 0.125 * (x.astype(np.float32) - 5)
    np.testing.assert_array_equal(opened.quantize(reals), x)
    y = graph.tensors[graph.outputs[0]]
    expected = y.scale[0] * (opened.run(x).astype(np.float32) - y.zero_point)
    np.testing.assert_allclose(opened.predict(reals), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((0, 5, 5, 2), np.int8), r"Received: int8 of shape \[0, 5, 5, 2\]"),
        (np.zeros((1, 5, 5, 2), np.float32), "Received: float32"),
        (np.zeros((5, 5, 2), np.int8), r"takes int8 of shape \[n, "),
        (np.zeros((), np.int8), "Received: int8"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(x, words):
    with pytest.raises(UserError, match=words):
        Interpreter(flatbuffer.write(graph_of("KbcConv2D", 1))).run(x)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"Cannot read .*none\.tflite: No such file"):
        Interpreter(tmp_path / "none.tflite")


@pytest.mark.parametrize("data", [b"", b"TFL3", b"\x80\x04K\x01." * 9])
def test_a_file_that_is_no_model_is_named(data, tmp_path):
    path = tmp_path / "other.tflite"
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"other\.tflite is not a \.tflite file"):
        Interpreter(path)


def test_a_truncated_model_is_refused():
    data = flatbuffer.write(random_graph(2))
    for size in range(8, len(data) * 3 // 4, 61):
        with pytest.raises(UserError):
            Interpreter(data[:size])


def test_an_unknown_runtime_is_named():
    with pytest.raises(UserError, match="Unknown TFLite runtime torch; expected one of ai_edge"):
        Interpreter(flatbuffer.write(random_graph(0)), runtime="torch")


def test_a_runtime_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tflite_runtime", None)
    with pytest.raises(UserError, match="pip install tflite-runtime"):
        Interpreter(flatbuffer.write(random_graph(0)), runtime="tflite_runtime")


def test_a_missing_library_says_how_to_build_it(monkeypatch, tmp_path):
    monkeypatch.setattr(interpreter, "__file__", str(tmp_path / "interpreter.py"))
    with pytest.raises(UserError, match=r"libkeras_bc\.\w+ is missing.*install it again"):
        Interpreter(flatbuffer.write(random_graph(0)))
