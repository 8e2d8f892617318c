"""The families of CPUs: for each its GNU tools, its C library and its emulator.

A CPU's name tells its family: "rv32imac" is a RISC-V, "atmega328p" an AVR, "cortex-m4", or any
other, an Arm.
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
        library_options: GCC's, to find it.
        library_missing: A pattern in what GCC says where it is not installed.
        script: The linker script's template, in microcontroller/firmware.
        emulator: The emulator's command.
        emulator_package: Debian's, with the emulator.
        unit: What the emulator counts.
        flash_apart: Whether no pointer reaches the flash, so that kernels read constants by
            instructions of their own.
        start: How GDB starts a program that was loaded to the address {origin}; empty where it
            cannot.
    """

    cpus: str
    select: tuple[str, ...]
    refusal: str
    prefix: str
    packages: str
    library: str
    emulator: str
    emulator_package: str
    library_options: tuple[str, ...] = ()
    library_missing: str = r"string\.h: No such file"
    script: str = "firmware.ld"
    unit: str = "instructions"
    flash_apart: bool = False
    start: tuple[str, ...] = ()


RISCV = Target(
    cpus="rv",
    select=("-march={cpu}", "-mabi=ilp32"),
    refusal="error: .*-march",
    prefix="riscv64-unknown-elf-",
    packages="gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
    library="picolibc",
    library_options=("--specs=picolibc.specs",),
    library_missing=r"picolibc\.specs",
    emulator="qemu-system-riscv32",
    emulator_package="qemu-system-misc",
    start=("set $pc = {origin:#x}",),
)

AVR = Target(
    cpus="at|avr",
    select=("-mmcu={cpu}",),
    refusal="error: .*device-specs/specs-|unknown MCU",
    prefix="avr-",
    packages="gcc-avr avr-libc",
    library="avr-libc",
    script="firmware_avr.ld",
    emulator="simavr",
    emulator_package="simavr libsimavr-dev",
    unit="cycles",
    flash_apart=True,
)

ARM = Target(
    cpus="",
    # Vectors are part of what Arm calls floating point, which is off where nothing is said.
    select=("-mcpu={cpu}", "-mfloat-abi=softfp"),
    refusal="error: .*-mcpu",
    prefix="arm-none-eabi-",
    packages="gcc-arm-none-eabi libnewlib-arm-none-eabi",
    library="newlib",
    library_options=("--specs=nano.specs",),
    library_missing=r"nano\.specs",
    emulator="qemu-system-arm",
    emulator_package="qemu-system-arm",
    # What a reset does, for which no command is common to all servers. Bit 24 says Thumb.
    start=(
        "set $xpsr = 0x01000000",
        "set $sp = *(unsigned *) {origin:#x}",
        "set $pc = *(unsigned *) ({origin:#x} + 4) & ~1",
    ),
)

ALL = (RISCV, AVR, ARM)


def of(cpu: str) -> Target:
    """The family of a CPU, by its name in board.toml."""
    return next(family for family in ALL if re.match(family.cpus, cpu))
