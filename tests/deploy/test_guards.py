import pytest

from keras_bc.deploy import boards
from keras_bc.deploy.guards import holds
from keras_bc.errors import UserError
from tests.needs import board_parameters, cross_compiler


def test_a_portable_kernel_needs_no_compiler(monkeypatch):
    monkeypatch.setenv("PATH", "")
    holds.cache_clear()
    assert holds("1", "any")
    assert holds("1", "cortex-m4")
    assert not holds("__ARM_FEATURE_DSP", "any")


@cross_compiler
@pytest.mark.parametrize(
    ("guard", "cpu", "expected"),
    [
        ("__ARM_FEATURE_DSP", "cortex-m4", True),
        ("__ARM_FEATURE_DSP", "cortex-m3", False),
        ("defined(__thumb2__) && __ARM_ARCH >= 7", "cortex-m3", True),
        ("defined(__thumb2__) && __ARM_ARCH >= 7", "cortex-m0", False),
        ("KBC_HAS_MVE", "cortex-m55", True),
        ("KBC_HAS_MVE", "cortex-m33", False),
    ],
)
def test_a_guard_is_what_the_compiler_says(guard, cpu, expected):
    assert holds(guard, cpu) is expected


@board_parameters([boards.find("rv32-bench"), boards.find("rv32-zbb-bench")], emulator=False)
def test_a_guard_of_an_extension(board):
    assert holds("defined(__riscv_zbb)", board.cpu) is ("zbb" in board.cpu)


@board_parameters(
    [boards.find(name) for name in ("mps2-an385", "hifive1-revb", "arduino-uno")], emulator=False
)
def test_an_unknown_cpu_is_refused_in_one_line(board):
    unknown = {"cortex-m3": "cortex-m99", "rv32imac": "rv32q", "atmega328p": "atmega9"}[board.cpu]
    with pytest.raises(UserError, match=f"does not know the CPU '{unknown}'") as refusal:
        holds("__ARM_FEATURE_DSP", unknown)
    assert "\n" not in str(refusal.value)


@board_parameters([boards.find("arduino-uno"), boards.find("arduino-mega")], emulator=False)
def test_a_guard_of_avr(board):
    assert holds("KBC_HAS_LPM", board.cpu)


@cross_compiler
def test_a_broken_guard_is_our_mistake():
    with pytest.raises(RuntimeError):
        holds("(", "cortex-m3")
