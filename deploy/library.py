"""The part of the C library that a model calls, as files to compile beside it.

A source of microcontroller/src is named after the function that it defines: kbc_finish_s8 stands in
finish_s8.c. What a source mentions, by that name or by an #include, belongs to it.
"""

import re
import shutil
from pathlib import Path

from keras_bc.deploy.kernels import INCLUDE, SOURCES
from keras_bc.deploy.plan import Plan

FOLDER = "kbc"
"""Where a model's sources look for the library: `#include "kbc/kbc.h"`."""

HEADERS = ("kbc.h", "kbc_port.h")
"""Of the folder of public headers: the others are for other programs than a model's."""

ALWAYS = ("kbc_quantize",)
"""Functions that the macros in every model's header call."""

_MENTIONS = re.compile(r'"(\w+\.h)"|\bkbc_(\w+)')


def functions(plan: Plan) -> set[str]:
    """The functions of the library that a model names."""
    named = {name for layer in plan.layers for name in layer.call.functions.values()}
    return named | {layer.kernel.function for layer in plan.layers}


def sources(plan: Plan) -> list[Path]:
    """The sources and private headers of the functions that a model calls, and no others."""
    found: set[Path] = set()
    waiting = [_source(name) for name in (*sorted(functions(plan)), *ALWAYS)]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for header, function in _MENTIONS.findall(path.read_text(encoding="utf-8")):
            mentioned = SOURCES / (header or f"{function}.c")
            if mentioned.exists():
                waiting.append(mentioned)
    return sorted(found)


def copy(plan: Plan, folder: Path) -> list[Path]:
    """Write the library that a model needs into `folder`/kbc, and give its files.

    With the model's own sources they compile as they stand: cc -IFOLDER FOLDER/*.c FOLDER/kbc/*.c
    """
    target = folder / FOLDER
    target.mkdir()
    files = [INCLUDE / FOLDER / name for name in HEADERS] + sources(plan)
    return [Path(shutil.copyfile(path, target / path.name)) for path in files]


def _source(function: str) -> Path:
    path = SOURCES / f"{function.removeprefix('kbc_')}.c"
    if not path.exists():
        raise RuntimeError(f"{function} does not stand in {path}, where the library has it.")
    return path
