"""The C sources compile without a warning wherever they should, and need no library."""

import re
import shutil
import subprocess

import pytest

from keras_bc.deploy import boards, c_source, kernels, targets, toolchain
from keras_bc.deploy.boards import MICROCONTROLLER
from tests.deploy.graphs import graph_of
from tests.deploy.programs import kernels_for

WARNINGS = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wshadow"]
WARNINGS += ["-Werror", "-O2"]
CPUS = {
    board.cpu: [f"{target.prefix}gcc", *target.library_options, *board.flags]
    for board in boards.all()
    for target in [targets.of(board.cpu)]
}
COMPILERS = {"gcc": ["gcc"], "clang": ["clang"], **CPUS}
LIKE_OTHERS = ("cortex-m3", "cortex-m7", "cortex-m33", "atmega2560", "rv32imac")
"""CPUs whose compiler sees what that of another one sees, all but a few lines."""
SOURCES = sorted(kernels.SOURCES.glob("*.c"))
OPS = sorted((MICROCONTROLLER / "ops").glob("*.c"))
HOST = sorted(
    path
    for name in ("delegate", "emulation", "host")
    for path in (MICROCONTROLLER / name).glob("*.c")
)
FIRMWARE = sorted(toolchain.FIRMWARE.glob("*.c"))


@pytest.fixture(scope="module")
def compile_all(tmp_path_factory):
    """Compiles sources, and gives the objects."""
    done = {}

    def compile_all(compiler, sources=SOURCES, options=()):
        if not shutil.which(compiler[0]):
            pytest.skip(f"{compiler[0]} is not installed")
        includes = [f"-I{kernels.INCLUDE}", f"-I{MICROCONTROLLER / 'ops'}"]
        command = (*compiler, *WARNINGS, *includes, *options, "-c", *sources)
        if command not in done:
            folder = tmp_path_factory.mktemp("objects")
            result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            assert result.returncode == 0, result.stderr
            done[command] = sorted(folder.glob("*.o"))
        return done[command]

    return compile_all


@pytest.mark.parametrize(
    "compiler",
    [
        pytest.param(command, id=name, marks=pytest.mark.slow if name in LIKE_OTHERS else ())
        for name, command in COMPILERS.items()
    ],
)
def test_no_warnings(compiler, compile_all):
    """AVR has no TensorFlow Lite Micro, whose ops count in ints of 32 bits."""
    avr = compiler[0] == "avr-gcc"
    sources = kernels_for(targets.AVR) if avr else SOURCES + OPS
    assert len(compile_all(compiler, sources)) == len(sources)


@pytest.mark.parametrize(
    ("cpu", "option"),
    [
        ("cortex-m0", "-Os"),
        ("cortex-m4", "-fno-omit-frame-pointer"),
        pytest.param("cortex-m0", "-fno-omit-frame-pointer", marks=pytest.mark.slow),
        pytest.param("cortex-m4", "-O0", marks=pytest.mark.slow),
        pytest.param("cortex-m55", "-O0", marks=pytest.mark.slow),
        pytest.param("cortex-m55", "-Os", marks=pytest.mark.slow),
    ],
)
def test_assembly_finds_its_registers_with_other_options(cpu, option, compile_all):
    assert compile_all(COMPILERS[cpu], options=(option,))


@pytest.mark.parametrize(
    "cpu", ["cortex-m0", *(pytest.param(f"cortex-m{n}", marks=pytest.mark.slow) for n in (4, 55))]
)
def test_clang_compiles_for_arm(cpu, compile_all, tmp_path):
    """Which brings all headers but string.h."""
    functions = "void *memcpy(void *, const void *, size_t), *memset(void *, int, size_t);"
    (tmp_path / "string.h").write_text(f"#include <stddef.h>\n{functions}\n")
    command = ["clang", "--target=arm-none-eabi", "-mthumb", f"-mcpu={cpu}", "-ffreestanding"]
    assert compile_all(command, options=(f"-I{tmp_path}",))


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_no_warnings_in_what_the_host_runs(compiler, compile_all):
    assert len(compile_all([compiler], HOST)) == len(HOST)


@pytest.mark.parametrize("compiler", CPUS.values(), ids=CPUS)
def test_no_warnings_in_the_firmware(compiler, compile_all, tmp_path):
    *_, source = c_source.emit(graph_of("KbcConv2D", 0), tmp_path)
    hooks = ["-include", toolchain.FIRMWARE / "hooks.h", f"-I{tmp_path}"]
    sources = [*FIRMWARE, source]
    assert len(compile_all(compiler, sources, hooks)) == len(sources)


@pytest.mark.parametrize(
    ("sources", "library"),
    [
        (SOURCES, {"memcpy", "memset"}),
        (OPS, {"memcpy", "memset", "memcmp", "strcmp", "strlen"}),
    ],
    ids=["kernels", "ops"],
)
def test_nothing_is_called_but_memory_functions_and_the_compilers_own(
    sources, library, compile_all
):
    names = {source.stem for source in sources}
    every = compile_all(COMPILERS["cortex-m0"], SOURCES + OPS)
    objects = [path for path in every if path.stem in names]
    command = ["arm-none-eabi-nm", "--undefined-only", *objects]
    names = set(re.findall(r" U (\w+)", subprocess.check_output(command, text=True)))
    foreign = {name for name in names if not name.startswith(("__aeabi_", "__gnu_thumb1", "kbc_"))}
    assert foreign <= library


def test_no_state_is_kept(compile_all):
    objects = compile_all(COMPILERS["cortex-m0"], SOURCES + OPS)
    sizes = subprocess.check_output(["arm-none-eabi-size", "--totals", *objects], text=True)
    _, data, bss, *_ = sizes.splitlines()[-1].split()
    assert (data, bss) == ("0", "0")
