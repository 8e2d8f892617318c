"""Load a firmware into a board's flash, verify it by reading it back, and start it.

Two ways: pyOCD drives the board's debug probe, or GDB talks to any server of its remote protocol
(OpenOCD, J-Link, QEMU). Both are run as commands, which `--dry-run` shows.
"""

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from keras_bc.deploy.boards import Board
from keras_bc.deploy.firmware import Firmware
from keras_bc.errors import UserError

GDBS = ("gdb-multiarch", "arm-none-eabi-gdb")
READ_BACK = "flash.bin"

_TIMEOUT = 300  # seconds for one command: slow probes write 10 KB a second


@dataclass(frozen=True)
class Loader:
    """A way to load.

    Attributes:
        program: The command that writes the flash, and reads it back into the file READ_BACK.
        start: The command that starts the program.
        explain: From what a failed command printed to what the user can do.
    """

    program: list[str]
    start: list[str]
    explain: Callable[[str], str]


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
        UserError: No probe or server answers, a tool is missing, or the flash differs from what
            was written.
    """
    image = firmware.elf.with_suffix(".bin")
    size = image.stat().st_size
    elf = firmware.elf.resolve()
    loader = _gdb(elf, size, board, gdb) if gdb is not None else _pyocd(elf, size, board)
    if not dry_run:
        with tempfile.TemporaryDirectory(prefix="keras_bc-") as folder:
            _run(loader, loader.program, folder)
            _verify(Path(folder) / READ_BACK, image.read_bytes(), board)
            _run(loader, loader.start, folder)
    return [shlex.join(loader.program), shlex.join(loader.start)]


def _pyocd(elf: Path, size: int, board: Board) -> Loader:
    if board.flasher is None:
        raise UserError(
            f"The board {board.name} has no debug probe that pyOCD knows. "
            "Name a GDB server with --gdb HOST:PORT."
        )
    pyocd = [sys.executable, "-m", "pyocd", "commander", "--no-wait", "--target", board.flasher]
    origin = f"{board.flash.origin:#x}"
    program = [f"load {shlex.quote(str(elf))}", f"savemem {origin} {size} {READ_BACK}"]
    return Loader(
        program=[*pyocd, *_each("--command", program)],
        start=[*pyocd, "--command", "reset"],
        explain=lambda output: _explain_pyocd(output, board),
    )


def _gdb(elf: Path, size: int, board: Board, server: str) -> Loader:
    if not re.fullmatch(r"[^\s:]*:\d+|\[[0-9a-fA-F:]+\]:\d+", server):
        raise UserError(f"The GDB server is {server!r}, expected HOST:PORT.")
    connect = ["set tcp connect-timeout 5", "set remotetimeout 10", f"target remote {server}"]
    origin = board.flash.origin
    program = [*connect, "load", f"dump binary memory {READ_BACK} {origin:#x} {origin + size:#x}"]
    # What a reset does, for which no command is common to all servers. Bit 24 says Thumb.
    start = [
        *connect,
        "set $xpsr = 0x01000000",
        f"set $sp = *(unsigned *) {origin:#x}",
        f"set $pc = *(unsigned *) {origin + 4:#x} & ~1",
    ]
    gdb = [_find_gdb(), "--nx", "--batch", str(elf)]
    return Loader(
        program=[*gdb, *_each("-ex", [*program, "disconnect"])],
        start=[*gdb, *_each("-ex", [*start, "detach"])],
        explain=lambda output: f"the GDB server {server} gave no answer, or a wrong one: {output}",
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


def _run(loader: Loader, command: list[str], folder: str) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIMEOUT,
        )
    except subprocess.TimeoutExpired as error:
        raise UserError(f"Cannot load the board: no end after {_TIMEOUT} s.") from error
    # GDB goes on after an error, with the file in place of the target, and may end with 0.
    if done.returncode != 0 or "when your target is" in done.stdout:
        lines = done.stdout.strip().splitlines() or [f"exit code {done.returncode}"]
        raise UserError(f"Cannot load the board: {loader.explain(_first_error(lines))}.")


def _first_error(lines: list[str]) -> str:
    """The first line that does not merely report progress."""
    for line in lines:
        if re.search(r"no |not |fail|error|refused|timed out|cannot", line, re.IGNORECASE):
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
