"""The families of CPUs: for each its GNU tools, its C library and its emulator.

A CPU's name tells its family: "rv32imac" is a RISC-V, "cortex-m4", or any other, an Arm.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A family of CPUs.

    Attributes:
        cpus: A pattern that the names of its CPUs begin with.
        select: The compiler's flags for a CPU, with its name as {cpu}.
        refusal: A pattern in what the compiler says to a CPU that it does not know.
        prefix: Of the names of its GNU tools.
        packages: Debian's, with the tools and the C library.
        library: The C library's name.
        specs: GCC's file that finds it.
        qemu: The emulator's command.
        qemu_package: Debian's, with the emulator.
        start: How GDB starts a program that was loaded to the address {origin}.
    """

    cpus: str
    select: tuple[str, ...]
    refusal: str
    prefix: str
    packages: str
    library: str
    specs: str
    qemu: str
    qemu_package: str
    start: tuple[str, ...]


RISCV = Target(
    cpus="rv",
    select=("-march={cpu}", "-mabi=ilp32"),
    refusal="error: .*-march",
    prefix="riscv64-unknown-elf-",
    packages="gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
    library="picolibc",
    specs="picolibc.specs",
    qemu="qemu-system-riscv32",
    qemu_package="qemu-system-misc",
    start=("set $pc = {origin:#x}",),
)

ARM = Target(
    cpus="",
    select=("-mcpu={cpu}",),
    refusal="error: .*-mcpu",
    prefix="arm-none-eabi-",
    packages="gcc-arm-none-eabi libnewlib-arm-none-eabi",
    library="newlib",
    specs="nano.specs",
    qemu="qemu-system-arm",
    qemu_package="qemu-system-arm",
    # What a reset does, for which no command is common to all servers. Bit 24 says Thumb.
    start=(
        "set $xpsr = 0x01000000",
        "set $sp = *(unsigned *) {origin:#x}",
        "set $pc = *(unsigned *) ({origin:#x} + 4) & ~1",
    ),
)

ALL = (RISCV, ARM)


def of(cpu: str) -> Target:
    """The family of a CPU, by its name in board.toml."""
    return next(family for family in ALL if re.match(family.cpus, cpu))
