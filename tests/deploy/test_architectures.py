"""What the field's architectures become: exact on every executor, and near the float model."""

from dataclasses import dataclass

import keras
import numpy as np
import pytest

from keras_bc.deploy import boards, calibrate, export, flatbuffer
from keras_bc.deploy.fuse import fuse
from keras_bc.deploy.graph import Graph, Op, Tensor
from keras_bc.deploy.interpreter import Interpreter
from keras_bc.deploy.layouts import unpack_signs
from keras_bc.deploy.trace import trace
from tests.deploy import architectures
from tests.deploy.agreement import check_on_board, check_on_host
from tests.needs import cross_compiler, qemu

NARROW = {
    "vgg_small": {"width": 8},
    "bireal_resnet18": {"width": 8, "size": 16},
    "resnet8": {"width": 4},
    "ds_cnn": {"width": 8},
    "tc_resnet8": {"width": 6},
    "gru_digit_reader": {"units": 12, "steps": 10},
}
LARGE = ["m0-bench", "mps2-an386"]
FULL = {
    "vgg_small": LARGE,
    "bireal_resnet18": LARGE,
    "resnet8": [*LARGE, "mps3-an547"],
    "ds_cnn": [*LARGE, "mps3-an547"],
    "tc_resnet8": [*LARGE, "mps3-an547"],
    "gru_digit_reader": [*LARGE, "mps3-an547", "microbit"],
}
"""The boards that have room for the whole network."""

MOST_ERROR = {"bireal_resnet18": 0.3}
"""Root mean square of the scores' errors, as a share of their spread: 0.1 but for this one.

Sixteen layers of signs turn a rounding near zero into a difference of 2, and untrained ones again.
"""

narrow = pytest.mark.parametrize("model", NARROW.items(), ids=NARROW, indirect=True)
full = pytest.mark.parametrize("model", [(name, {}) for name in FULL], ids=FULL, indirect=True)


@dataclass
class Exported:
    """An untrained model of an architecture, and its file."""

    keras: keras.Model
    data: bytes

    @property
    def graph(self) -> Graph:
        return flatbuffer.read(self.data)

    def integers(self, count: int) -> np.ndarray:
        """Inputs that the ranges were not calibrated on."""
        return Interpreter(self.data).quantize(architectures.samples_for(self.keras, count, seed=1))


@pytest.fixture(scope="module")
def model(request):
    name, size = request.param
    keras.utils.set_random_seed(1)
    model = architectures.randomize(getattr(architectures, name)(**size))
    graph = export.to_graph(model, architectures.samples_for(model, 32))
    return Exported(model, flatbuffer.write(graph))


def real(tensor: Tensor, fused: Tensor, integers: np.ndarray) -> np.ndarray:
    """What an integer graph's values stand for."""
    if fused.dtype == "bits":
        return unpack_signs(integers, fused.shape[-1]).astype(np.float64)
    return (integers.astype(np.float64) - tensor.zero_point) * float(tensor.scale[0])


def check_layers(model: Exported) -> None:
    """Each layer's integers are near what its float op makes of the same integers' real values.

    One by one: a sign that an earlier layer's rounding turned is not this layer's error.
    """
    graph, fused = model.graph, fuse(trace(model.keras))
    integers = run_all(model, model.integers(4))
    for op in fused.ops:
        (name,) = op.outputs
        flows = [name for name in op.inputs if fused.tensors[name].data is None]
        values = [real(graph.tensors[name], fused.tensors[name], integers[name]) for name in flows]
        expected = calibrate.run(Graph(op.name, fused.tensors, [op], flows, [name]), values)[name]
        found = real(graph.tensors[name], fused.tensors[name], integers[name])
        if fused.tensors[name].dtype == "bits":
            np.testing.assert_array_equal(found, expected, op.name)
            continue
        y = graph.tensors[name]
        limits = real(y, fused.tensors[name], np.array([-128, 127]))
        error = np.abs(found - np.clip(expected, *limits)) / float(y.scale[0])
        if op.options.get("weights") == "real":  # they are rounded to 8 bits
            assert np.sqrt(np.mean(error**2)) < 1, op.name
        else:
            assert (error < 1.02 * steps(op, fused, graph)).all(), op.name


def steps(op: Op, fused: Graph, graph: Graph) -> float | np.ndarray:
    """How far an output may be off: half its step, and for the bias half the accumulator's."""
    if op.options.get("weights") not in ("binary", "ternary"):
        return 1.0  # where TensorFlow Lite rounds twice
    x, y = (graph.tensors[name] for name in (op.inputs[0], op.outputs[0]))
    accumulator = 1.0 if x.scale is None else float(x.scale[0])
    scale = fused.tensors[op.inputs[2]].data
    return 0.5 + 0.5 * np.abs(scale) * accumulator / float(y.scale[0])


def check_scores(model: Exported) -> None:
    """The integers of the last layer before a softmax are near the float model's scores."""
    graph, fused = model.graph, fuse(trace(model.keras))
    x, last = graph.tensors[graph.inputs[0]], fused.ops[-1]
    integers = model.integers(32)
    inputs = real(x, fused.tensors[x.name], integers).astype(np.float32)
    expected = calibrate.run(fused, inputs)
    error = np.abs(model.keras(inputs) - expected[fused.outputs[0]]).max(axis=1)
    assert np.median(error) < 1e-4  # in float32 a sign may turn now and then
    (name,) = last.inputs if last.kind == "softmax" else last.outputs
    found = real(graph.tensors[name], fused.tensors[name], run_all(model, integers)[name])
    error = np.sqrt(np.mean((found - expected[name]) ** 2)) / expected[name].std()
    assert error < MOST_ERROR.get(model.keras.name, 0.1)


def run_all(model: Exported, integers: np.ndarray) -> dict[str, np.ndarray]:
    return Interpreter(model.data).run_all(integers)


@narrow
def test_every_executor_gives_the_same_integers(model, tmp_path):
    check_on_host(model.data, model.integers(4), tmp_path)


@qemu
@cross_compiler
@narrow
def test_a_board_gives_the_same_integers(model, tmp_path):
    check_on_board(model.graph, boards.find("mps2-an386"), model.integers(1), tmp_path)


@narrow
def test_each_layer_is_near_its_float_one(model):
    check_layers(model)


@narrow
def test_the_scores_are_near_those_of_the_float_model(model):
    check_scores(model)


@qemu
@cross_compiler
@pytest.mark.slow
@full
def test_in_full(model, tmp_path):
    check_on_host(model.data, model.integers(2), tmp_path)
    check_layers(model)
    check_scores(model)
    for name in FULL[model.keras.name]:
        folder = tmp_path / name
        folder.mkdir()
        check_on_board(model.graph, boards.find(name), model.integers(1), folder)
