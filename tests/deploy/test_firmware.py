import ctypes
import dataclasses
import os
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from keras_bc.deploy import boards, c_source, firmware, flatbuffer, toolchain, workspace
from keras_bc.errors import UserError
from tests.deploy.graphs import PLAIN, Builder, random_graph
from tests.needs import board_parameters, cross_compiler

pytestmark = cross_compiler

M4 = boards.find("mps2-an386")
MICROBIT = boards.find("microbit")
SUFFIXES = {".elf", ".bin", ".map", ".ld"}


@pytest.fixture
def mlp():
    """The network of the recipe mnist-mlp-small, with random weights."""
    builder = Builder(seed=1, **PLAIN)
    builder.input((1, 784))
    for width in (256, 256, 10):
        builder.add("KbcFullyConnected", width)
    return builder.finish()


@pytest.fixture
def model(mlp, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(flatbuffer.write(mlp))
    return path


def test_a_build_leaves_sources_elf_image_and_map(model, tmp_path):
    built = firmware.build(model, M4, tmp_path / "build" / "m4")
    files = {path.name for path in (tmp_path / "build" / "m4").iterdir()}
    sources = {"model.c", "model.h", "kbc"}
    assert files == sources | {"keras_bc.json"} | {f"firmware{suffix}" for suffix in SUFFIXES}
    assert [path.name for path in (tmp_path / "build").iterdir()] == ["m4"]
    assert built.elf.read_bytes()[:4] == b"\x7fELF"


@pytest.mark.parametrize("board", [M4, MICROBIT], ids=lambda board: board.name)
def test_the_figures_add_up(board, mlp, model, tmp_path):
    built = firmware.build(model, board, tmp_path / "build")
    plan = c_source.plan(mlp, board.cpu)
    assert built.flash_bytes == built.elf.with_suffix(".bin").stat().st_size
    assert built.flash_bytes == built.code_bytes + built.model_bytes
    assert 0 <= built.model_bytes - plan.constant_bytes < 8  # aligned at the end
    assert built.arena_bytes == plan.arena_bytes
    assert 0 < built.ram_bytes - built.arena_bytes - board.stack <= firmware.HARNESS_RAM
    assert (built.input_bytes, built.output_bytes) == (784, 10)
    assert built.step_bytes == (256, 256, 10)
    assert [step.macs for step in built.steps] == [784 * 256, 256 * 256, 2560]


@board_parameters([board for board in boards.all() if board.flash.size > 1 << 16], emulator=False)
def test_a_small_mlp_is_small(board, model, tmp_path):
    built = firmware.build(model, board, tmp_path / "build")
    assert built.code_bytes <= 8192
    assert built.ram_bytes <= 8192


def kernels_in(elf) -> set[str]:
    """The library's functions that a program holds."""
    return set(re.findall(r" T (kbc_\w+)", toolchain.tool("nm", elf)))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("board", [M4, MICROBIT], ids=lambda board: board.name)
def test_only_the_kernels_that_the_model_calls_are_linked(board, seed, tmp_path):
    graph = random_graph(seed, layers=4)
    (tmp_path / "model.tflite").write_bytes(flatbuffer.write(graph))
    built = firmware.build(tmp_path, board, tmp_path / "build")
    layers = [layer for step in built.steps for layer in step.layers]
    called = {name for layer in layers for name in layer.call.functions.values()}
    assert kernels_in(built.elf) == called | {layer.kernel.function for layer in layers}


def test_a_build_takes_the_prefix_of_the_export(mlp, model, tmp_path):
    plain = firmware.build(model, M4, tmp_path / "plain")
    options = {"namespace": "semihosting", "const_in_flash": True}  # as one of our own files
    workspace.sign(tmp_path, ["model.tflite"], options)
    built = firmware.build(tmp_path, M4, tmp_path / "build")
    assert {"semihosting.c", "semihosting.h"} <= set(os.listdir(tmp_path / "build"))
    assert "semihosting_invoke" in toolchain.tool("nm", built.elf)
    assert built.flash_bytes == plain.flash_bytes
    # The layers' parameters lie with the constants.
    parameters = sum(ctypes.sizeof(step.layers[0].call.params) for step in built.steps)
    assert 0 < built.model_bytes - plain.model_bytes <= parameters


def test_the_folder_of_an_export_serves_as_well(model, tmp_path):
    by_folder = firmware.build(tmp_path, M4, tmp_path / "a")
    by_file = firmware.build(model, M4, tmp_path / "b")
    assert (
        by_folder.elf.with_suffix(".bin").read_bytes()
        == by_file.elf.with_suffix(".bin").read_bytes()
    )


def test_a_model_that_does_not_fit_is_refused_and_the_old_build_stays(model, tmp_path):
    built = firmware.build(model, M4, tmp_path / "build")
    before = built.elf.read_bytes()
    small = dataclasses.replace(
        M4, flash=boards.Memory(0, 0x8000), ram=boards.Memory(0x20000000, 0x800)
    )
    message = r"it needs \d+ bytes of flash, of which there are 32768, and \d+ bytes of RAM"
    with pytest.raises(UserError, match=message):
        firmware.build(model, small, tmp_path / "build")
    assert built.elf.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["build", "model.tflite"]


def test_little_ram_makes_do_with_smaller_kernels(model, tmp_path):
    rich = firmware.build(model, M4, tmp_path / "rich")
    little = dataclasses.replace(M4, ram=boards.Memory(0x20000000, rich.ram_bytes - 8))
    poor = firmware.build(model, little, tmp_path / "poor")
    assert poor.ram_bytes < rich.ram_bytes


@pytest.mark.parametrize("name", ["thesis.tex", firmware.ELF])
def test_a_folder_of_somebody_else_is_left_alone(name, model, tmp_path):
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / name).write_text("years of work")
    with pytest.raises(UserError, match="keras-bc did not write"):
        firmware.build(model, M4, folder)
    assert (folder / name).read_text() == "years of work"


@pytest.mark.parametrize("name", ["notes.txt", "kbc/notes.txt"])
def test_notes_in_a_build_are_not_lost_to_the_next(name, model, tmp_path):
    firmware.build(model, M4, tmp_path / "m4")
    firmware.build(model, M4, tmp_path / "m4")
    (tmp_path / "m4" / name).write_text("mine")
    with pytest.raises(UserError, match=f"did not write {re.escape(name)}"):
        firmware.build(model, M4, tmp_path / "m4")
    assert (tmp_path / "m4" / name).read_text() == "mine"


def test_two_builds_at_once_do_not_meet(model, tmp_path):
    with ThreadPoolExecutor() as pool:
        built = list(pool.map(lambda _: firmware.build(model, M4, tmp_path / "m4"), range(3)))
    assert len({each.elf.read_bytes() for each in built}) == 1
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["m4"]


def test_a_missing_model_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"model\.tflite"):
        firmware.build(tmp_path, M4, tmp_path / "build")


def test_a_folder_that_cannot_be_made_is_refused(model, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="Cannot write"):
        firmware.build(model, M4, tmp_path / "file" / "build")
