"""The boards that a model can be built for: one folder each, described by its board.toml.

title = "BBC micro:bit, nRF51822, Cortex-M0"
cpu = "cortex-m0"                                  # chooses the kernels
flags = ["-mcpu=cortex-m0", "-mthumb"]             # for the compiler
flash = { origin = 0x00000000, size = 0x40000 }    # bytes
ram = { origin = 0x20000000, size = 0x4000 }
stack = 2048                                       # bytes of RAM; 1024 if left out
output = "semihosting"                             # how results leave the chip
emulator = "microbit"                              # QEMU's machine; left out where it has none
flasher = "nrf51"                                  # pyOCD's target; left out without a probe
"""

import sys
from dataclasses import MISSING, dataclass, fields
from pathlib import Path

from keras_bc.errors import UserError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MICROCONTROLLER = Path(__file__).resolve().parents[1] / "microcontroller"
"""The C sources: beside this package in a checkout and in a wheel alike."""

OUTPUTS = ("semihosting",)


@dataclass(frozen=True)
class Memory:
    """A region of addresses: its first one, and its size in bytes."""

    origin: int
    size: int


@dataclass(frozen=True)
class Board:
    """What the firmware, the emulator and the flasher need to know; see the module's example."""

    name: str
    title: str
    cpu: str
    flags: tuple[str, ...]
    flash: Memory
    ram: Memory
    output: str
    stack: int = 1024
    emulator: str | None = None
    flasher: str | None = None


def all() -> list[Board]:
    """The boards that come with keras_bc, by name."""
    return [_read(path) for path in sorted((MICROCONTROLLER / "boards").glob("*/board.toml"))]


def find(name: str) -> Board:
    """The board called `name`, or the one that a board.toml of your own describes.

    Args:
        name: A board's name, or the path of a file that ends in `.toml`.

    Raises:
        UserError: There is no such board, or its description is wrong.
    """
    if name.endswith(".toml"):
        return _read(Path(name))
    boards = {board.name: board for board in all()}
    if name not in boards:
        raise UserError(
            f"Unknown board {name!r}. There are {', '.join(boards)}; "
            "give the path of a board.toml for a board of your own."
        )
    return boards[name]


def _read(path: Path) -> Board:
    try:
        values = tomllib.loads(path.read_text())
    except OSError as error:
        raise UserError(f"Cannot read the board {path}: {error.strerror}.") from error
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path} is not TOML: {error}.") from error
    return _board(path, values)


def _board(path: Path, values: dict) -> Board:
    keys = {key.name: key.default is MISSING for key in fields(Board) if key.name != "name"}
    unknown = sorted(values.keys() - keys.keys())
    missing = [key for key, required in keys.items() if required and key not in values]
    if unknown or missing:
        wrong = f"lacks {missing[0]!r}" if missing else f"has an unknown key {unknown[0]!r}"
        raise UserError(f"{path} {wrong}. Its keys are {', '.join(keys)}.")
    if values["output"] not in OUTPUTS:
        raise UserError(f"{path}: output is {values['output']!r}, expected one of {OUTPUTS}.")
    memories = {key: _memory(path, key, values[key]) for key in ("flash", "ram")}
    return Board(
        **{
            **values,
            **memories,
            "name": path.resolve().parent.name,
            "flags": tuple(values["flags"]),
        }
    )


def _memory(path: Path, key: str, value) -> Memory:
    try:
        return Memory(origin=int(value["origin"]), size=int(value["size"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path}: {key} is {value!r}, expected {{ origin = ADDRESS, size = BYTES }}."
        ) from error
