"""Int8 builtins by CMSIS-NN, which a user has built and two variables name."""

import os
from dataclasses import replace

import numpy as np
import pytest

from keras_bc.deploy import boards, cmsis_nn, emulator, firmware, fixed_point, flatbuffer, reference
from keras_bc.deploy.choices import choices_for
from keras_bc.deploy.lowering import lower
from keras_bc.errors import UserError
from tests.deploy.graph_builder import Builder
from tests.needs import cross_compiler, qemu

M4 = boards.find("mps2-an386")
STACK = 2048


@pytest.fixture
def given(tmp_path, monkeypatch):
    """Variables that name files, which nobody compiles."""
    (tmp_path / "arm_nnfunctions.h").touch()
    (tmp_path / "libcmsis-nn.a").touch()
    monkeypatch.setenv(cmsis_nn.INCLUDE, str(tmp_path))
    monkeypatch.setenv(cmsis_nn.LIBRARY, str(tmp_path / "libcmsis-nn.a"))


def graph_of(*kinds: str):
    builder = Builder(7)
    builder.input((1, 9, 8, 6))
    for kind in kinds:
        builder.add(kind)
    return builder.finish()


def layers_of(graph, cpu: str = M4.cpu):
    return [choices_for(call, cpu, {})[-1] for call in lower(graph)]


@pytest.mark.usefixtures("given")
def test_builtins_of_a_cortex_m_go_to_it():
    graph = graph_of("CONV_2D", "MAX_POOL_2D", "PAD")
    assert [layer.variant for layer in layers_of(graph)] == [cmsis_nn.NAME] * 2 + ["reference"]
    assert {layer.variant for layer in layers_of(graph, "any")} == {"reference"}
    assert {layer.variant for layer in layers_of(graph, "rv32imac")} == {"reference"}


def test_without_the_variables_nothing_does(monkeypatch):
    monkeypatch.delenv(cmsis_nn.INCLUDE, raising=False)
    monkeypatch.delenv(cmsis_nn.LIBRARY, raising=False)
    assert {layer.variant for layer in layers_of(graph_of("CONV_2D", "MAX_POOL_2D"))} == {
        "reference"
    }


@pytest.mark.usefixtures("given")
def test_channels_are_three_arrays_with_shifts_to_the_left():
    (call,) = lower(graph_of("CONV_2D"))
    bias, multiplier, shift = call.constants["channels"].T
    _, theirs = cmsis_nn.layer_for(call, M4.cpu)
    expected = np.concatenate([bias, multiplier, 31 - shift])
    np.testing.assert_array_equal(theirs.constants["channels"], expected)


@pytest.mark.usefixtures("given")
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (cmsis_nn.INCLUDE, "", "needs both"),
        (cmsis_nn.LIBRARY, "", "needs both"),
        (cmsis_nn.INCLUDE, "/nowhere", "no arm_nnfunctions.h"),
        (cmsis_nn.LIBRARY, "/nowhere/libcmsis-nn.a", "no file"),
    ],
)
def test_variables_that_name_nothing_are_refused(name, value, message, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=message):
        layers_of(graph_of("CONV_2D"))


@cross_compiler
@pytest.mark.usefixtures("given")
def test_an_archive_for_something_else_is_refused(tmp_path):
    model = tmp_path / "model.tflite"
    model.write_bytes(flatbuffer.write(graph_of("CONV_2D")))
    with pytest.raises(UserError, match=r"cannot be linked with .* Build CMSIS-NN for mps2-an386"):
        firmware.build(model, M4, tmp_path / "build")
    assert not (tmp_path / "build").exists()


@qemu
@cross_compiler
@pytest.mark.skipif(
    cmsis_nn.LIBRARY not in os.environ, reason=f"needs {cmsis_nn.LIBRARY}, built for {M4.name}"
)
@pytest.mark.parametrize(
    "kinds",
    [
        ("CONV_2D",),
        ("DEPTHWISE_CONV_2D", "CONV_2D"),
        ("CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D"),
        ("CONV_2D", "ADD", "MUL"),
    ],
)
def test_its_outputs_are_the_reference_s_rounded_away_from_zero(kinds, tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "requantize_twice", fixed_point.requantize_away)
    graph = graph_of(*kinds)
    model = tmp_path / "model.tflite"
    model.write_bytes(flatbuffer.write(graph))
    shape = graph.tensors[graph.inputs[0]].shape
    x = np.random.default_rng(0).integers(-128, 128, (3, *shape[1:]), np.int8)
    board = replace(M4, stack=STACK)
    built = firmware.build(model, board, tmp_path / "build")
    assert cmsis_nn.NAME in {step.variant for step in built.steps}
    run = emulator.run(built, board, x)
    expected = reference.run(graph, x)[graph.outputs[0]]
    np.testing.assert_array_equal(run.outputs, expected.reshape(run.outputs.shape))
