"""The boards that a model can be built for: one folder each, described by its board.toml.

title = "BBC micro:bit, nRF51822, Cortex-M0"
cpu = "cortex-m0"                                  # chooses the kernels, and the architecture
flags = ["-mcpu=cortex-m0", "-mthumb"]             # for the compiler
flash = { origin = 0x00000000, size = 0x40000 }    # bytes
ram = { origin = 0x20000000, size = 0x4000 }
stack = 2048                                       # bytes of RAM; 1024 if left out
output = "semihosting"                             # how results leave the chip
emulator = "microbit"                              # QEMU's machine; left out where it has none
emulator_options = []                              # QEMU's further options; none if left out
flasher = "nrf51"                                  # pyOCD's target; left out without a probe
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from keras_bc.errors import UserError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MICROCONTROLLER = Path(__file__).resolve().parents[1] / "microcontroller"
"""The C sources: beside this package in a checkout and in a wheel alike."""


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
    emulator_options: tuple[str, ...] = ()
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
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"Cannot read the board {path}: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path} is not TOML: {error}.") from error
    _check(path, values)
    name = path.resolve().parent.name if path.name == "board.toml" else path.stem
    memories = {key: Memory(**values[key]) for key in ("flash", "ram")}
    lists = {key: tuple(values.get(key, ())) for key in ("flags", "emulator_options")}
    return Board(**{**values, **memories, **lists, "name": name})


def _check(path: Path, values: dict) -> None:
    for key in _REQUIRED - values.keys():
        raise UserError(f"{path} lacks the key `{key}`. It needs {', '.join(sorted(_REQUIRED))}.")
    for key, value in values.items():
        if key not in _KEYS:
            raise UserError(f"{path} has the unknown key `{key}`. Keys are {', '.join(_KEYS)}.")
        valid, expected = _KEYS[key]
        if not valid(value):
            raise UserError(f"{path}: `{key}` is {value!r}, expected {expected}.")


def _is_text(value) -> bool:
    return isinstance(value, str)


def _is_size(value) -> bool:
    return type(value) is int and value > 0 and value % 8 == 0


def _are_texts(value) -> bool:
    return isinstance(value, list) and {type(flag) for flag in value} <= {str}


def _memory(alignment: int):
    def is_memory(value) -> bool:
        return (
            isinstance(value, dict)
            and value.keys() == {"origin", "size"}
            and type(value["origin"]) is int
            and value["origin"] >= 0
            and value["origin"] % alignment == 0
            and _is_size(value["size"])
            and value["origin"] + value["size"] <= 1 << 32
        )

    return is_memory, (
        f"{{ origin = ADDRESS, size = BYTES }} within 4 GB, the origin a multiple of {alignment} "
        "and the size of 8"
    )


_TEXT = _is_text, "a text"
_KEYS = {
    "title": _TEXT,
    "cpu": _TEXT,
    "flags": (_are_texts, "a list of the compiler's flags"),
    "flash": _memory(128),  # the vector table's alignment
    "ram": _memory(8),
    "stack": (_is_size, "bytes, a multiple of 8"),
    "output": (lambda value: value == "semihosting", '"semihosting"'),
    "emulator": _TEXT,
    "emulator_options": (_are_texts, "a list of QEMU's options"),
    "flasher": _TEXT,
}
_REQUIRED = _KEYS.keys() - {"stack", "emulator", "emulator_options", "flasher"}
