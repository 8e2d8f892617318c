"""Two exports and one library in one program, of C and of C++, give what each gives alone."""

import subprocess

import numpy as np
import pytest

from keras_bc.deploy import c_source, library, reference
from tests.deploy.c_build import WARNINGS
from tests.deploy.graphs import random_graph, random_inputs

# In both languages: the two run in turn, in arenas of their own.
PROGRAM = """
#include <stdio.h>

#include "first.h"
#include "second.h"

static union { uint64_t align; uint8_t bytes[FIRST_ARENA_BYTES]; } a;
static union { uint64_t align; uint8_t bytes[SECOND_ARENA_BYTES]; } b;

int main(void)
{
    while (fread(first_input(&a), 1, FIRST_INPUT_BYTES, stdin) == FIRST_INPUT_BYTES &&
           fread(second_input(&b), 1, SECOND_INPUT_BYTES, stdin) == SECOND_INPUT_BYTES) {
        if (first_invoke(&a) != KBC_OK || second_invoke(&b) != KBC_OK)
            return 1;
        fwrite(first_output(&a), 1, FIRST_OUTPUT_BYTES, stdout);
        fwrite(second_output(&b), 1, SECOND_OUTPUT_BYTES, stdout);
    }
    return 0;
}
"""


@pytest.mark.parametrize("language", ["c", "c++"])
@pytest.mark.parametrize("seed", range(2))
def test_two_models_in_one_program(language, seed, tmp_path):
    graphs = {"first": random_graph(seed, layers=5), "second": random_graph(seed + 10, layers=5)}
    for name, graph in graphs.items():
        (tmp_path / name).mkdir()
        c_source.emit(graph, tmp_path / name, namespace=name)
        library.copy(c_source.plan(graph), tmp_path / name)
    # As a user would: one folder copied over the other.
    merge = ["cp", "-r", *(f"{tmp_path / name}/." for name in graphs), tmp_path]
    subprocess.run(merge, check=True)
    main = tmp_path / ("main.c" if language == "c" else "main.cpp")
    main.write_text(PROGRAM)
    program = build(main, [*tmp_path.glob("*.c"), *tmp_path.glob("kbc/*.c")], tmp_path)

    inputs = [random_inputs(graph, 5, seed) for graph in graphs.values()]
    expected = [
        reference.run(graph, x)[graph.outputs[0]].reshape(5, -1)
        for graph, x in zip(graphs.values(), inputs, strict=True)
    ]
    rows = np.concatenate([x.reshape(5, -1) for x in inputs], axis=1)
    done = subprocess.run([program], input=rows.tobytes(), capture_output=True, check=True)
    actual = np.frombuffer(done.stdout, np.int8).reshape(5, -1)
    np.testing.assert_array_equal(actual, np.concatenate(expected, axis=1))


def build(main, sources, folder):
    objects, program = folder / "objects", folder / "program"
    objects.mkdir()
    sources = [source for source in sources if source != main]
    command = ["gcc", "-std=c99", *WARNINGS, f"-I{folder}", "-c", *sources]
    subprocess.run(command, cwd=objects, check=True)
    compiler = ["gcc", "-std=c99"] if main.suffix == ".c" else ["g++", "-std=c++11"]
    command = [*compiler, *WARNINGS, f"-I{folder}", main, *objects.glob("*.o"), "-o", program]
    subprocess.run(command, check=True)
    return program
