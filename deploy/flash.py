"""Load a firmware into a board's flash, verify it by reading it back, and start it.

Two ways: pyOCD drives the board's debug probe, or GDB talks to any server of its remote protocol
(OpenOCD, J-Link, QEMU). Both are run as commands, which `--dry-run` shows. The program then waits
for a debugger that serves its semihosting (see firmware/startup.c).
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from keras_bc.deploy import disk, targets
from keras_bc.deploy.boards import Board
from keras_bc.deploy.firmware import ELF, Firmware
from keras_bc.errors import UserError

GDBS = ("gdb-multiarch", "arm-none-eabi-gdb")
READ_BACK = "flash.bin"

_CONNECTED = "The server has answered."
_TIMEOUT_CONNECT = 12  # seconds until a server has answered
_TIMEOUT = 300  # seconds for one command: slow probes write 10 KB a second


@dataclass(frozen=True)
class Loader:
    """A way to load.

    Attributes:
        program: The command that writes the flash, and reads it back into the file READ_BACK.
        start: The command that starts the program.
        explain: From what a failed command printed to what the user can do.
        connected: What a command prints within _TIMEOUT_CONNECT if somebody answers.
    """

    program: list[str]
    start: list[str]
    explain: Callable[[str], str]
    connected: str = ""


def flash(
    firmware: Firmware, board: Board, gdb: str | None = None, dry_run: bool = False
) -> list[str]:
    """Load `firmware` into `board` and start it.

    Args:
        firmware: Built for `board`.
        board: Its `flasher` names pyOCD's target.
        gdb: "HOST:PORT" of a GDB server to use instead of pyOCD. The target must be halted when
            GDB connects, as servers see to.
        dry_run: Load nothing.

    Returns:
        The commands, as a shell would take them.

    Raises:
        UserError: No probe or server answers, a tool is missing, the flash differs from what was
            written, or the disk is full; or it is an AVR, whose harness serves the simulator.
    """
    if not targets.of(board.cpu).start:
        raise UserError(
            f"{board.name} is an AVR: neither pyOCD nor GDB writes its flash, and the program that "
            "feeds samples runs in the simulator alone. Compile the C sources beside "
            f"{firmware.elf} with your own program, and load that with avrdude."
        )
    image = firmware.elf.with_suffix(".bin").read_bytes()

    def loader_of(elf: str) -> Loader:
        if gdb is not None:
            return _gdb(elf, len(image), board, gdb)
        return _pyocd(elf, len(image), board)

    shown = loader_of(str(firmware.elf.resolve()))
    if not dry_run:
        loader = loader_of(ELF)
        with disk.temporary_folder() as folder:
            shutil.copyfile(firmware.elf, folder / ELF)
            _run(loader, loader.program, folder)
            _verify(folder / READ_BACK, image, board)
            _run(loader, loader.start, folder)
    return [shlex.join(shown.program), shlex.join(shown.start)]


def _pyocd(elf: str, size: int, board: Board) -> Loader:
    if board.flasher is None:
        raise UserError(
            f"The board {board.name} has no debug probe that pyOCD knows. "
            "Name a GDB server with --gdb HOST:PORT."
        )
    pyocd = [sys.executable, "-m", "pyocd", "commander", "--no-wait", "--target", board.flasher]
    origin = f"{board.flash.origin:#x}"
    # pyOCD splits words by rules of its own: within double quotes it honours a backslash.
    quoted = re.sub(r'(["\\])', r"\\\1", elf)
    program = [f'load "{quoted}"', f"savemem {origin} {size} {READ_BACK}"]
    return Loader(
        program=[*pyocd, *_each("--command", program)],
        start=[*pyocd, "--command", "reset"],
        explain=lambda output: _explain_pyocd(output, board),
    )


def _gdb(elf: str, size: int, board: Board, server: str) -> Loader:
    if not re.fullmatch(r"[^\s:]*:\d+|\[[0-9a-fA-F:]+\]:\d+", server):
        raise UserError(f"The GDB server is {server!r}, expected HOST:PORT.")
    connect = [
        *("set tcp connect-timeout 5", "set remotetimeout 10"),
        *(f"target remote {server}", f"echo {_CONNECTED}\\n"),
    ]
    origin = board.flash.origin
    program = [*connect, "load", f"dump binary memory {READ_BACK} {origin:#x} {origin + size:#x}"]
    commands = targets.of(board.cpu).start
    start = [*connect, *(command.format(origin=origin) for command in commands)]
    gdb = [_find_gdb(), "--nx", "--batch", elf]
    return Loader(
        program=[*gdb, *_each("-ex", [*program, "disconnect"])],
        start=[*gdb, *_each("-ex", [*start, "detach"])],
        explain=lambda output: (
            f"the GDB server {server} gave no answer, or a wrong one: "
            f"{output.removeprefix(server + ': ')}. Start one (OpenOCD, pyocd gdbserver, ...), or "
            "look at its host and port"
        ),
        connected=_CONNECTED,
    )


def _find_gdb() -> str:
    for name in GDBS:
        if shutil.which(name):
            return name
    raise UserError(f"Neither {' nor '.join(GDBS)} was found (apt install gdb-multiarch).")


def _each(flag: str, values: list[str]) -> list[str]:
    return [word for value in values for word in (flag, value)]


def _explain_pyocd(output: str, board: Board) -> str:
    if "No connected debug probes" in output:
        return "no debug probe is connected. Plug the board in, or use --gdb HOST:PORT"
    if "not recognized" in output:
        return f"pyOCD lacks the target. Get it with `pyocd pack install {board.flasher}`"
    return f"pyOCD answered: {output}"


def _run(loader: Loader, command: list[str], folder: Path) -> None:
    with subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            output = _output(loader, process)
        finally:
            process.kill()
    # GDB goes on after an error, with the file in place of the target, and may end with 0.
    if process.returncode != 0 or "when your target is" in output:
        lines = output.strip().splitlines() or [f"exit code {process.returncode}"]
        raise UserError(f"Cannot load the board: {loader.explain(_first_error(lines))}.")


def _output(loader: Loader, process: subprocess.Popen) -> str:
    try:
        output, _ = process.communicate(timeout=_TIMEOUT_CONNECT)
    except subprocess.TimeoutExpired as so_far:
        if loader.connected.encode() not in (so_far.output or b""):
            silence = f"nothing in {_TIMEOUT_CONNECT} s"
            raise UserError(f"Cannot load the board: {loader.explain(silence)}.") from so_far
        try:
            output, _ = process.communicate(timeout=_TIMEOUT)
        except subprocess.TimeoutExpired as error:
            raise UserError(f"Cannot load the board: no end after {_TIMEOUT} s.") from error
    return output.decode(errors="replace")


_TROUBLE = re.compile(
    r"no |not |fail|error|refused|timed out|can't|cannot|closed|unreachable|unexpected",
    re.IGNORECASE,
)


def _first_error(lines: list[str]) -> str:
    """The first line that does not merely report progress."""
    for line in lines:
        if _TROUBLE.search(line):
            return line.strip().rstrip(".")
    return lines[-1].strip().rstrip(".")


def _verify(read_back: Path, image: bytes, board: Board) -> None:
    data = read_back.read_bytes() if read_back.exists() else b""
    if data == image:
        return
    same = 0
    while same < len(data) and data[same] == image[same]:
        same += 1
    raise UserError(
        f"The flash of {board.name} differs from what was written, first at address "
        f"{board.flash.origin + same:#x}. Check the board's name and power, and try again."
    )
