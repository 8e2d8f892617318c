"""Small bare-metal programs, for the tests of what builds and executes them."""

from pathlib import Path

from keras_bc.deploy import toolchain
from keras_bc.deploy.boards import Board

STRICT = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]


def link(code: str, board: Board, folder: Path) -> Path:
    """Build a program from the source of its `main`."""
    source = folder / "main.c"
    source.write_text(code)
    elf = folder / f"{board.name}.elf"
    toolchain.link([source, *toolchain.STARTUP], board, elf, STRICT)
    return elf
