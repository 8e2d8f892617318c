"""Which CPU satisfies the guard of a kernel, as its compiler and kbc_port.h see it."""

import re
from functools import cache

from keras_bc.deploy import disk, targets
from keras_bc.deploy.kernels import INCLUDE
from keras_bc.deploy.toolchain import COMPILE, first_error, tool
from keras_bc.errors import UserError


@cache
def holds(guard: str, cpu: str) -> bool:
    """Whether a guard of the kernel table is true on a CPU.

    The compiler is asked only about a guard that depends on the CPU, so that portable kernels
    need none.

    Args:
        guard: A preprocessor expression.
        cpu: As the compiler names it, such as "cortex-m4" or "rv32imac"; "any" satisfies the guard
            1 alone.

    Raises:
        UserError: The compiler is needed and missing, or does not know the CPU.
    """
    if guard == "1" or cpu == "any":
        return guard == "1"
    with disk.temporary_folder() as folder:
        probe = folder / "probe.c"
        probe.write_text(f'#include "kbc/kbc_port.h"\n#if {guard}\nguard_holds\n#endif\n')
        family = targets.of(cpu)
        select = [flag.format(cpu=cpu) for flag in family.select]
        said = tool(
            *("gcc", *select, *COMPILE, f"-I{INCLUDE}", "-E", "-P", probe),
            check=lambda text: _check_cpu(cpu, text),
            target=family,
        )
        return "guard_holds" in said


def _check_cpu(cpu: str, output: str) -> None:
    if re.search(targets.of(cpu).refusal, output):
        raise UserError(f"The compiler does not know the CPU {cpu!r}: {first_error(output)}.")
