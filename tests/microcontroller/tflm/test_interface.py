"""Our ops compile against the public interface of TensorFlow Lite Micro, and need no more of it."""

import re
import shutil
import subprocess

import pytest

from tests.microcontroller.tflm.builds import (
    CXX,
    DEFINITIONS,
    FACE,
    HERE,
    INCLUDE,
    STRICT,
    includes,
)

HEADER = FACE.parents[1] / "include" / "kbc" / "tflm.h"
INTERFACE = f"-I{HERE / 'interface'}"
COMPILERS = {
    "g++": ["g++"],
    "clang++": ["clang++"],
    "cortex-m0": ["arm-none-eabi-g++", "-mthumb", "-mcpu=cortex-m0"],
    "cortex-m4": ["arm-none-eabi-g++", "-mthumb", "-mcpu=cortex-m4"],
}


@pytest.fixture(params=COMPILERS.values(), ids=COMPILERS)
def compile(request):
    """Runs a compiler with our declarations of the interface."""
    compiler = request.param
    if not shutil.which(compiler[0]):
        pytest.skip(f"{compiler[0]} is not installed")
    return lambda *arguments: check([*compiler, "-pedantic", INTERFACE, *arguments])


def check(command):
    command = [*command, *CXX, *STRICT, INCLUDE]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def example() -> str:
    """The program in the header's first comment."""
    comment = HEADER.read_text().split("*/")[0]
    lines = re.findall(r"^ \*     ?(.*)$|^ \*$", comment, re.MULTILINE)
    return "\n".join(lines) + "\n"


def test_our_sources_compile(compile):
    compile("-fsyntax-only", FACE)


@pytest.fixture
def example_source(tmp_path):
    assert "kbc::AddOps(resolver)" in example()
    source = tmp_path / "example.cc"
    source.write_text(example())
    return source


def test_the_example_of_the_header_compiles(compile, example_source):
    compile("-fsyntax-only", example_source)


def test_it_compiles_with_the_real_headers(example_source):
    check(["g++", *DEFINITIONS, *includes(), "-fsyntax-only", example_source])


@pytest.mark.parametrize("definitions", [[], ["-DTF_LITE_STRIP_ERROR_STRINGS", *DEFINITIONS]])
def test_our_sources_compile_with_the_real_headers(definitions):
    check(["g++", *definitions, *includes(), "-fsyntax-only", FACE])


def test_nothing_is_allocated_but_by_the_runtime_and_nothing_is_constructed(compile, tmp_path):
    compile("-O2", "-c", FACE, "-o", tmp_path / "ops.o")
    undefined = subprocess.check_output(["nm", "-uC", tmp_path / "ops.o"], text=True)
    names = set(re.findall(r" U (\S+?)(?:\(.*)?$", undefined, re.MULTILINE))
    ours = {name for name in names if name.startswith("kbc_")}
    assert names - ours <= {
        *("MicroPrintf", "VMicroPrintf", "memcpy", "memset", "tflite::GetMicroContext"),
        "tflite::MicroContext::AllocateTempInputTensor",
        "tflite::MicroContext::AllocateTempOutputTensor",
        *("_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail"),
    }
    sections = subprocess.check_output(["objdump", "-h", tmp_path / "ops.o"], text=True)
    assert "init_array" not in sections
