"""The kernel table of the C library (microcontroller/src/kernels.def), read."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from keras_bc.deploy.boards import MICROCONTROLLER

SOURCES = MICROCONTROLLER / "src"
INCLUDE = MICROCONTROLLER / "include"
TABLE = SOURCES / "kernels.def"

_ROW = re.compile(r"^KBC_KERNEL\((\w+), *(\w+), *(\w+), *(.+)\)$", re.MULTILINE)


@dataclass(frozen=True)
class Variant:
    """A row of the table: one way to compute an op.

    Attributes:
        op: The kernel without its variant, such as "fully_connected_s8".
        name: "reference", or what makes it special.
        layout: How it wants its weights; a key of `layouts.LAYOUTS`.
        guard: A C preprocessor expression, true on the CPUs that can run it.
    """

    op: str
    name: str
    layout: str
    guard: str

    @property
    def function(self) -> str:
        """The C function's name; its twin `<function>_scratch` gives its bytes of scratch."""
        return f"kbc_{self.op}" if self.name == "reference" else f"kbc_{self.op}_{self.name}"


def source(function: str) -> Path:
    """Where a function of the library stands, if it has that."""
    return SOURCES / f"{function.removeprefix('kbc_')}.c"


@cache
def table() -> tuple[Variant, ...]:
    """All variants of all ops, in the order of the file."""
    return tuple(Variant(*row) for row in _ROW.findall(TABLE.read_text()))


def variants(op: str) -> list[Variant]:
    """The ways to compute an op: the reference first, the best last.

    Raises:
        KeyError: The table has no such op.
    """
    found = [row for row in table() if row.op == op]
    if not found:
        raise KeyError(op)
    return found
