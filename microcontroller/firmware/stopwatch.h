/* Starts and stops the emulator's counter: of instructions (emulation/count_instructions.c), on AVR
 * of cycles (emulation/run_avr.c).
 *
 * Both are hints that nothing uses: no-ops on every M-profile core, and on every RISC-V, where they
 * are of those kept for custom use. The compiler moves no memory access across them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_STOPWATCH_H
#define KBC_STOPWATCH_H

#if defined(__AVR__)
#define KBC_STOPWATCH_START() \
    __asm volatile("ldi r24, 0x70\n\tout 0x1e, r24" ::: "r24", "memory")
#define KBC_STOPWATCH_STOP() \
    __asm volatile("ldi r24, 0x60\n\tout 0x1e, r24" ::: "r24", "memory")
#elif defined(__riscv)
#define KBC_STOPWATCH_START() __asm volatile("slti x0, x0, 0x70" ::: "memory")
#define KBC_STOPWATCH_STOP() __asm volatile("slti x0, x0, 0x60" ::: "memory")
#else
#define KBC_STOPWATCH_START() __asm volatile(".inst.n 0xbf70" ::: "memory")
#define KBC_STOPWATCH_STOP() __asm volatile(".inst.n 0xbf60" ::: "memory")
#endif

#endif /* KBC_STOPWATCH_H */
