"""Names, numbers and initialisers as C99 spells them."""

import ctypes
import re
from collections.abc import Iterable

import numpy as np

from keras_bc.errors import UserError

WIDTH = 100

_HEADERS = (
    *("assert", "complex", "ctype", "errno", "fenv", "float", "inttypes", "iso646", "limits"),
    *("locale", "math", "setjmp", "signal", "stdalign", "stdarg", "stdatomic", "stdbool"),
    *("stddef", "stdint", "stdio", "stdlib", "stdnoreturn", "string", "tgmath", "threads", "time"),
    *("uchar", "wchar", "wctype"),
    # Not C's own, but read by those of the libraries of GCC's tool chains.
    *("alloca", "endian", "features", "malloc", "memory", "newlib", "strings", "unistd"),
)
"""A model's header of the same name would be taken for them."""


def check_namespace(namespace: str) -> None:
    """Stop where `namespace` cannot be the prefix of a model's files, functions and constants.

    Raises:
        UserError: It is no lower-case identifier of at most 40 characters, begins with kbc, or is
            the name of one of C's own headers.
    """
    if not re.fullmatch(r"(?!kbc)[a-z][a-z0-9_]{0,39}", namespace):
        raise UserError(
            f"`{namespace}` cannot be the prefix of C functions; expected at most 40 lower-case "
            "letters, digits and underscores, a letter first, and not kbc, which is the library's."
        )
    if namespace in _HEADERS:
        raise UserError(
            f"`{namespace}` cannot be a model's prefix: its header would be taken for C's own "
            f"<{namespace}.h>. Give another one."
        )


def identifiers(names: Iterable[str]) -> list[str]:
    """An identifier for each name, in lower case, no two alike."""
    taken: dict[str, int] = {}
    result = []
    for name in names:
        text = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        if not text or text[0].isdigit() or text.startswith("kbc_"):
            text = f"layer_{text}".rstrip("_")
        while text in taken:
            taken[text] += 1
            text = f"{text}_{taken[text]}"
        taken[text] = 1
        result.append(text)
    return result


def comment(text: str) -> str:
    """Text that can neither end a comment nor run on into the next line."""
    return re.sub(r"[^\w .,:;+\-()\[\]<>=]", "_", text, flags=re.ASCII)


def channels(data: np.ndarray) -> str:
    """The initialisers of an array of structs of numbers, from `[n, fields]`."""
    spell = {"float32": _float, "uint32": "0x{:08x}".format}.get(str(data.dtype), str)
    return _lines(f"{{{', '.join(map(spell, row))}}}" for row in data.tolist())


def numbers(data: np.ndarray) -> tuple[str, str]:
    """The element type and the initialisers of an array.

    Words of bits are hexadecimal; floats are too, which is exact.
    """
    values = data.ravel()
    if data.dtype == np.float32:
        return "float", _lines(_float(value) for value in values.tolist())
    if data.dtype in (np.int32, np.uint32):
        return "uint32_t", _lines(f"0x{word:08x}" for word in values.view(np.uint32).tolist())
    return f"{data.dtype}_t", _lines(map(str, values.tolist()))


def struct(params: ctypes.Structure, names: dict[str, str], indent: int = 4) -> str:
    """The designated initialisers of a struct; its pointers have the names of what they point to.

    Args:
        params: Of kbc.h, as in `native`.
        names: Of each pointer by its field, in structs within it too.
        indent: Of a line.
    """
    return _lines((_field(params, *field[:2], names, indent) for field in params._fields_), indent)


def call(function: str, arguments: list[str], indent: int = 4) -> str:
    """A call, on one line where that is short enough."""
    line = f"{function}({', '.join(arguments)});"
    if indent + len("status = ") + len(line) <= WIDTH:
        return line
    return f"{function}(\n{_lines(arguments, indent + 4).rstrip(',')});"


def _field(params: ctypes.Structure, name: str, kind: type, names: dict, indent: int) -> str:
    if issubclass(kind, ctypes.c_void_p):
        return f".{name} = {names[name]}"
    value = getattr(params, name)
    if not isinstance(value, ctypes.Structure):
        return f".{name} = {_float(value) if isinstance(value, float) else value}"
    inner = struct(value, names, indent + 4)
    if "\n" not in inner:
        return f".{name} = {{{inner.strip().rstrip(',')}}}"
    return f".{name} = {{\n{inner}\n{' ' * indent}}}"


def _float(value: float) -> str:
    mantissa, exponent = value.hex().split("p")
    return f"{mantissa.rstrip('0').rstrip('.')}p{exponent}f"


def _lines(items: Iterable[str], indent: int = 4) -> str:
    """Items with commas, as many to a line as fit; one of several lines stands alone."""
    lines = [""]
    for item in items:
        line = f"{lines[-1]} {item},".lstrip()
        if lines[-1] and ("\n" in lines[-1] + item or indent + len(line) > WIDTH):
            lines.append(f"{item},")
        else:
            lines[-1] = line
    return "\n".join(" " * indent + line for line in lines)
