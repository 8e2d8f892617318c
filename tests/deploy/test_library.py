"""An export's sources compile without us, and hold no kernel that the model does not call."""

import re
import subprocess

import numpy as np
import pytest

from keras_bc.deploy import c_source, library, reference
from keras_bc.deploy.kernels import SOURCES
from tests.deploy.c_build import HERE, WARNINGS
from tests.deploy.graphs import KINDS, graph_of, mlp, random_graph, random_inputs


def write(graph, folder):
    folder.mkdir(exist_ok=True)
    c_source.emit(graph, folder)
    return library.copy(c_source.plan(graph), folder)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The whole library, of which a linker takes what is called."""
    folder = tmp_path_factory.mktemp("archive")
    sources = sorted(SOURCES.glob("*.c"))
    include = f"-I{SOURCES.parent / 'include'}"
    subprocess.run(["gcc", "-std=c99", include, "-c", *sources], cwd=folder, check=True)
    objects = [f"{source.stem}.o" for source in sources]
    subprocess.run(["ar", "rc", "library.a", *objects], cwd=folder, check=True)
    return folder / "library.a"


def linked(folder, archive) -> set[str]:
    """The sources of the archive whose objects a linker takes for the model in `folder`."""
    files = [HERE / "run_model.c", folder / "model.c", archive]
    map_file = folder / "model.map"
    options = [f"-I{folder}", "-o", folder / "model", "-Xlinker", f"-Map={map_file}"]
    subprocess.run(["gcc", "-std=c99", *files, *options], check=True)
    return {f"{name}.c" for name in re.findall(r"library\.a\((\w+)\.o\)", map_file.read_text())}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "RESHAPE"])
@pytest.mark.parametrize("seed", range(2))
def test_a_model_gets_the_kernels_that_a_linker_would_take(kind, seed, archive, tmp_path):
    files = write(graph_of(kind, seed), tmp_path)
    assert {file.parent for file in files} == {tmp_path / "kbc"}
    sources = {file.name for file in files if file.suffix == ".c"}
    assert sources - {"quantize.c"} == linked(tmp_path, archive)


@pytest.mark.parametrize("seed", range(4))
def test_an_export_compiles_and_runs_on_its_own(seed, tmp_path):
    graph = random_graph(seed, layers=6)
    write(graph, tmp_path / "out")
    out = tmp_path / "out"
    sources = [HERE / "run_model.c", *out.glob("*.c"), *out.glob("kbc/*.c")]
    hook = ["-include", HERE / "layer_done.h"]
    command = ["gcc", "-std=c99", *WARNINGS, f"-I{out}", *hook, *sources, "-o", out / "program"]
    subprocess.run(command, check=True)
    x = random_inputs(graph, 4)
    written = subprocess.run([out / "program"], input=x.tobytes(), capture_output=True, check=True)
    y = reference.run(graph, x)[graph.outputs[0]].reshape(4, -1)
    rows = np.frombuffer(written.stdout, np.int8).reshape(4, -1)  # every layer, then the output
    np.testing.assert_array_equal(rows[:, -y.shape[1] :], y)


def test_private_headers_come_along_and_no_others(tmp_path):
    files = {file.name for file in write(mlp(64, 64), tmp_path)}
    assert files == {"kbc.h", "kbc_port.h"} | {
        *("fully_connected_s8_tables.c", "fully_connected_tables.h", "one_bit.h"),
        *("byte_tables.h", "sums_of_8.h", "sum_tables.h"),
        *(
            "finish_s8.c",
            "finish_s8_mve.h",
            "requantize.h",
            "product.h",
            "saturate.h",
            "thumb.h",
            "quantize.c",
        ),
    }
