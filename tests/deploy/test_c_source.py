import re
import shutil

import numpy as np
import pytest

from keras_bc.deploy import c_source, reference
from keras_bc.errors import UserError
from tests.deploy.c_build import compile_c, run_emitted
from tests.deploy.graphs import KINDS, graph_of, mlp, random_graph, random_inputs, side_by_side


def check(graph, folder, **options):
    """C gives the integers of the reference, in every layer."""
    x = random_inputs(graph, 8)
    expected = reference.run(graph, x)
    for name, actual in run_emitted(graph, x, folder, **options).items():
        np.testing.assert_array_equal(actual, expected[name], err_msg=f"{graph.name}: {name}")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "RESHAPE"])
@pytest.mark.parametrize("seed", range(3))
def test_each_kind_gives_the_integers_of_the_reference(kind, seed, tmp_path):
    check(graph_of(kind, seed), tmp_path)


@pytest.mark.parametrize("seed", range(16))
def test_chains_give_the_integers_of_the_reference(seed, tmp_path):
    check(random_graph(seed, layers=6), tmp_path)


@pytest.mark.parametrize("seed", range(4))
def test_the_smallest_kernels_give_the_same_integers(seed, tmp_path):
    check(random_graph(seed, layers=6), tmp_path, ram_limit=0)


def test_several_inputs_and_outputs(tmp_path):
    check(side_by_side(random_graph(1), mlp(9, 5), random_graph(2)), tmp_path)
    header = (tmp_path / "model.h").read_text()
    assert "int8_t *model_input_b_input(void *arena);" in header
    assert "#define MODEL_INPUT_B_INPUT_BYTES 9" in header


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 400))
def test_many_chains_give_the_integers_of_the_reference(seed, tmp_path):
    check(random_graph(seed, layers=8), tmp_path)


def test_same_graph_gives_the_same_bytes(tmp_path):
    texts = []
    for _ in range(2):
        files = c_source.emit(random_graph(5), tmp_path)
        assert [file.name for file in files] == ["model.h", "model.c"]
        texts.append([file.read_bytes() for file in files])
    assert texts[0] == texts[1]


def test_header_states_what_the_caller_needs(tmp_path):
    graph = mlp(784, 256, 10)
    header, _ = c_source.emit(graph, tmp_path, namespace="digits")
    constants = dict(
        re.findall(r"#define DIGITS_(\w+) \(?(\S+?)\)?(?: |$)", header.read_text(), re.M)
    )
    plan = c_source.plan(graph)
    x, y = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    assert int(constants["INPUT_BYTES"]) == 784
    assert int(constants["OUTPUT_BYTES"]) == 10
    assert int(constants["ARENA_BYTES"]) == plan.arena_bytes
    assert int(constants["CONSTANT_BYTES"]) == plan.constant_bytes
    for number in (plan.arena_bytes, plan.constant_bytes, 784 * 256 + 256 * 10):
        assert f" {number} " in header.read_text().split("#ifndef")[0]
    assert int(constants["LAYERS"]) == 2
    assert int(constants["MACS"]) == 784 * 256 + 256 * 10
    assert np.float32(constants["INPUT_SCALE"].rstrip("f")) == x.scale[0]
    assert np.float32(constants["OUTPUT_SCALE"].rstrip("f")) == y.scale[0]
    assert int(constants["INPUT_ZERO_POINT"]) == x.zero_point
    assert int(constants["OUTPUT_ZERO_POINT"]) == y.zero_point


def test_constant_bytes_are_those_of_the_compiled_constants(tmp_path):
    graph = random_graph(5, layers=6)
    c_source.emit(graph, tmp_path)
    (tmp_path / "all.c").write_text(
        '#include "model.c"\nchar size_is_right[sizeof_constants == MODEL_CONSTANT_BYTES ? 1 : -1];'
    )
    names = re.findall(r"KBC_FLASH \w+ (\w+)\[", (tmp_path / "model.c").read_text())
    total = " + ".join(f"sizeof {name}" for name in names)
    compile_c(f"-Dsizeof_constants=({total})", "-c", tmp_path / "all.c", "-o", tmp_path / "all.o")


@pytest.mark.parametrize("compiler", ["gcc", "clang", "arm-none-eabi-gcc"])
def test_compiles_without_warnings(compiler, tmp_path):
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    flags = ["-mcpu=cortex-m0", "-mthumb"] if compiler.startswith("arm") else []
    for seed in range(6):
        c_source.emit(random_graph(seed, layers=8), tmp_path)
        compile_c(*flags, "-c", tmp_path / "model.c", "-o", tmp_path / "model.o", compiler=compiler)


def test_header_compiles_as_cpp(tmp_path):
    header, _ = c_source.emit(mlp(4, 2), tmp_path)
    compile_c("-fsyntax-only", "-x", "c++", "-include", header, "/dev/null", standard="c++11")


def test_names_cannot_break_the_source(tmp_path):
    graph = mlp(6, 5, 4, 3, 2, name='*/ #error "\\\n??/ \N{BOMB}')
    for op, name in zip(graph.ops, ["*/ int x;", "int", "9 lives", "int"], strict=True):
        op.name = name
    check(graph, tmp_path)


WRONG = ["my-model", "9th", "", "Model", "kbc", "kbc_port", "a" * 41, "stdint", "strings", "../up"]


@pytest.mark.parametrize("namespace", WRONG)
def test_a_prefix_that_cannot_be_is_refused(namespace, tmp_path):
    with pytest.raises(UserError, match=f"`{namespace}` cannot be"):
        c_source.emit(mlp(4, 2), tmp_path, namespace=namespace)
    assert list(tmp_path.iterdir()) == []
