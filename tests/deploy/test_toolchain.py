import contextlib
import dataclasses
import resource

import pytest

from keras_bc.deploy import boards, c_source, targets, toolchain
from keras_bc.errors import UserError
from tests.deploy.graphs import mlp
from tests.deploy.programs import STRICT, link
from tests.needs import board_parameters, cross_compiler

pytestmark = cross_compiler

M3 = boards.find("mps2-an385")
EMPTY = "int main(void) { return 0; }"


@board_parameters(boards.all(), emulator=False)
def test_startup_compiles_without_warnings(board, tmp_path):
    source = tmp_path / "main.c"
    source.write_text(EMPTY)
    sources = [source, *toolchain.STARTUP]
    flash, ram = toolchain.link(sources, board, tmp_path / "x.elf", [*STRICT, "-pedantic"])
    assert 0 < flash < 2048
    assert ram == board.stack


def test_kernels_that_nobody_calls_are_not_linked(tmp_path):
    source = tmp_path / "main.c"
    source.write_text(EMPTY)
    sources = [source, *toolchain.STARTUP]
    flash, _ = toolchain.link([*sources, *toolchain.KERNELS], M3, tmp_path / "x.elf")
    assert flash == toolchain.link(sources, M3, tmp_path / "y.elf")[0]


@board_parameters(boards.all(), emulator=False)
def test_the_harness_compiles_without_warnings(board, tmp_path):
    c_source.emit(mlp(8, 4), tmp_path, board.cpu)
    options = [*board.flags, *toolchain.COMPILE, *STRICT, "-pedantic", "-c", "-o", tmp_path / "x.o"]
    folders = [toolchain.MICROCONTROLLER / "include", toolchain.FIRMWARE, tmp_path]
    hooks = ["-include", toolchain.FIRMWARE / "hooks.h"]
    includes = [f"-I{folder}" for folder in folders]
    target = targets.of(board.cpu)
    sources = [*target.library_options, toolchain.FIRMWARE / "harness.c"]
    toolchain.tool("gcc", *options, *includes, *hooks, *sources, target=target)


def test_the_figures_are_what_is_loaded_and_reserved(tmp_path):
    source = tmp_path / "main.c"
    source.write_text("""
        static volatile int initialized[100] = {1}, zeroed[50];
        int main(void) { return initialized[0] + zeroed[0] - 1; }""")
    elf = tmp_path / "x.elf"
    flash, ram = toolchain.link([source, *toolchain.STARTUP], M3, elf)
    toolchain.tool("objcopy", "-O", "binary", elf, tmp_path / "x.bin")
    assert flash == (tmp_path / "x.bin").stat().st_size
    assert ram == M3.stack + 400 + 200


@pytest.mark.parametrize(
    ("flash", "ram", "code"),
    [
        (512, 4096, EMPTY),
        (65536, 1024, "static volatile int a[2000]; int main(void) { return a[0]; }"),
        (256, 1024, "static volatile int a[2000] = {1}; int main(void) { return a[0]; }"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_exact_figures(flash, ram, code, tmp_path):
    source = tmp_path / "main.c"
    source.write_text(code)
    sources = [source, *toolchain.STARTUP]
    needed = toolchain.link(sources, M3, tmp_path / "x.elf")
    small = dataclasses.replace(
        M3,
        flash=boards.Memory(M3.flash.origin, flash),
        ram=boards.Memory(M3.ram.origin, ram),
    )
    with pytest.raises(UserError) as refusal:
        toolchain.link(sources, small, tmp_path / "x.elf")
    assert (
        f"needs {needed[0]} bytes of flash, of which there are {flash}, "
        f"and {needed[1]} bytes of RAM, of which there are {ram}" in str(refusal.value)
    )


@pytest.mark.parametrize(
    ("board", "package"),
    [("mps2-an385", "gcc-arm-none-eabi"), ("hifive1-revb", "gcc-riscv64-unknown-elf")],
)
def test_a_missing_compiler_is_named_with_its_package(board, package, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=f"apt install {package}"):
        link(EMPTY, boards.find(board), tmp_path)


@pytest.mark.parametrize("board", ["mps2-an385", "hifive1-revb"])
def test_a_missing_library_is_named_with_its_package(board, tmp_path, monkeypatch):
    """A compiler that does not find its library's file says so like this."""
    board = boards.find(board)
    target = targets.of(board.cpu)
    compiler = tmp_path / f"{target.prefix}gcc"
    specs = target.library_options[0].removeprefix("--specs=")
    compiler.write_text(f"#!/bin/sh\necho \"cannot read spec file '{specs}'\"; exit 1")
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=rf"{target.library} was not .*apt install"):
        link(EMPTY, board, tmp_path)


def test_a_failing_compiler_is_our_mistake(tmp_path):
    with pytest.raises(RuntimeError, match="error"):
        link("int main(void) { return x; }", M3, tmp_path)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["-mcpu=cortex-m99"], "unrecognized -mcpu target: cortex-m99"),
        (["-mcpu=cortex-m3", "-mcolour"], "option '-mcolour'"),
        (["-mcpu=cortex-m3", "-Wl,--colour"], "option '--colour'"),
        (["--help"], "nothing was linked"),
        ([], "ARM mode"),
    ],
)
def test_a_board_that_the_compiler_refuses_is_the_users(flags, said, tmp_path):
    mine = dataclasses.replace(M3, name="mine", flags=tuple(flags))
    with pytest.raises(UserError, match=f"refuses the board mine: .*{said}") as refusal:
        link(EMPTY, mine, tmp_path)
    assert "\n" not in str(refusal.value)


def test_a_folder_may_have_any_name(tmp_path):
    folder = tmp_path / "a,b 'c'"
    folder.mkdir()
    elf = link(EMPTY, M3, folder)
    assert elf.with_suffix(".map").stat().st_size > 0


@contextlib.contextmanager
def small_files():
    """Files may be no larger than 4 KB, as on a disk that gets full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_is_one_clear_line(tmp_path):
    with (
        small_files(),
        pytest.raises(UserError, match=r"compiler cannot write: .*File ") as refusal,
    ):
        link(EMPTY, M3, tmp_path)
    assert "\n" not in str(refusal.value)
