"""Int8 builtins by Arm's CMSIS-NN on Cortex-M, where two variables name its headers and library.

The library is the user's own, built for the board's CPU; nothing of it is part of a model. Its
outputs may be one step from the interpreter's where a negative number lies halfway between two:
CMSIS-NN rounds it away from zero, LiteRT up.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from keras_bc.deploy import targets
from keras_bc.deploy.boards import Board
from keras_bc.deploy.call import Call
from keras_bc.deploy.kernels import Variant, source
from keras_bc.deploy.layer import Layer
from keras_bc.deploy.toolchain import first_error
from keras_bc.errors import UserError

INCLUDE, LIBRARY = "KERAS_BC_CMSIS_NN_INCLUDE", "KERAS_BC_CMSIS_NN_LIBRARY"
"""The folder of arm_nnfunctions.h, and the archive."""

NAME = "cmsis_nn"
"""Of the variant."""


@contextmanager
def linked(layers: Iterable[Layer], board: Board) -> Iterator[tuple[list[str], list[Path]]]:
    """GCC's options and the archives that a program with these layers needs, while it is linked.

    Raises:
        UserError: It cannot be linked with the user's archive.
    """
    if not any(layer.variant == NAME for layer in layers):
        yield [], []
        return
    include, archive = _paths()
    try:
        yield ["-DKBC_HAS_CMSIS_NN=1", f"-I{include}"], [archive]
    except RuntimeError as error:
        raise UserError(
            f"The program cannot be linked with {archive}: {first_error(str(error))}. Build "
            f"CMSIS-NN for {board.name} ({' '.join(board.flags)}), from the same sources as the "
            f"headers in {include}, or unset {LIBRARY} and {INCLUDE}."
        ) from error


def layer_for(call: Call, cpu: str) -> tuple[Variant, Call] | None:
    """How CMSIS-NN computes a call, where it can and is there.

    Args:
        call: Of a kernel.
        cpu: As the compiler names it; "any" takes portable kernels only.

    Raises:
        UserError: The variables name no such files, or only one of them is set.
    """
    variant = Variant(call.kernel, NAME, "canonical", "1")
    if cpu == "any" or targets.of(cpu) is not targets.ARM or not source(variant.function).exists():
        return None
    if not _paths() or not _is_plain(call):
        return None
    constants = dict(call.constants)
    if "channels" in constants:
        bias, multiplier, shift = constants["channels"].T
        constants["channels"] = np.concatenate([bias, multiplier, 31 - shift]).astype(np.int32)
    return variant, replace(call, constants=constants)


def _is_plain(call: Call) -> bool:
    """Whether it is none of what CMSIS-NN has no function for."""
    if call.kernel in ("int8_add", "int8_mul"):
        sizes = call.params.operands
        return sizes.a_size == sizes.b_size and getattr(call.params, "b_sign", 1) == 1
    return True


def _paths() -> tuple[Path, Path] | None:
    include, archive = (os.environ.get(name) for name in (INCLUDE, LIBRARY))
    if not include and not archive:
        return None
    if not include or not archive:
        raise UserError(
            f"CMSIS-NN needs both {INCLUDE}, the folder of arm_nnfunctions.h, and {LIBRARY}, the "
            "archive libcmsis-nn.a built for the board's CPU. Set the other one too, or none."
        )
    if not Path(include, "arm_nnfunctions.h").is_file():
        raise UserError(f"{INCLUDE} names {include}, where there is no arm_nnfunctions.h.")
    if not Path(archive).is_file():
        raise UserError(f"{LIBRARY} names {archive}, which is no file.")
    return Path(include).resolve(), Path(archive).resolve()
