/* Starts and stops the emulator's instruction counter (emulation/count_instructions.c).
 *
 * Both are unallocated 16-bit hints: no-ops on every M-profile core. The compiler moves no memory
 * access across them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_STOPWATCH_H
#define KBC_STOPWATCH_H

#define KBC_STOPWATCH_START() __asm volatile(".inst.n 0xbf70" ::: "memory")
#define KBC_STOPWATCH_STOP() __asm volatile(".inst.n 0xbf60" ::: "memory")

#endif /* KBC_STOPWATCH_H */
