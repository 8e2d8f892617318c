"""What runs where no pointer reaches the flash: the kernels that read their constants by LPM."""

from collections.abc import Sequence
from dataclasses import replace

from keras_bc.deploy.call import Call
from keras_bc.deploy.kernels import Variant, source
from keras_bc.errors import UserError

GUARD = "KBC_HAS_LPM"
"""Of the kernels that read constants there."""

SUFFIX = "_lpm"
"""Of functions that do so, beside their twins that read by pointers."""

LARGEST = 32767
"""Bytes of an array: in avr-gcc an int has 16 bits."""


def kernels_for(rows: Sequence[Variant], call: Call, cpu: str) -> tuple[list[Variant], Call]:
    """Of the kernels of a call with constants those that can read them, and the call for them.

    Raises:
        UserError: There are none, or a constant is too large.
    """
    rows = [row for row in rows if row.guard == GUARD]
    functions = {key: f"{name}{SUFFIX}" for key, name in call.functions.items()}
    if not rows or not all(source(name).exists() for name in functions.values()):
        raise UserError(
            f"`{call.op.name}` ({call.op.kind}) does not run on {cpu} yet, whose flash is no "
            "memory that a pointer reaches: there are fully connected layers with one-bit "
            "weights, and what has no constants. Take a board with another CPU."
        )
    for field, data in call.constants.items():
        if data.nbytes > LARGEST:
            raise UserError(
                f"`{call.op.name}` has {data.nbytes} bytes of {field}, and the compiler for {cpu} "
                f"takes {LARGEST} at most. Make it smaller, or take another board."
            )
    return rows, replace(call, functions=functions)
