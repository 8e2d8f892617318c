"""The macros of an emitted header quantize as the host does."""

import subprocess

import numpy as np
import pytest

from keras_bc.deploy import c_source, flatbuffer, library
from keras_bc.deploy.interpreter import Interpreter
from tests.deploy.c_build import compile_c
from tests.deploy.graphs import mlp, random_graph, side_by_side

PROGRAM = """
#include <stdio.h>

#include "model.h"

int main(void)
{
    float real;

    while (fread(&real, sizeof real, 1, stdin) == 1) {
        const int8_t q[] = {MODEL_INPUT_A_INPUT_QUANTIZE(real), MODEL_INPUT_B_INPUT_QUANTIZE(real)};
        fwrite(q, 1, sizeof q, stdout);
    }
    for (int i = -128; i <= 127; ++i) {
        const int8_t q = (int8_t)i;
        const float y[] = {MODEL_OUTPUT_%s_DEQUANTIZE(q), MODEL_OUTPUT_%s_DEQUANTIZE(q)};
        fwrite(y, sizeof y, 1, stdout);
    }
    return 0;
}
"""


def reals(scale: np.float32, rng: np.random.Generator) -> np.ndarray:
    """Random ones, the halves between two integers and their neighbours, and the far ends."""
    with np.errstate(over="ignore"):
        halves = (np.arange(-300, 300, dtype=np.float32) + np.float32(0.5)) * scale
        far = np.float32([0, -0.0, 1e-45, -1e-45, 3e38, -3e38, np.inf, -np.inf])
        spread = rng.normal(0, 100, 2000).astype(np.float32) * scale
    up, down = (np.nextafter(halves, np.float32(end)) for end in (np.inf, -np.inf))
    return np.concatenate([halves, up, down, far, spread])


def build(graph, folder, *flags):
    """The program of the macros of a graph with two inputs and two outputs."""
    c_source.emit(graph, folder)
    kernels = library.copy(c_source.plan(graph), folder)
    quantize = next(path for path in kernels if path.name == "quantize.c")
    names = [c_source.c_text.identifiers(graph.outputs)[i].upper() for i in range(2)]
    (folder / "main.c").write_text(PROGRAM % tuple(names))
    compile_c(*flags, f"-I{folder}", folder / "main.c", quantize, "-o", folder / "program")
    return folder / "program"


@pytest.mark.parametrize("seed", range(4))
def test_the_macros_give_the_integers_of_the_host(seed, tmp_path):
    graph = side_by_side(random_graph(seed), mlp(9, 5))
    graph.tensors[graph.inputs[1]].zero_point = 7 - 5 * seed  # both signs of the input count
    program = build(graph, tmp_path, "-O2")

    rng = np.random.default_rng(seed)
    x = np.concatenate([reals(graph.tensors[name].scale[0], rng) for name in graph.inputs])
    done = subprocess.run([program], input=x.tobytes(), capture_output=True, check=True)
    host = Interpreter(flatbuffer.write(graph))
    with np.errstate(over="ignore"):
        expected = np.stack(host.quantize([x, x]), axis=1)
    actual = np.frombuffer(done.stdout[: expected.size], np.int8).reshape(expected.shape)
    np.testing.assert_array_equal(actual, expected)
    assert {-128, 127} <= set(actual.ravel().tolist())

    q = np.arange(-128, 128).astype(np.int8)
    expected = np.stack(host.dequantize([q, q]), axis=1)
    actual = np.frombuffer(done.stdout[-expected.nbytes :], np.float32).reshape(expected.shape)
    np.testing.assert_array_equal(actual, expected)


def test_what_is_no_number_is_the_least_integer(tmp_path):
    sanitizer = ["-fsanitize=undefined,float-cast-overflow", "-fno-sanitize-recover=all"]
    program = build(side_by_side(mlp(9, 5), mlp(9, 5)), tmp_path, *sanitizer)
    x = np.float32([np.nan, np.inf, -np.inf, 3e38])
    done = subprocess.run([program], input=x.tobytes(), capture_output=True, check=True)
    assert np.frombuffer(done.stdout[:8], np.int8)[::2].tolist() == [-128, 127, -128, 127]
