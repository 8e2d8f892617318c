import dataclasses
import errno
from pathlib import Path

import numpy as np
import pytest

from keras_bc.deploy import boards, emulator, firmware, flatbuffer, targets
from keras_bc.errors import UserError
from tests.deploy.agreement import check_on_board
from tests.deploy.graphs import KINDS, graph_of, mlp, random_graph, random_inputs, side_by_side
from tests.needs import board_parameters, cross_compiler, qemu

pytestmark = [qemu, cross_compiler]

EMULATED = [
    board for board in boards.all() if board.emulator and not targets.of(board.cpu).flash_apart
]
"""Of those that run every op; AVR has a file of its own."""
EACH_CPU = list({board.cpu: board for board in EMULATED if board.ram.size > 1 << 14}.values())
M4 = boards.find("mps2-an386")


def build(graph, board, folder):
    (folder / "model.tflite").write_bytes(flatbuffer.write(graph))
    return firmware.build(folder, board, folder / "build")


def check(graph, board, folder):
    check_on_board(graph, board, random_inputs(graph, 4), folder)


@board_parameters(EMULATED)
@pytest.mark.parametrize("seed", range(3))
def test_chains_give_the_integers_of_the_reference(board, seed, tmp_path):
    check(random_graph(seed, layers=5), board, tmp_path)


def test_several_inputs_and_outputs(tmp_path):
    check(side_by_side(random_graph(1), mlp(9, 5), random_graph(2)), M4, tmp_path)


@pytest.mark.slow
@board_parameters(EACH_CPU)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "RESHAPE"])
@pytest.mark.parametrize("seed", range(4))
def test_each_kind_gives_the_integers_of_the_reference(board, kind, seed, tmp_path):
    check(graph_of(kind, seed), board, tmp_path)


@board_parameters(EMULATED)
def test_instructions_are_the_same_from_run_to_run(board, tmp_path):
    graph = random_graph(5)
    built = build(graph, board, tmp_path)
    x = random_inputs(graph, 3)
    first, second = (emulator.run(built, board, x, profile=True) for _ in range(2))
    assert all(count > 0 for count in first.layer_instructions)
    assert first.instructions == second.instructions
    assert first.layer_instructions == second.layer_instructions
    assert len(first.layer_instructions) == len(built.steps)
    rest = first.instructions - sum(first.layer_instructions)
    assert 0 <= rest < 20  # the way out of the model


def test_tracing_does_not_change_the_instructions(tmp_path):
    graph = random_graph(6)
    built = build(graph, M4, tmp_path)
    x = random_inputs(graph, 2)
    plain = emulator.run(built, M4, x, profile=True)
    traced = emulator.run(built, M4, x, profile=True, trace=True)
    assert traced.layer_instructions == plain.layer_instructions
    assert plain.layers == []


def test_the_longest_inference_is_reported(tmp_path):
    graph = random_graph(7)
    built = build(graph, M4, tmp_path)
    x = random_inputs(graph, 6)
    each = [emulator.run(built, M4, x[i : i + 1], profile=True).instructions for i in range(6)]
    assert emulator.run(built, M4, x, profile=True).instructions == max(each)


def test_without_a_profile_nothing_is_counted(tmp_path):
    graph = graph_of("KbcFullyConnected", 0)
    run = emulator.run(build(graph, M4, tmp_path), M4, random_inputs(graph, 1))
    assert run.instructions is None
    assert run.layer_instructions == []


def test_progress_ends_with_all_inputs(tmp_path):
    graph = graph_of("KbcFullyConnected", 1)
    done = []
    emulator.run(build(graph, M4, tmp_path), M4, random_inputs(graph, 7), progress=done.append)
    assert done == sorted(done)
    assert done[-1] == 7


def test_no_inputs_give_no_outputs(tmp_path):
    graph = graph_of("KbcFullyConnected", 2)
    x = random_inputs(graph, 0)
    run = emulator.run(build(graph, M4, tmp_path), M4, x, profile=True, trace=True)
    assert len(run.outputs) == 0
    assert run.instructions is None


@pytest.mark.parametrize(
    "wrong", [np.zeros((2, 3), np.int8), np.zeros((2, 784), np.uint8)], ids=["shape", "dtype"]
)
def test_wrong_inputs_are_refused(wrong, tmp_path):
    graph = graph_of("KbcFullyConnected", 3)
    with pytest.raises(ValueError, match="Invalid value for argument `inputs`"):
        emulator.run(build(graph, M4, tmp_path), M4, wrong)


def test_a_stack_that_is_too_small_is_reported(tmp_path):
    graph = graph_of("KbcFullyConnected", 4)
    x = random_inputs(graph, 1)
    used = emulator.run(build(graph, M4, tmp_path), M4, x).stack_bytes
    tight = dataclasses.replace(M4, stack=(used - 8) // 8 * 8)
    with pytest.raises(UserError, match=r"stack overflow"):
        emulator.run(build(graph, tight, tmp_path), tight, x)


def test_a_full_disk_is_one_clear_line(tmp_path, monkeypatch):
    graph = graph_of("KbcFullyConnected", 5)
    built = build(graph, M4, tmp_path)

    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(UserError, match="temporary files: No space left on device"):
        emulator.run(built, M4, random_inputs(graph, 1))


def test_a_machine_that_is_none_is_refused(tmp_path):
    """QEMU lists its machines and ends well."""
    graph = graph_of("KbcFullyConnected", 6)
    none = dataclasses.replace(M4, emulator="help")
    with pytest.raises(UserError, match="without its last word"):
        emulator.run(build(graph, M4, tmp_path), none, random_inputs(graph, 0))


def test_counts_that_are_not_whole_are_refused(tmp_path, monkeypatch):
    graph = graph_of("KbcFullyConnected", 7)
    built = build(graph, M4, tmp_path)
    execute = emulator.qemu.execute

    def cut_short(*arguments, **options):
        execution = execute(*arguments, **options)
        return dataclasses.replace(execution, intervals=execution.intervals[:-1])

    monkeypatch.setattr(emulator.qemu, "execute", cut_short)
    with pytest.raises(UserError, match="could not write all counts"):
        emulator.run(built, M4, random_inputs(graph, 3), profile=True)
