"""Small bare-metal programs, for the tests of what builds and executes them."""

from pathlib import Path

from keras_bc.deploy import targets, toolchain
from keras_bc.deploy.boards import Board

STRICT = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]


def link(code: str, board: Board, folder: Path) -> Path:
    """Build a program from the source of its `main`."""
    source = folder / "main.c"
    source.write_text(code)
    elf = folder / f"{board.name}.elf"
    toolchain.link([source, *toolchain.STARTUP], board, elf, STRICT)
    return elf


def kernels_for(target: targets.Target) -> list[Path]:
    """The library's sources, but for AVR those of convolutions, which no model calls there."""
    others = ("conv", "finish_band") if target.flash_apart else ()
    return [path for path in toolchain.KERNELS if not path.stem.startswith(others)]
