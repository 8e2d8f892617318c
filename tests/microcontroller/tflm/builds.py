"""Build the program of run_models.cc with a TensorFlow Lite Micro, and run models in it.

The variable KERAS_BC_TFLM_DIR names the root of TensorFlow Lite Micro's tree, in which its makefile
has built the library `microlite` for the host, and for the M4 with TARGET=cortex_m_generic
TARGET_ARCH=cortex-m4+fp.
"""

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from keras_bc.deploy import boards, qemu, toolchain
from keras_bc.deploy.boards import MICROCONTROLLER
from keras_bc.inputs import Inputs, as_list

HERE = Path(__file__).resolve().parent
VARIABLE = "KERAS_BC_TFLM_DIR"
FACE = MICROCONTROLLER / "tflm" / "ops.cc"
OPS = sorted((MICROCONTROLLER / "ops").glob("*.c"))
INCLUDE = f"-I{MICROCONTROLLER / 'include'}"
STRICT = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
CXX = ["-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"]
DEFINITIONS = ["-DTF_LITE_STATIC_MEMORY"]
SANITIZERS = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
BOARD = "mps2-an386"

_LIBRARY = "lib/libtensorflow-microlite.a"


@dataclass
class Result:
    """What came of a model.

    Attributes:
        outputs: int8 `[n, output bytes]`, the outputs of an example one behind the other.
        refused: Whether it was refused, by our ops or by the runtime.
        said: All messages.
    """

    outputs: list[np.ndarray]
    refused: bool
    said: str


@dataclass
class Job:
    """A model, and what it runs on.

    Attributes:
        model: The .tflite file.
        inputs: None for one example of all bytes 0x80.
        arena_bytes: What TensorFlow Lite Micro may use.
    """

    model: bytes
    inputs: Inputs | None = None
    arena_bytes: int = 1 << 20


Program = Callable[[Path], str]
"""Runs the jobs of a folder, and gives what it says."""


def root() -> Path:
    """The tree of TensorFlow Lite Micro; the test is skipped where none is named."""
    if not os.environ.get(VARIABLE):
        pytest.skip(f"{VARIABLE} names no tree of TensorFlow Lite Micro with its library built")
    return Path(os.environ[VARIABLE])


def library(target: str) -> Path:
    """The library that the makefile built for a target, such as "linux_*"; or skip the test."""
    found = sorted(root().glob(f"gen/{target}/{_LIBRARY}"))
    if not found:
        pytest.skip(f"{root()} has no gen/{target}/{_LIBRARY}")
    return found[0]


def includes() -> list[str]:
    """Options for the headers of the tree and of what its makefile downloads."""
    downloads = root() / "tensorflow/lite/micro/tools/make/downloads"
    folders = [root(), downloads / "flatbuffers/include", downloads / "gemmlowp", downloads / "ruy"]
    return [option for folder in folders for option in ("-isystem", str(folder))]


def build_for_host(folder: Path) -> Program:
    """With our own sources under the sanitizers."""
    archive = library("linux_*")
    semihosting = f"-I{toolchain.FIRMWARE}"
    common = [*STRICT, *SANITIZERS, INCLUDE, semihosting]
    sources = [*toolchain.KERNELS, *OPS, HERE / "files_on_host.c"]
    _run("gcc", "-std=c99", *common, "-r", *sources, "-o", folder / "c.o")
    own = [FACE, HERE / "run_models.cc", folder / "c.o", archive]
    room = f"-DMODEL_BYTES={64 << 20}"
    _run("g++", *CXX, *DEFINITIONS, room, *common, *includes(), *own, "-o", folder / "program")

    def run(jobs: Path) -> str:
        done = subprocess.run([folder / "program"], cwd=jobs, capture_output=True, text=True)
        assert done.returncode == 0, f"{done.stdout[-500:]}\n{done.stderr[-3000:]}"
        return done.stdout

    return run


def build_for_m4(folder: Path) -> Program:
    """On the emulated board BOARD."""
    archive = library("cortex_m_generic_cortex-m4+fp_*")
    board = replace(boards.find(BOARD), stack=1 << 16)
    options = [*board.flags, "-O2", *CXX, *DEFINITIONS, f"-DMODEL_BYTES={1 << 20}", *STRICT]
    options += [INCLUDE, f"-I{toolchain.FIRMWARE}", *includes()]
    for source in (FACE, HERE / "run_models.cc"):
        toolchain.tool("g++", *options, "-c", source, "-o", folder / f"{source.stem}.o")
    objects = [folder / "ops.o", folder / "run_models.o", HERE / "bare_board.c"]
    sources = [*objects, *toolchain.STARTUP, *toolchain.KERNELS, *OPS, archive]
    elf = folder / "program.elf"
    toolchain.link([*sources, "-lm"], board, elf, ["--specs=nosys.specs"])
    return lambda jobs: qemu.execute(elf, board, folder=jobs, patience=600).text


def run(program: Program, jobs: Sequence[Job], folder: Path) -> list[Result]:
    """Run models, each on its examples."""
    (folder / "jobs.bin").write_bytes(b"".join(map(_to_bytes, jobs)))
    said = program(folder).split("job ")[1:]
    rest = np.fromfile(folder / "results.bin", np.int8)
    results = []
    for number, text in enumerate(said):
        assert int(text.splitlines()[0]) == number
        result, rest = _result(rest, text)
        results.append(result)
    assert len(results) == len(jobs) and not len(rest)
    return results


def _to_bytes(job: Job) -> bytes:
    arrays = as_list(job.inputs) if job.inputs is not None else []
    data = b"".join(one.tobytes() for example in zip(*arrays, strict=True) for one in example)
    sizes = [len(job.model), len(data) if arrays else -1, job.arena_bytes]
    return np.array(sizes, np.int32).tobytes() + job.model + data


def _result(data: np.ndarray, said: str) -> tuple[Result, np.ndarray]:
    """The first job's, and what is left."""
    outputs = []
    while True:
        size = data[:4].view(np.int32)[0]
        if size <= 0:
            return Result(outputs, size < 0, said), data[4:]
        outputs.append(data[4 : 4 + size])
        data = data[4 + size :].copy()


def _run(*command: str | Path) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-5000:]
