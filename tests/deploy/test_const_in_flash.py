"""--const-in-flash keeps all that is constant in flash, even where .rodata goes to RAM."""

import re
import shutil
import subprocess

import pytest

from keras_bc.deploy import c_source, library
from tests.deploy.graphs import random_graph

COMPILERS = {
    "cortex-m0": ["arm-none-eabi-", "-mcpu=cortex-m0", "-mthumb"],
    "cortex-m4": ["arm-none-eabi-", "-mcpu=cortex-m4", "-mthumb"],
    "rv32imac": ["riscv64-unknown-elf-", "-march=rv32imac", "-mabi=ilp32"],
}
FLASH, RAM = range(0x20000, 0x80000), range(0x20000000, 0x20080000)

# .rodata is copied to RAM, as on chips whose flash is slow; a name of its own tells the model's.
SCRIPT = """
MEMORY { FLASH (rx) : ORIGIN = 0x20000, LENGTH = 0x60000
         RAM (rw) : ORIGIN = 0x20000000, LENGTH = 0x80000 }
ENTRY(main)
SECTIONS
{
    .text : { *(.text .text.*) *(.rodata.kbc) } > FLASH
    .data : { *(.rodata .rodata.*) *(.srodata .srodata.*) *(.data .data.*) } > RAM AT > FLASH
    .bss : { *(.bss .bss.* COMMON) } > RAM
}
"""
MAIN = """
#include "model.h"
static uint64_t arena[(MODEL_ARENA_BYTES + 7) / 8];
int main(void) { return (int)model_invoke(arena); }
void *memcpy(void *to, const void *from, __SIZE_TYPE__ n)
{
    for (__SIZE_TYPE__ i = 0; i < n; ++i) ((char *)to)[i] = ((const char *)from)[i];
    return to;
}
void *memset(void *to, int value, __SIZE_TYPE__ n)
{
    for (__SIZE_TYPE__ i = 0; i < n; ++i) ((char *)to)[i] = (char)value;
    return to;
}
"""
# What the kernels declare of <string.h>, for a compiler that comes without a C library.
STRING = """
#include <stddef.h>
void *memcpy(void *, const void *, size_t);
void *memset(void *, int, size_t);
"""


def link(graph, compiler, folder, const_in_flash) -> str:
    """The symbols and section sizes of a program that holds the model."""
    prefix, *flags = compiler
    if not shutil.which(f"{prefix}gcc"):
        pytest.skip(f"{prefix}gcc is not installed")
    c_source.emit(graph, folder, const_in_flash=const_in_flash)
    library.copy(c_source.plan(graph), folder)
    for name, text in {"main.c": MAIN, "script.ld": SCRIPT, "string.h": STRING}.items():
        (folder / name).write_text(text)
    sources = [*folder.glob("*.c"), *folder.glob("kbc/*.c")]
    options = ["-std=c99", "-Os", "-Wall", "-Wextra", "-Werror", "-ffreestanding", f"-I{folder}"]
    linking = ["-nostdlib", "-T", folder / "script.ld", "-o", folder / "program.elf"]
    command = [f"{prefix}gcc", *flags, *options, *sources, *linking, "-lgcc"]
    subprocess.run(command, check=True)
    read = [f"{prefix}objdump", "-h", "-t", folder / "program.elf"]
    return subprocess.run(read, capture_output=True, text=True, check=True).stdout


def constants(symbols: str) -> dict[str, int]:
    """The addresses of the model's constants and parameters."""
    found = re.findall(r"^(\w+) +l +O .* (\w+)$", symbols, re.MULTILINE)
    fields = r"_(weights|channels|table|exponentials|sizes|alpha|params)$"
    return {name: int(at, 16) for at, name in found if re.search(fields, name)}


@pytest.mark.parametrize("name", COMPILERS)
@pytest.mark.parametrize("seed", range(3))
def test_no_constant_is_in_ram(seed, name, tmp_path):
    graph = random_graph(seed, layers=5)
    said = link(graph, COMPILERS[name], tmp_path, const_in_flash=True)
    source = (tmp_path / "model.c").read_text()
    addresses = constants(said)
    arrays = re.findall(r"^static const KBC_IN_FLASH \w+ (\w+)\[\d+\] =", source, re.MULTILINE)
    structs = re.findall(r"^static const KBC_IN_FLASH \w+ (\w+_params) =", source, re.MULTILINE)
    assert set(addresses) == {*arrays, *structs}
    assert len(structs) == len(c_source.plan(graph).layers)
    assert all(address in FLASH for address in addresses.values())


def test_without_it_this_linker_takes_them_to_ram(tmp_path):
    """The linker script above is one of those that the option is for."""
    said = link(random_graph(0, layers=5), COMPILERS["cortex-m0"], tmp_path, const_in_flash=False)
    addresses = constants(said)
    assert addresses and all(address in RAM for address in addresses.values())


def test_the_section_is_read_only(tmp_path):
    if not shutil.which("arm-none-eabi-gcc"):
        pytest.skip("arm-none-eabi-gcc is not installed")
    _, source = c_source.emit(random_graph(1), tmp_path, const_in_flash=True)
    library.copy(c_source.plan(random_graph(1)), tmp_path)
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m0", "-mthumb", f"-I{tmp_path}"]
    subprocess.run([*command, "-c", source, "-o", tmp_path / "model.o"], check=True)
    read = ["arm-none-eabi-objdump", "-h", tmp_path / "model.o"]
    said = subprocess.run(read, capture_output=True, text=True, check=True).stdout
    flags = re.search(r" \.rodata\.kbc .*\n +(.*)", said)[1]
    assert "READONLY" in flags and "DATA" in flags
    assert re.search(r" \.data +00000000 ", said)


def test_on_an_avr_it_stops_with_one_error_that_says_why(tmp_path):
    """avr-gcc, where it is installed; else what its compiler defines, which takes the same way."""
    _, source = c_source.emit(random_graph(1), tmp_path, const_in_flash=True)
    library.copy(c_source.plan(random_graph(1)), tmp_path)
    command = ["gcc", "-D__AVR__", "-U__unix__"]
    if shutil.which("avr-gcc"):
        command = ["avr-gcc", "-mmcu=atmega328p"]
    command += ["-std=c99", f"-I{tmp_path}", "-fsyntax-only", source]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert done.stderr.count("error:") == 1
    assert "--const-in-flash" in done.stderr and "define KBC_IN_FLASH" in done.stderr
    plain, *_ = c_source.emit(random_graph(1), tmp_path)
    assert "KBC_IN_FLASH" not in plain.with_suffix(".c").read_text()
    subprocess.run(command, check=True)
