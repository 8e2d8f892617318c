"""The C sources compile without a warning wherever they should, and need no library."""

import re
import shutil
import subprocess

import pytest

from keras_bc.deploy import kernels

WARNINGS = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror", "-O2"]
THUMB = ["arm-none-eabi-gcc", "-mthumb"]
COMPILERS = {
    "gcc": ["gcc", "-pedantic"],
    "clang": ["clang", "-pedantic"],
    "cortex-m0": [*THUMB, "-mcpu=cortex-m0"],
    "cortex-m3": [*THUMB, "-mcpu=cortex-m3"],
    "cortex-m4": [*THUMB, "-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"],
}
SOURCES = sorted(kernels.SOURCES.glob("*.c"))


@pytest.fixture
def compile_all(tmp_path):
    def compile_all(compiler):
        if not shutil.which(compiler[0]):
            pytest.skip(f"{compiler[0]} is not installed")
        command = [*compiler, *WARNINGS, f"-I{kernels.INCLUDE}", "-c", *SOURCES]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return sorted(tmp_path.glob("*.o"))

    return compile_all


@pytest.mark.parametrize("compiler", COMPILERS.values(), ids=COMPILERS)
def test_no_warnings(compiler, compile_all):
    assert len(compile_all(compiler)) == len(SOURCES)


def test_the_kernels_call_nothing_but_memcpy_memset_and_the_compilers_own_helpers(compile_all):
    objects = compile_all(COMPILERS["cortex-m0"])
    command = ["arm-none-eabi-nm", "--undefined-only", *objects]
    names = set(re.findall(r" U (\w+)", subprocess.check_output(command, text=True)))
    foreign = {name for name in names if not name.startswith(("__aeabi_", "__gnu_thumb1", "kbc_"))}
    assert foreign <= {"memcpy", "memset"}


def test_the_kernels_keep_no_state(compile_all):
    objects = compile_all(COMPILERS["cortex-m0"])
    sizes = subprocess.check_output(["arm-none-eabi-size", "--totals", *objects], text=True)
    _, data, bss, *_ = sizes.splitlines()[-1].split()
    assert (data, bss) == ("0", "0")
