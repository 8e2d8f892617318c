"""Compile and link C for a board with GCC."""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import jinja2

from keras_bc.deploy import boards, disk, targets
from keras_bc.deploy.boards import MICROCONTROLLER, Board
from keras_bc.deploy.targets import ARM, Target
from keras_bc.errors import UserError

FIRMWARE = MICROCONTROLLER / "firmware"
_STARTUP = ("startup", "startup_arm", "startup_avr", "startup_riscv", "semihosting")
STARTUP = [FIRMWARE / f"{name}.c" for name in _STARTUP]
"""What every program needs beside a `main`; what is another target's is empty."""

KERNELS = sorted((MICROCONTROLLER / "src").glob("*.c"))
"""The C library; what a program does not call is not linked."""

# Without contraction a*b + c is rounded twice on every chip, as on the host.
COMPILE = ["-std=c99", "-O2", "-ffunction-sections", "-fdata-sections", "-ffp-contract=off"]
LINK = ["-nostartfiles", "-Wl,--gc-sections", "-Wl,--print-memory-usage"]

_UNITS = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}


def link(
    sources: Sequence[Path], board: Board, elf: Path, options: Sequence[str] = ()
) -> tuple[int, int]:
    """Build a program for `board`, with its linker script and map beside it.

    Args:
        sources: C files; most likely `[main, *STARTUP, *KERNELS]`.
        board: Gives the CPU's flags and the memory map.
        elf: The file to write; `elf` with the suffixes .ld and .map is written too.
        options: More options for GCC.

    Returns:
        The bytes of flash and of RAM that it takes, the board's reserved stack included.

    Raises:
        UserError: GCC is missing or refuses a board of the user's own, the program does not fit
            the board, or the disk is full.
    """
    script = elf.with_suffix(".ld")
    target = targets.of(board.cpu)
    template = jinja2.Template((FIRMWARE / target.script).read_text(), keep_trailing_newline=True)
    script.write_text(template.render(board=board))
    includes = [f"-I{MICROCONTROLLER / 'include'}", f"-I{FIRMWARE}"]
    compiling = [*COMPILE, *target.library_options, *includes, *options]
    # Not by -Wl: it splits at commas.
    linking = [*LINK, "-T", script, "-Xlinker", f"-Map={elf.with_suffix('.map')}", "-o", elf]
    libraries = _flags_of_libraries(board)
    try:
        with disk.temporary_folder() as folder:
            if libraries != board.flags:
                sources = _compile(sources, [*board.flags, *compiling], target, folder)
            said = tool(
                *("gcc", *libraries, *compiling, *sources, *linking),
                check=lambda text: _check_fit(board, text),
                target=target,
            )
        return _memory_usage(said)
    except RuntimeError as error:
        if board in boards.all():
            raise
        raise UserError(
            f"The compiler refuses the board {board.name}: {first_error(str(error))}. "
            "Check the `cpu`, the `flags` and the addresses in its description."
        ) from error


def _flags_of_libraries(board: Board) -> tuple[str, ...]:
    """The flags by which GCC finds its libraries: RISC-V's are made for few sets of extensions."""
    return tuple(re.sub(r"^(-march=rv[a-z0-9]+)_.*", r"\1", flag) for flag in board.flags)


def _compile(sources: Sequence[Path], flags: list, target: Target, folder: Path) -> list[Path]:
    """The sources as objects in `folder`; what is no C file stays."""
    result = []
    for number, source in enumerate(sources):
        result.append(source)
        if Path(source).suffix == ".c":
            result[-1] = folder / f"{number}.o"
            tool("gcc", *flags, "-c", source, "-o", result[-1], target=target)
    return result


def tool(
    name: str,
    *arguments: str | Path,
    check=lambda output: None,
    target: Target = ARM,
) -> str:
    """Run one of the GNU tools, and return all that it prints.

    Args:
        name: "gcc", "objcopy", ...
        arguments: As on its command line.
        check: Called with the output before anything else is made of a failure.
        target: Whose tool it is.

    Raises:
        UserError: It is not installed, or the disk is full.
        RuntimeError: It fails.
    """
    command = [target.prefix + name, *map(str, arguments)]
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, "LC_ALL": "C"},
        )
    except FileNotFoundError as error:
        raise UserError(
            f"{command[0]} was not found. Install the compiler (apt install {target.packages})."
        ) from error
    check(done.stdout)
    if done.returncode != 0 and re.search(target.library_missing, done.stdout):
        raise UserError(
            f"The C library {target.library} was not found (apt install {target.packages})."
        )
    if done.returncode != 0:
        if refusal := disk.refusal_in(done.stdout):
            raise UserError(
                f"The compiler cannot write: {refusal}. Make room there; its temporary files go "
                "where the variable TMPDIR says."
            )
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}")
    return done.stdout


def first_error(output: str) -> str:
    """What the compiler or the linker said first of what is wrong."""
    said = re.search(r"(?:error: |/ld: )(?!warning)(.*)", output, re.IGNORECASE)
    return (said[1] if said else output.strip().splitlines()[-1]).rstrip(".")


def _memory_usage(output: str) -> tuple[int, int]:
    """The figures of ld's --print-memory-usage, which it prints even where they are too large."""
    used = dict(re.findall(r"^\s*(FLASH|RAM):\s+(\d+ [KMG]?B)", output, re.MULTILINE))
    if len(used) != 2:
        raise RuntimeError(f"error: nothing was linked\n{output}")
    sizes = {region: text.split() for region, text in used.items()}
    flash, ram = (int(sizes[key][0]) * _UNITS[sizes[key][1]] for key in ("FLASH", "RAM"))
    return flash, ram


def _check_fit(board: Board, output: str) -> None:
    if "constants beyond 64 KB" in output:
        raise UserError(
            f"The model does not fit {board.name}: its kernels read the first 64 KB of the flash, "
            "and its constants are more. Take another board or a smaller model."
        )
    if re.search(r"region `(FLASH|RAM)' overflowed", output) is None:
        return
    flash, ram = _memory_usage(output)
    raise does_not_fit(board, flash, ram)


def does_not_fit(board: Board, flash: int, ram: int) -> UserError:
    """The refusal of what needs more `flash` or `ram` than the board has."""
    return UserError(
        f"The model does not fit {board.name}: it needs {flash} bytes of flash, of which there "
        f"are {board.flash.size}, and {ram} bytes of RAM, of which there are {board.ram.size}. "
        "Take a larger board or a smaller model."
    )
