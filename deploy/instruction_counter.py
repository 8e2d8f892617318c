"""The QEMU plugin that counts instructions, compiled on first use."""

from pathlib import Path

from keras_bc.deploy.boards import MICROCONTROLLER
from keras_bc.deploy.host_program import compiled

SOURCE = MICROCONTROLLER / "emulation" / "count_instructions.c"


def plugin() -> Path:
    """The plugin's shared library, in the user's cache folder.

    Returns:
        A file for QEMU's option `-plugin FILE,out=COUNTS`.

    Raises:
        UserError: There is no C compiler for this machine.
    """
    options = ["-shared", "-fPIC", "-O2", "-fvisibility=hidden"]
    return compiled(SOURCE, ".so", options, "Counting instructions")
