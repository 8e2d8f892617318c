"""The command line that runs a program on a simulated AVR: simavr, in a program of ours."""

from collections.abc import Sequence
from pathlib import Path

from keras_bc.deploy import toolchain
from keras_bc.deploy.boards import MICROCONTROLLER, Board
from keras_bc.deploy.host_program import compiled
from keras_bc.deploy.targets import AVR

SOURCE = MICROCONTROLLER / "emulation" / "run_avr.c"


def command(
    elf: Path, board: Board, arguments: Sequence[str], folder: Path, counts: Path | None
) -> list[str]:
    """What to execute.

    Args:
        elf: Linked for `board`.
        board: Its `emulator` is simavr's name of the chip.
        arguments: The words of the program's command line.
        folder: For a file that must stay while the program runs.
        counts: Gets the cycles of each timed interval.

    Raises:
        UserError: There is no C compiler for this machine, or simavr's library is missing.
    """
    program = compiled(
        SOURCE,
        "",
        ["-std=c99", "-O2"],
        "Emulating an AVR",
        libraries=["-lsimavr", "-lm"],
        package=AVR.emulator_package,
    )
    image = folder / "image.bin"
    toolchain.tool("objcopy", "-O", "binary", elf, image, target=AVR)
    return [str(program), board.emulator, str(image), str(counts or ""), *arguments]
