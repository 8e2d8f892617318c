"""Marks of tests that need a program which may be missing."""

import shutil
from collections.abc import Sequence

import pytest

from keras_bc.deploy import targets
from keras_bc.deploy.boards import Board


def _needs(program: str, package: str):
    return pytest.mark.skipif(
        not shutil.which(program), reason=f"needs {program} (apt install {package})"
    )


qemu = _needs("qemu-system-arm", "qemu-system-arm")
cross_compiler = _needs("arm-none-eabi-gcc", "gcc-arm-none-eabi")
gdb = _needs("gdb-multiarch", "gdb-multiarch")


def board_parameters(boards: Sequence[Board], emulator: bool = True):
    """A parameter "board" that is skipped where the board's compiler or emulator is missing."""
    parameters = []
    for board in boards:
        target = targets.of(board.cpu)
        marks = [_needs(f"{target.prefix}gcc", target.packages)]
        if emulator:
            marks.append(_needs(target.emulator, target.emulator_package))
        parameters.append(pytest.param(board, id=board.name, marks=marks))
    return pytest.mark.parametrize("board", parameters)
