import dataclasses
import subprocess

import pytest

from keras_bc.deploy import boards, qemu, targets
from keras_bc.errors import UserError
from tests.deploy.programs import link
from tests.needs import board_parameters, cross_compiler
from tests.needs import qemu as needs_qemu

pytestmark = [needs_qemu, cross_compiler]

EMULATED = [board for board in boards.all() if board.emulator]
M3 = boards.find("mps2-an385")
M4 = boards.find("mps2-an386")

every_board = board_parameters(EMULATED)
each_of_qemu = board_parameters(
    [board for board in EMULATED if targets.of(board.cpu) != targets.AVR]
)
each_avr = board_parameters([board for board in EMULATED if targets.of(board.cpu) == targets.AVR])
each_arm = board_parameters([board for board in EMULATED if targets.of(board.cpu) == targets.ARM])
each_riscv = board_parameters(
    [board for board in EMULATED if targets.of(board.cpu) == targets.RISCV]
)


def timed(assembly: str, clobbers: str = '"r0", "r1", "cc", "memory"') -> str:
    """A program that times some assembly."""
    return f"""
        #include "stopwatch.h"
        int main(void)
        {{
            KBC_STOPWATCH_START();
            __asm volatile(
        #if defined(__arm__)
                ".syntax unified\\n"
        #endif
                "{assembly}" ::: {clobbers});
            KBC_STOPWATCH_STOP();
            return 0;
        }}"""


def count(code, board, folder):
    return qemu.execute(link(code, board, folder), board, count=True).intervals


@each_arm
@pytest.mark.parametrize(
    ("assembly", "instructions"),
    [
        ("", 0),
        ("nop", 1),
        ("movs r0, #10\\n 1: subs r0, #1\\n bne 1b", 1 + 10 * 2),
        ("b 1f\\n nop\\n nop\\n 1: nop", 2),
        ("bl 1f\\n b 2f\\n 1: bx lr\\n 2:", 3),  # the call is 32 bits long
    ],
)
def test_counts_agree_with_counts_by_hand(board, assembly, instructions, tmp_path):
    clobbers = '"r0", "lr", "cc", "memory"'
    assert count(timed(assembly, clobbers), board, tmp_path) == [instructions]


@each_riscv
@pytest.mark.parametrize(
    ("assembly", "instructions"),
    [
        ("", 0),
        ("nop", 1),
        ("li a0, 10\\n 1: addi a0, a0, -1\\n bnez a0, 1b", 1 + 10 * 2),
        (".option norvc\\n li a0, 3\\n slti x0, x0, 0x71\\n mul a0, a0, a0", 3),
        ("jal ra, 1f\\n j 2f\\n 1: ret\\n 2:", 3),
    ],
)
def test_counts_of_riscv_agree_with_counts_by_hand(board, assembly, instructions, tmp_path):
    clobbers = '"a0", "ra", "memory"'
    assert count(timed(assembly, clobbers), board, tmp_path) == [instructions]


@each_riscv
def test_code_of_riscv_across_pages_counts_exactly(board, tmp_path):
    """Instructions of 32 bits cross the pages of 4 KB, halfwords as the hints' among them."""
    wide = ".option norvc\\n" + "lui a0, 0x2013\\n" * 2100
    assert count(timed("c.nop\\n" + wide, '"a0"'), board, tmp_path) == [2101]


@each_avr
@pytest.mark.parametrize(
    ("assembly", "cycles"),
    [
        ("", 0),
        ("nop", 1),
        ("ldi r24, 10\\n 1: dec r24\\n brne 1b", 1 + 10 * 3 - 1),
        ("rjmp 1f\\n nop\\n 1: lpm r24, Z", 2 + 3),
        ("push r24\\n pop r24", 2 + 2),
    ],
)
def test_cycles_of_avr_agree_with_the_data_sheet(board, assembly, cycles, tmp_path):
    assert count(timed(assembly, '"r24", "memory"'), board, tmp_path) == [cycles]


def test_a_skipped_instruction_counts(tmp_path):
    assembly = "movs r0, #1\\n cmp r0, #2\\n ite eq\\n moveq r1, #1\\n movne r1, #2"
    assert count(timed(assembly), M4, tmp_path) == [5]


def test_code_across_pages_counts_exactly(tmp_path):
    """Blocks end at pages of 1 KB, where QEMU 7.2 misjudges sizes."""
    narrow, wide = "nop\\n" * 1500, "movw r0, #0xbf60\\n" * 1501
    assert count(timed(narrow + wide), M3, tmp_path) == [3001]


def test_each_interval_is_counted_in_turn(tmp_path):
    code = """
        #include "stopwatch.h"
        int main(void)
        {
            for (int i = 0; i < 3; i++) {
                KBC_STOPWATCH_START();
                __asm volatile("nop");
                KBC_STOPWATCH_STOP();
                __asm volatile("nop; nop; nop");
                KBC_STOPWATCH_START();
                __asm volatile("nop; nop");
                KBC_STOPWATCH_STOP();
            }
            return 0;
        }"""
    assert count(code, M4, tmp_path) == [1, 2] * 3


@every_board
def test_a_program_reads_its_command_line_and_files(board, tmp_path):
    code = """
        #include "semihosting.h"
        int main(void)
        {
            char line[32], bytes[4];
            semihosting_command_line(line, sizeof line);
            semihosting_print(line);
            const int32_t in = semihosting_open("in", SEMIHOSTING_READ);
            const int32_t out = semihosting_open("out", SEMIHOSTING_WRITE);
            if (semihosting_length(in) != 3 || semihosting_read(in, bytes, 4) != 1)
                return 1;
            if (semihosting_write(out, bytes, 3) != 0)
                return 2;
            semihosting_print_hex(0x1f0);
            return (int)semihosting_close(out);
        }"""
    (tmp_path / "in").write_bytes(b"abc")
    elf = link(code, board, tmp_path)
    done = qemu.execute(elf, board, ["one,two", "three"], folder=tmp_path)
    assert done.text == "one,two three0x000001f0"
    assert (tmp_path / "out").read_bytes() == b"abc"


@every_board
def test_variables_are_initialized(board, tmp_path):
    code = """
        static volatile int five = 5, zero;
        static volatile float half = 0.5f;
        int main(void)
        {
            half *= 3.0f;
            return !(five == 5 && zero == 0 && half == 1.5f);
        }"""
    qemu.execute(link(code, board, tmp_path), board)


@each_of_qemu
def test_a_stack_overflow_is_noticed(board, tmp_path):
    code = """
        static int deep(volatile int n)
        {
            volatile int frame[16];
            frame[0] = n;
            return n <= 0 ? 0 : deep(n - 1) + frame[0];
        }
        int main(void) { return deep(1000); }"""
    with pytest.raises(UserError, match=f"failed on {board.name}: stack overflow"):
        qemu.execute(link(code, board, tmp_path), board)


@each_of_qemu
def test_a_fault_is_reported_with_its_address(board, tmp_path):
    instruction = "unimp" if targets.of(board.cpu) == targets.RISCV else "udf #0"
    code = f'int main(void) {{ __asm volatile("{instruction}"); return 0; }}'
    start = f"{board.flash.origin >> 12:#07x}"  # of the first 4 KB
    with pytest.raises(UserError, match=rf"failed on {board.name}: fault at {start}..."):
        qemu.execute(link(code, board, tmp_path), board)


@each_of_qemu
def test_without_a_host_a_program_waits(board, tmp_path):
    """As on a board that was flashed and has no debugger: QEMU ends when a core locks up."""
    code = '#include "semihosting.h"\nint main(void) { semihosting_print("here"); return 0; }'
    elf = link(code, board, tmp_path)
    line = [word.replace("enable=on", "enable=off") for word in qemu.command(board)]
    with qemu.start([*line, "-kernel", str(elf)], tmp_path, subprocess.DEVNULL) as process:
        try:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=1)
        finally:
            process.kill()


def test_a_failing_program_is_reported(tmp_path):
    with pytest.raises(UserError, match=r"exit code 7 and not a word"):
        qemu.execute(link("int main(void) { return 7; }", M4, tmp_path), M4)


def test_a_hanging_program_is_ended(tmp_path):
    elf = link("int main(void) { for (;;) { } }", M4, tmp_path)
    with pytest.raises(UserError, match="hangs on mps2-an386"):
        qemu.execute(elf, M4, patience=0.3)


def test_progress_keeps_a_long_program_alive(tmp_path):
    elf = link("int main(void) { for (;;) { } }", M4, tmp_path)
    answers = iter(range(12))  # and then StopIteration, which ends the wait
    with pytest.raises(StopIteration):
        qemu.execute(elf, M4, patience=0.1, progress=lambda: next(answers))
    assert next(answers, None) is None


@board_parameters([M4, boards.find("hifive1-revb")])
def test_missing_qemu_is_named_with_its_package(board, tmp_path, monkeypatch):
    elf = link("int main(void) { return 0; }", board, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    package = targets.of(board.cpu).emulator_package
    with pytest.raises(UserError, match=f"apt install {package}"):
        qemu.execute(elf, board)


def test_a_board_without_emulator_is_refused(tmp_path):
    board = dataclasses.replace(M4, emulator=None)
    with pytest.raises(UserError, match="has no emulator"):
        qemu.execute(tmp_path / "none.elf", board)


def test_an_unknown_machine_is_refused(tmp_path):
    board = dataclasses.replace(M4, emulator="abacus")
    with pytest.raises(UserError, match="unsupported machine"):
        qemu.execute(tmp_path / "none.elf", board)
