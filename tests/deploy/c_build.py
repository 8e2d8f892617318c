"""Build emitted C for the host, under the sanitizers of addresses and undefined behaviour."""

import os
import subprocess
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from keras_bc.deploy import c_source
from keras_bc.deploy.graph import Graph, Tensor
from keras_bc.deploy.kernels import INCLUDE, SOURCES
from keras_bc.deploy.plan import plan, tensor_bytes
from keras_bc.inputs import Inputs, as_list

HERE = Path(__file__).resolve().parent
PLANNED = ("cpu", "ram_limit", "variants")  # options that decide what is called
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
SANITIZERS = [
    "-g",
    "-O1",
    "-fsanitize=address,undefined,float-cast-overflow",
    "-fno-sanitize-recover=all",
]


@dataclass(frozen=True)
class Machine:
    """What builds programs, and runs them.

    Attributes:
        compiler: Of C.
        flags: Its options.
        runner: The command that a program is an argument of: an emulator, or nothing.
        sources: More of them, beside the kernels.
        environment: Variables for the program.
    """

    compiler: str = "gcc"
    flags: tuple[str, ...] = tuple(SANITIZERS)
    runner: tuple[str, ...] = ()
    sources: tuple[Path, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()


def run_emitted(
    graph: Graph,
    x: Inputs,
    folder: Path,
    machine: Machine = Machine(),
    **options: str | int | None,
) -> dict[str, np.ndarray]:
    """Emit a graph, build it and run it.

    Args:
        graph: In the integer dialect.
        x: int8 `[n, ...]`, or one such array for each input.
        folder: For what is written on the way.
        machine: Where; by default here, under sanitizers.
        options: Of `c_source.emit`, but for the namespace.

    Returns:
        Integers `[n, ...]` by tensor: the output of each step as it was when the step was done,
        and the model's.
    """
    c_source.emit(graph, folder, **options)
    program = folder / "model"
    built = replace(machine, runner=(), environment=())  # by which objects do not differ
    sources = [HERE / "run_model.c", folder / "model.c", kernels_object(built)]
    includes = [f"-I{folder}", "-include", HERE / "layer_done.h"]
    flags = [*machine.flags, *includes]
    compile_c(*flags, *sources, "-o", program, compiler=machine.compiler)
    arrays = as_list(x)
    examples = b"".join(one.tobytes() for example in zip(*arrays, strict=True) for one in example)
    command = [*machine.runner, program]
    environment = os.environ | dict(machine.environment)
    done = subprocess.run(command, input=examples, capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr.decode()
    planned = {key: value for key, value in options.items() if key in PLANNED}
    names = [step.output for step in plan(graph, **planned).steps] + graph.outputs
    return _split(done.stdout, len(arrays[0]), [graph.tensors[name] for name in names])


def compile_c(*arguments: str | Path, compiler: str = "gcc", standard: str = "c99") -> None:
    """Run a C compiler with warnings as errors; what it says becomes the failure's message."""
    command = [compiler, f"-std={standard}", *WARNINGS, f"-I{INCLUDE}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _split(data: bytes, count: int, outputs: list[Tensor]) -> dict[str, np.ndarray]:
    """The layers of each inference in turn, as arrays over all inferences."""
    rows = np.frombuffer(data, np.int8).reshape(count, -1)
    ends = np.cumsum([tensor_bytes(tensor) for tensor in outputs])
    assert ends[-1] == rows.shape[1]
    parts = np.split(rows, ends[:-1], axis=1)
    return {
        tensor.name: part.copy().view(tensor.dtype).reshape(count, *tensor.shape[1:])
        for tensor, part in zip(outputs, parts, strict=True)
    }


@cache
def kernels_object(machine: Machine) -> Path:
    """The C library as an object, built once a run."""
    folder = TemporaryDirectory()
    _FOLDERS.append(folder)
    library = Path(folder.name) / "kernels.o"
    sources = [*SOURCES.glob("*.c"), *machine.sources]
    compile_c(*machine.flags, *sources, "-r", "-o", library, compiler=machine.compiler)
    return library


_FOLDERS: list[TemporaryDirectory] = []  # removed when the interpreter ends
