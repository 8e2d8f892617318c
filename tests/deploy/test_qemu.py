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


NARROW = [
    ("str r0, [r1]\\n strb r0, [r1]\\n strh r0, [r1]", 0),
    ("movs r0, #4\\n str r0, [r1, r0]\\n strh r0, [r1, r0]\\n strb r0, [r1, r0]\\n movs r0, #4", 0),
    ("ldr r0, [r1]\\n ldrb r0, [r1]\\n ldrh r0, [r1]\\n ldr r0, [sp, #4]", 4),
    ("movs r0, #0\\n ldrsb r2, [r1, r0]\\n ldrsh r2, [r1, r0]\\n ldrh r2, [r1, r0]", 3),
    ("movs r0, #0\\n ldr r2, [r1, r0]\\n ldrb r2, [r1, r0]", 2),
    ("ldr r0, 1f\\n b 2f\\n .align 2\\n 1: .word 0\\n 2: nop", 1),
    ("push {r0, r2, r3}\\n pop {r0, r2, r3}", 3),
    ("stmia r1!, {r0, r2}\\n subs r1, #8\\n ldmia r1!, {r0, r2, r3}\\n mov r0, r1", 3),
    ("movs r0, #3\\n 1: ldr r2, [r1]\\n subs r0, #1\\n bne 1b", 3),
]
"""Loads of r1, which points to 64 bytes, and how many registers they load: for every core."""

WIDE = [
    ("str.w r0, [r1, #4]\\n strd r0, r2, [r1]\\n stmdb sp, {r0, r2}\\n pld [r1]", 0),
    (
        "ldr.w r0, [r1, #40]\\n ldrb.w r0, [r1, #-1]\\n ldrsh.w r0, [r1, #2]\\n ldrsb.w r2, [r1]",
        4,
    ),
    ("ldrd r0, r2, [r1]\\n ldrd r0, r2, [r1], #8\\n ldrexb r0, [r1]\\n ldrex r0, [r1, #4]", 6),
    ("ldm.w r1, {r0, r2, r3, r8}\\n ldmdb r1, {r0, r2}", 6),
]
FLOATS = [
    ("vldr s0, [r1]\\n vstr s0, [r1]\\n vmov r0, r2, s0, s1\\n vldr s3, [r1, #8]", 2),
    ("vldmia r1!, {s0-s3}\\n vpush {s0-s1}\\n vpop {s0-s1}", 6),
]
VECTORS = [
    ("vldrb.8 q0, [r1]\\n vldrw.32 q0, [r1], #16\\n vldrb.s16 q0, [r1]\\n vldrh.u32 q0, [r1]", 4),
    ("vstrb.8 q0, [r1]\\n vmov r0, r2, q0[2], q0[0]\\n vmov q0[3], q0[1], r0, r2", 0),
    ("vmov.i32 q1, #0\\n vldrb.u8 q0, [r1, q1]\\n vldrw.32 q0, [r1, q1, uxtw #2]", 2),
    (
        "vdup.32 q1, r1\\n vldrw.32 q0, [q1]\\n vld20.8 {q2, q3}, [r1]\\n vld21.8 {q2, q3}, [r1]",
        3,
    ),
    ("dls lr, r1\\n vctp.8 r0\\n vcmul.f32 q0, q1, q2, #0\\n vadd.i8 q0, q1, q2", 0),
]
RISCV = [
    ("sw a0, 0(a1)\\n sb a0, 0(a1)\\n sh a0, 0(a1)\\n c.sw a0, 0(a1)", 0),
    ("lw a0, 40(a1)\\n lb a0, 0(a1)\\n lhu a0, 0(a1)\\n c.lw a0, 0(a1)\\n c.lwsp a0, 0(sp)", 5),
    (".option norvc\\n lbu a0, 1(a1)\\n lh a0, 0(a1)\\n lw a0, 0(sp)\\n addi a0, a0, 3", 3),
    ("li a0, 3\\n 1: c.lw a2, 0(a1)\\n addi a0, a0, -1\\n bnez a0, 1b", 3),
    ("c.li a0, 9\\n c.lui a2, 3\\n c.slli a0, 2\\n c.mv a2, a0\\n c.addi4spn a0, sp, 16", 0),
]


def loads(assembly, board, folder):
    """What the counter says of the loads of some assembly, which finds 64 bytes where r1 points."""
    riscv = targets.of(board.cpu) == targets.RISCV
    pointer, clobbers = ("a1", '"a0", "a2"') if riscv else ("r1", '"r0", "r2", "r3", "r8", "lr"')
    code = f"""
        #include "stopwatch.h"
        #include <stdint.h>
        static uint64_t bytes[16];
        int main(void)
        {{
            register void *p __asm__("{pointer}") = &bytes[8];
            KBC_STOPWATCH_START();
            __asm volatile(
        #if defined(__arm__)
                ".syntax unified\\n"
        #endif
                "{assembly}" : "+r"(p) : : {clobbers}, "memory");
            KBC_STOPWATCH_STOP();
            return 0;
        }}"""
    return qemu.execute(link(code, board, folder), board, count=True).loads


@each_of_qemu
def test_loads_agree_with_counts_by_hand(board, tmp_path):
    cases = {"cortex-m0": NARROW, "cortex-m3": NARROW + WIDE}.get(board.cpu, NARROW + WIDE + FLOATS)
    if board.cpu == "cortex-m55":
        cases = cases + VECTORS
    if targets.of(board.cpu) == targets.RISCV:
        cases = RISCV
    for assembly, registers in cases:
        assert loads(assembly, board, tmp_path) == [registers], assembly


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
