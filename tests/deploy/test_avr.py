"""AVR: what runs there gives the integers of the reference, and what does not is refused."""

import re
import subprocess

import numpy as np
import pytest

from keras_bc.deploy import apart, boards, emulator, firmware, flash, flatbuffer, kernels, simavr
from keras_bc.errors import UserError
from tests.deploy.agreement import check_on_board
from tests.deploy.graphs import PLAIN, Builder, graph_of, random_inputs
from tests.microcontroller.layer_graphs import LayerGraph, inputs_of
from tests.needs import board_parameters

MEGA, UNO = boards.find("arduino-mega"), boards.find("arduino-uno")
VARIANTS = [row for row in kernels.table() if row.guard == apart.GUARD]

on_mega = board_parameters([MEGA])
on_both = board_parameters([MEGA, UNO])


def network(*widths, seed=1):
    builder = Builder(seed=seed, **PLAIN)
    builder.input((1, widths[0]))
    for width in widths[1:]:
        builder.add("KbcFullyConnected", width)
    return builder.finish()


def build(graph, board, folder):
    (folder / "model.tflite").write_bytes(flatbuffer.write(graph))
    return firmware.build(folder, board, folder / "build")


@on_mega
@pytest.mark.parametrize("k", [1, 8, 15, 16, 17, 33, 100, 129, 257, 400])
@pytest.mark.parametrize("row", VARIANTS, ids=lambda row: row.function.removeprefix("kbc_"))
def test_each_variant_gives_the_integers_of_the_reference(row, k, board, tmp_path):
    """Fewer layers at a time than the other boards have: the RAM holds all of their inputs."""
    layers = LayerGraph(np.random.default_rng(k))
    for number, outs in enumerate((1, 10, 32, 33, 131)):
        finish, rows = ("s8", "b1")[number % 2], 1 + (k < 100)
        layers.end(layers.fully_connected(row.op, k, outs, finish, rows), outs)
    x = inputs_of(layers.graph, 3)
    check_on_board(layers.graph, board, x, tmp_path, {row.op: row.name})
    source = (tmp_path / "build" / "model.c").read_text()
    assert re.search(rf"kernel {row.name}\b", source)


@on_both
def test_a_network_of_8_bit_activations(board, tmp_path):
    graph = network(64, 40, 10)
    check_on_board(graph, board, random_inputs(graph, 3), tmp_path)


@on_mega
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "kind",
    ["KbcMaxPool2D", "KbcPack", "MAX_POOL_2D", "AVERAGE_POOL_2D", "PAD", "SLICE"]
    + ["RESIZE_NEAREST_NEIGHBOR"],
)
def test_what_has_no_constants_runs(kind, seed, board, tmp_path):
    graph = graph_of(kind, seed)
    check_on_board(graph, board, random_inputs(graph, 2), tmp_path)


@on_mega
@pytest.mark.parametrize("kind", ["ADD", "SUB", "MUL"])
def test_joins_run(kind, board, tmp_path):
    graph = graph_of(kind, 1)
    check_on_board(graph, board, random_inputs(graph, 2), tmp_path)


@on_mega
@pytest.mark.parametrize("kind", ["KbcConv2D", "FULLY_CONNECTED", "TANH", "SOFTMAX"])
def test_what_does_not_run_yet_is_refused_by_name(kind, board, tmp_path):
    with pytest.raises(UserError, match=rf"\({kind}\) does not run on atmega2560 yet"):
        build(graph_of(kind, 0), board, tmp_path)


@on_mega
def test_cycles_are_the_same_from_run_to_run(board, tmp_path):
    graph = network(64, 40, 10)
    built = build(graph, board, tmp_path)
    x = random_inputs(graph, 3)
    first, second = (emulator.run(built, board, x, profile=True) for _ in range(2))
    assert first.layer_instructions == second.layer_instructions
    assert 0 <= first.instructions - sum(first.layer_instructions) < 100


@on_mega
def test_constants_beyond_64_kb_are_refused(board, tmp_path):
    with pytest.raises(UserError, match="the first 64 KB of the flash"):
        build(network(400, 500, 500, 200), board, tmp_path)


@on_mega
def test_a_layer_too_large_for_the_compiler_is_refused(board, tmp_path):
    with pytest.raises(UserError, match=r"has 70000 bytes of weights, .* takes 32767 at most"):
        build(network(784, 700), board, tmp_path)


@board_parameters([UNO])
def test_a_model_that_does_not_fit_is_refused_with_the_figures(board, tmp_path):
    with pytest.raises(UserError, match=r"bytes of flash, of which there are 32768, and \d+ bytes"):
        build(network(500, 400, 300), board, tmp_path)


@on_mega
def test_a_stack_that_is_too_small_is_reported(board, tmp_path):
    graph = network(64, 40, 10)
    used = emulator.run(build(graph, board, tmp_path), board, random_inputs(graph, 1)).stack_bytes
    tight = boards.Board(**{**board.__dict__, "stack": (used - 8) // 8 * 8})
    with pytest.raises(UserError, match="The stack overflows on arduino-mega"):
        emulator.run(build(graph, tight, tmp_path), tight, random_inputs(graph, 1))


@on_mega
def test_the_sources_compile_as_they_stand_and_keep_constants_in_flash(board, tmp_path):
    """Without the firmware's own headers."""
    build(network(64, 40, 10), board, tmp_path)
    folder = tmp_path / "build"
    sources = [folder / "model.c", *folder.glob("kbc/*.c")]
    command = ["avr-gcc", *board.flags, "-std=c99", "-O2", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([*command, f"-I{folder}", "-c", *sources], cwd=tmp_path, check=True)
    said = subprocess.check_output(["avr-size", "-A", tmp_path / "model.o"], text=True)
    sizes = {name: int(size) for name, size in re.findall(r"^(\.\S+) +(\d+)", said, re.MULTILINE)}
    assert sizes[".progmem.data"] > 40 * 64 // 8
    assert sizes.get(".rodata", 0) < 200  # the parameters


@on_mega
def test_flashing_is_refused(board, tmp_path):
    with pytest.raises(UserError, match=r"is an AVR.*avrdude"):
        flash.flash(build(network(8, 4), board, tmp_path), board)


@on_mega
def test_without_simavrs_headers_the_package_is_named(board, tmp_path, monkeypatch):
    built = build(network(8, 4), board, tmp_path)
    source = tmp_path / "emulation" / "run_avr.c"
    source.parent.mkdir()
    source.write_text(simavr.SOURCE.read_text().replace("simavr/sim_avr.h", "simavr/none.h"))
    monkeypatch.setattr(simavr, "SOURCE", source)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(UserError, match=r"simavr/none\.h.*apt install .*libsimavr-dev") as refusal:
        emulator.run(built, board, np.zeros((1, 8), np.int8))
    assert "\n" not in str(refusal.value)
