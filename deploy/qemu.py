"""Execute a program on an emulated board, with QEMU or, if it is an AVR, with simavr."""

import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from keras_bc.deploy import disk, simavr, targets
from keras_bc.deploy.boards import Board
from keras_bc.deploy.instruction_counter import plugin
from keras_bc.errors import UserError

_POLL = 0.05  # seconds between two looks at the progress
_COUNTS = "instructions.txt"


@dataclass
class Execution:
    """What a program printed and took.

    Attributes:
        text: What it printed.
        intervals: The instructions, on AVR cycles, of each timed interval.
        loads: The registers that were loaded from memory in each; none on AVR.
    """

    text: str
    intervals: list[int]
    loads: list[int]


def execute(
    elf: Path,
    board: Board,
    arguments: Sequence[str] = (),
    folder: Path | None = None,
    count: bool = False,
    patience: float = 60.0,
    progress: Callable[[], int] = lambda: 0,
) -> Execution:
    """Run a program until it ends.

    Args:
        elf: Linked for `board`, with semihosting.
        board: One that QEMU emulates.
        arguments: The words of the program's command line.
        folder: Where the program reads and writes its files; by default a temporary folder.
        count: Count the instructions and loads, on AVR the cycles, between `KBC_STOPWATCH_START`
            and `_STOP`, exactly.
        patience: Seconds without progress after which the program counts as hanging.
        progress: Asked now and then; progress is when its answer changes.

    Raises:
        UserError: The emulator is missing or does not know the board, or the program fails or
            hangs.
    """
    with disk.temporary_folder() as temporary:
        # Semihosting's files are relative to QEMU's working directory, so no name needs quoting.
        folder = folder or temporary
        printed = temporary / "printed.txt"
        counts = temporary / _COUNTS
        line = _line(elf, board, arguments, temporary, counts if count else None)
        with printed.open("wb") as output, start(line, folder, output) as process:
            _wait(process, board, patience, progress)
        text = printed.read_text(errors="replace")
        _check(process.returncode, board, text)
        # What follows the last line's end is half a line, of a disk that got full.
        lines = counts.read_text().split("\n")[:-1] if count else []
        columns = zip(*([int(n) for n in line.split()] for line in lines), strict=True)
        intervals, loads, *_ = (*map(list, columns), [], [])
        return Execution(text=text, intervals=intervals, loads=loads)


def _line(
    elf: Path, board: Board, arguments: Sequence[str], folder: Path, counts: Path | None
) -> list[str]:
    if board.emulator and targets.of(board.cpu) == targets.AVR:
        return simavr.command(elf, board, arguments, folder, counts)
    line = [*command(board, arguments), "-kernel", str(elf.resolve())]
    if counts:
        line += ["-plugin", f"{_quoted(plugin())},out={_quoted(counts)}"]
    return line


def command(board: Board, arguments: Sequence[str] = ()) -> list[str]:
    """QEMU's command line for `board`, without a program in its memory.

    Raises:
        UserError: QEMU has no such board.
    """
    if board.emulator is None:
        raise UserError(f"The board {board.name} has no emulator: its board.toml names none.")
    words = "".join(f",arg={_quoted(word)}" for word in arguments)
    return [
        *(targets.of(board.cpu).emulator, "-machine", board.emulator, *board.emulator_options),
        *("-display", "none", "-monitor", "none", "-serial", "none"),
        *("-semihosting-config", f"enable=on,target=native{words}"),
    ]


def start(line: Sequence[str], folder: Path, output) -> subprocess.Popen:
    """Start QEMU in `folder`; what it and the program print goes to the file `output`.

    Raises:
        UserError: QEMU is not installed.
    """
    try:
        return subprocess.Popen(
            line, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    except FileNotFoundError as error:
        packages = {family.emulator: family.emulator_package for family in targets.ALL}
        raise UserError(
            f"{line[0]} was not found. Install the emulator (apt install {packages[line[0]]})."
        ) from error


def _quoted(value: str | Path) -> str:
    return str(value).replace(",", ",,")  # a comma separates QEMU's options


def _wait(
    process: subprocess.Popen, board: Board, patience: float, progress: Callable[[], int]
) -> None:
    """Wait for the end; kill a program that hangs, or that nobody waits for any more."""
    seen, since = progress(), time.monotonic()
    try:
        while process.poll() is None:
            if progress() != seen:
                seen, since = progress(), time.monotonic()
            if time.monotonic() - since > patience:
                raise UserError(f"The program hangs on {board.name}: nothing in {patience:g} s.")
            try:
                process.wait(_POLL)
            except subprocess.TimeoutExpired:
                continue
    finally:
        process.kill()
    progress()


def _check(code: int, board: Board, text: str) -> None:
    if code == 0:
        return
    # What firmware/ reports of itself, or QEMU of its command line and of a core that locks up.
    said = re.search(r"error: (.*)", text) or re.search(r"qemu[\w-]*: (.*)", text)
    silent = "" if text else " and not a word (is the disk full?)"
    reason = said[1].rstrip(".") if said else f"exit code {code}{silent}"
    if "stack overflow" in reason:
        reason += f". Give it more than {board.stack} bytes by the key `stack` of the board.toml"
    raise UserError(f"The program failed on {board.name}: {reason}.")
