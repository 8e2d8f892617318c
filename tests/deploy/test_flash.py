import contextlib
import dataclasses
import errno
import shlex
import socket
import subprocess
import threading
import time

import numpy as np
import pytest

from keras_bc.deploy import boards, emulator, firmware, flash, flatbuffer, qemu, targets
from keras_bc.errors import UserError
from tests.deploy.graphs import random_graph, random_inputs
from tests.needs import board_parameters, cross_compiler, gdb
from tests.needs import qemu as needs_qemu

pytestmark = cross_compiler

EMULATED = [
    board for board in boards.all() if board.emulator and not targets.of(board.cpu).flash_apart
]
M4 = boards.find("mps2-an386")
MICROBIT = boards.find("microbit")
GRAPH = random_graph(3)


def build(board, folder):
    (folder / "model.tflite").write_bytes(flatbuffer.write(GRAPH))
    return firmware.build(folder, board, folder / "build")


@contextlib.contextmanager
def empty_machine(board, folder):
    """QEMU without a program, halted, and the address of its GDB server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        server = f"127.0.0.1:{free.getsockname()[1]}"
    line = qemu.command(board, ["in.bin", "out.bin"]) + ["-S", "-gdb", f"tcp:{server}"]
    with qemu.start(line, folder, subprocess.DEVNULL) as process:
        try:
            yield process, server
        finally:
            process.kill()


@gdb
@needs_qemu
@board_parameters(EMULATED)
def test_a_board_flashed_by_gdb_gives_the_outputs_of_the_emulator(board, tmp_path):
    built = build(board, tmp_path)
    x = random_inputs(GRAPH, 5)
    x.tofile(tmp_path / "in.bin")
    with empty_machine(board, tmp_path) as (machine, server):
        flash.flash(built, board, gdb=server)
        assert machine.wait(timeout=30) == 0
    outputs = np.fromfile(tmp_path / "out.bin", np.int8).reshape(5, -1)
    np.testing.assert_array_equal(outputs, emulator.run(built, board, x).outputs)


@gdb
@needs_qemu
def test_flash_that_does_not_hold_what_was_written_is_noticed(tmp_path):
    """This machine has no memory at the board's address: writes vanish."""
    elsewhere = dataclasses.replace(M4, flash=boards.Memory(0x08000000, 0x100000))
    built = build(elsewhere, tmp_path)
    with (
        empty_machine(M4, tmp_path) as (_, server),
        pytest.raises(UserError, match="differs from what was written, first at address 0x800000"),
    ):
        flash.flash(built, elsewhere, gdb=server)
    assert not (tmp_path / "out.bin").exists()  # it was not started


@gdb
def test_a_silent_server_is_named(tmp_path):
    built = build(M4, tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        server = f"127.0.0.1:{free.getsockname()[1]}"
    started = time.monotonic()
    with pytest.raises(UserError, match=f"the GDB server {server} gave no answer"):
        flash.flash(built, M4, gdb=server)
    assert time.monotonic() - started < 20


@gdb
def test_a_server_that_never_answers_is_given_up_soon(tmp_path):
    built = build(M4, tmp_path)
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UserError, match=f"{server} gave no answer, .* nothing in 12 s"):
            flash.flash(built, M4, gdb=server)
    assert time.monotonic() - started < 20


@gdb
def test_a_server_that_hangs_up_is_named(tmp_path):
    built = build(M4, tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        hanging_up = threading.Thread(target=lambda: server.accept()[0].close())
        hanging_up.start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(UserError, match=f"{address} gave no answer, .*(closed|disconnected)"):
            flash.flash(built, M4, gdb=address)
        hanging_up.join()


@pytest.mark.parametrize("server", ["3333", "localhost", "localhost:", "a b:1", ""])
def test_a_wrong_server_is_refused(server, tmp_path):
    with pytest.raises(UserError, match="expected HOST:PORT"):
        flash.flash(build(M4, tmp_path), M4, gdb=server)


def test_a_board_without_a_probe_points_to_gdb(tmp_path):
    with pytest.raises(UserError, match="--gdb HOST:PORT"):
        flash.flash(build(M4, tmp_path), M4)


def test_a_dry_run_shows_the_commands_and_needs_no_board(tmp_path):
    program, start = flash.flash(build(MICROBIT, tmp_path), MICROBIT, dry_run=True)
    assert "--target nrf51 --command 'load " in program
    assert start.endswith("--command reset")


@pytest.mark.parametrize("name", ["a b", "a'b", 'a"b', "a,b;c", "a\\b", "$x"])
def test_pyocd_reads_the_shown_commands_as_they_are_meant(name, tmp_path):
    from pyocd.utility.cmdline import split_command_line

    folder = tmp_path / name
    folder.mkdir()
    built = build(MICROBIT, folder)
    program, _ = flash.flash(built, MICROBIT, dry_run=True)
    load = next(word for word in shlex.split(program) if word.startswith("load "))
    assert split_command_line(load) == ["load", str(built.elf)]


def test_a_full_disk_is_one_clear_line(tmp_path, monkeypatch):
    built = build(MICROBIT, tmp_path)

    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(flash.shutil, "copyfile", refuse)
    with pytest.raises(UserError, match="No space left on device"):
        flash.flash(built, MICROBIT)


@gdb
def test_a_dry_run_with_gdb(tmp_path):
    program, start = flash.flash(build(M4, tmp_path), M4, gdb="localhost:3333", dry_run=True)
    assert "-ex 'target remote localhost:3333' -ex " in program
    assert "-ex load -ex " in program
    assert start.endswith("-ex detach")


def test_no_probe_is_one_clear_line(tmp_path):
    """pyOCD's own answer, with no probe plugged in."""
    if _probes():
        pytest.skip("a debug probe is plugged in")
    with pytest.raises(UserError, match="no debug probe is connected") as refusal:
        flash.flash(build(MICROBIT, tmp_path), MICROBIT)
    assert "\n" not in str(refusal.value)


def _probes() -> list:
    from pyocd.core.helpers import ConnectHelper

    return ConnectHelper.get_all_connected_probes(blocking=False)


def test_missing_gdb_is_named_with_its_package(tmp_path, monkeypatch):
    built = build(M4, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="apt install gdb-multiarch"):
        flash.flash(built, M4, gdb="localhost:3333")
