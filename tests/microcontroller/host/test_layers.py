"""The layers of the delegate give the reference's integers in each instruction set.

What this CPU lacks runs in an emulator: AArch64 in QEMU's, and AVX-512 as plain C that SIMDe makes
of its intrinsics.
"""

import platform
import shutil
from pathlib import Path

import pytest

from keras_bc.deploy import reference
from keras_bc.deploy.boards import MICROCONTROLLER
from tests.deploy.c_build import SANITIZERS, Machine, run_emitted
from tests.microcontroller.layer_graphs import graph_of, inputs_of

HERE = Path(__file__).resolve().parent
HOST = MICROCONTROLLER / "host"
OPS = [
    f"{op}_{kind}"
    for op in ("fully_connected", "conv_2d")
    for kind in ("s8", "s8_ternary", "b1", "b1_ternary")
]
SOURCES = (HERE / "as_layers.c", *(p for p in sorted(HOST.glob("*.c")) if p.name != "host.c"))
WRAPPED = [f"-Wl,--wrap=kbc_{op}" for op in OPS]


def has(flag: str) -> bool:
    info = Path("/proc/cpuinfo")
    return info.exists() and flag in info.read_text().split()


def machine(instruction_set: str, threads: int, *flags: str, **options) -> Machine:
    defined = (f"-DSET=kbc_{instruction_set}", f"-I{HOST}", "-pthread")
    environment = (("THREADS", str(threads)),)
    return Machine(
        flags=(*flags, *defined, *WRAPPED), sources=SOURCES, environment=environment, **options
    )


def here(instruction_set: str, threads: int = 1) -> Machine:
    return machine(instruction_set, threads, *SANITIZERS)


def emulated(instruction_set: str) -> Machine:
    """The functions have no target then, and their vectors lie in no register of the CPU's."""
    words = ("-DKBC_TARGET=", "-DKBC_INLINE=static inline", "-DKBC_FINISH(v)=(void)(v)")
    quiet = ("-Wno-conversion", "-Wno-shadow", "-Wno-pedantic", "-Wno-psabi", "-Wno-error")
    return machine(instruction_set, 1, "-O1", f"-I{HERE / 'emulated'}", *words, *quiet)


AARCH64 = machine(
    "neon", 1, "-O2", "-static", compiler="aarch64-linux-gnu-gcc", runner=("qemu-aarch64",)
)

CAN_EMULATE_X86_64 = platform.machine() == "x86_64" and Path("/usr/include/simde").exists()

MACHINES = {
    "avx2": (here("avx2"), has("avx2")),
    "avx2, 3 threads": (here("avx2", 3), has("avx2")),
    "avx512": (here("avx512"), has("avx512bw")),
    "avx512 emulated": (emulated("avx512"), CAN_EMULATE_X86_64),
    "avx512_icelake": (
        here("avx512_icelake"),
        has("avx512bw") and has("avx512vbmi") and has("avx512_vpopcntdq"),
    ),
    "avx512_icelake emulated": (emulated("avx512_icelake"), CAN_EMULATE_X86_64),
    "neon": (here("neon"), platform.machine() == "aarch64"),
    "neon emulated": (
        AARCH64,
        bool(shutil.which("aarch64-linux-gnu-gcc") and shutil.which("qemu-aarch64")),
    ),
}


CASES = [
    (name, op)
    for name in MACHINES
    for op in OPS
    if "threads" not in name or op in ("fully_connected_s8", "conv_2d_b1", "conv_2d_s8_ternary")
]


@pytest.mark.parametrize(("name", "op"), CASES)
def test_layers_give_the_integers_of_the_reference(name, op, tmp_path):
    where, can_run = MACHINES[name]
    if not can_run:
        pytest.skip("this CPU lacks it, or its emulator is missing")
    graph = graph_of(op, seed=2)
    x = inputs_of(graph, 3)
    found = run_emitted(graph, x, tmp_path, where, variants={op: "reference"})
    expected = reference.run(graph, x)
    for tensor, integers in found.items():
        assert (integers == expected[tensor]).all(), tensor
