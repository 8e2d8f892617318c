"""What a firmware gets that links the ops."""

import re
import subprocess

from keras_bc.deploy import kernels, toolchain
from keras_bc.deploy.boards import MICROCONTROLLER
from tests.needs import cross_compiler

OPS = sorted((MICROCONTROLLER / "ops").glob("*.c"))
CPU = ["-mcpu=cortex-m4", "-mthumb"]


@cross_compiler
def test_kernels_of_other_layouts_are_not_linked(tmp_path):
    elf = tmp_path / "ops.elf"
    options = [*CPU, *toolchain.COMPILE, "-nostartfiles", "-Wl,--gc-sections", "-Wl,-e,kbc_prepare"]
    wanted = ["-Wl,-u,kbc_op_fully_connected", "-Wl,-u,kbc_op_conv_2d"]
    sources = [*OPS, *toolchain.KERNELS]
    toolchain.tool("gcc", *options, *wanted, f"-I{kernels.INCLUDE}", *sources, "-o", elf)
    listed = subprocess.check_output(["arm-none-eabi-nm", elf], text=True)
    functions = set(re.findall(r" T (\w+)", listed))
    rows = kernels.table()
    canonical = {row.function for row in rows if row.layout == "canonical" and row.guard == "1"}
    others = {row.function for row in rows if row.layout != "canonical"}
    assert canonical and others
    assert canonical <= functions and not others & functions
