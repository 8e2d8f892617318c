"""Which CPU satisfies the guard of a kernel, as its compiler and kbc_port.h see it."""

import tempfile
from functools import cache
from pathlib import Path

from keras_bc.deploy.kernels import INCLUDE
from keras_bc.deploy.toolchain import tool


@cache
def holds(guard: str, cpu: str) -> bool:
    """Whether a guard of the kernel table is true on a CPU.

    The compiler is asked only about a guard that depends on the CPU, so that portable kernels
    need none.

    Args:
        guard: A preprocessor expression.
        cpu: As the compiler names it, such as "cortex-m4"; "any" satisfies the guard 1 alone.

    Raises:
        UserError: The compiler is needed and missing.
    """
    if guard == "1" or cpu == "any":
        return guard == "1"
    with tempfile.TemporaryDirectory() as folder:
        probe = Path(folder) / "probe.c"
        probe.write_text(f'#include "kbc/kbc_port.h"\n#if {guard}\nguard_holds\n#endif\n')
        return "guard_holds" in tool("gcc", f"-mcpu={cpu}", f"-I{INCLUDE}", "-E", "-P", probe)
