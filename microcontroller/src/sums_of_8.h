/* The signed sums of 8 inputs, 256 of them (see sum_tables.h), two to a word.
 *
 * In assembly the table is counted through in place: registers hold the words of the low patterns,
 * and going from pattern j of the high bits to j + 1 adds the same difference to each of them,
 * which depends only on how many low bits of j are 1:
 *
 *     D[c] = e[0] + ... + e[c - 1] - e[c],    e[b] = both(2 (x[b] - zx))
 *
 * With 8 words in registers that takes 9 instructions for 16 sums on ARMv7-M, the last a store of
 * all 8, and 176 a table; with 4 words on ARMv6-M 10 and 222. Floor: 8 additions, 1 store.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_SUMS_OF_8_H
#define KBC_SUMS_OF_8_H

#include "byte_tables.h"

enum { KBC_BIAS_OF_8 = 2048 }; /* 8 * 255 fits, and twice it is a constant of one instruction */

/* For each b below c the steps to the next pattern, which repeat as a ruler's marks do. */
#define RULER_1(step, c0) step(c0)
#define RULER_2(step, c0, c1) RULER_1(step, c0) step(c1) RULER_1(step, c0)
#define RULER_3(step, c0, c1, c2) RULER_2(step, c0, c1) step(c2) RULER_2(step, c0, c1)
#define RULER_4(step, c0, c1, c2, c3) \
    RULER_3(step, c0, c1, c2) step(c3) RULER_3(step, c0, c1, c2)
#define RULER_5(step, c0, c1, c2, c3, c4) \
    RULER_4(step, c0, c1, c2, c3) step(c4) RULER_4(step, c0, c1, c2, c3)

/* Fills the tables of [t, end), each of the next 8 inputs; `minus` is both(-2 zx). */
#if KBC_THUMB == 2

#define STORE "stm r0!, {r4-r11} \n"
#define STEP(d)                                                                           \
    "add r4, " d " \n add r5, " d " \n add r6, " d " \n add r7, " d " \n add r8, " d " \n" \
    "add r9, " d " \n add r10, " d " \n add r11, " d " \n" STORE
#define INPUT(r) "ldrsb " r ", [r1], #1 \n mla " r ", " r ", r10, r11 \n"

KBC_NAKED static void kbc_fill_tables(kbc_byte_table *t, const int8_t *x, uint32_t minus,
                                      const kbc_byte_table *end)
{
    __asm__("push {r2-r11, lr} \n"
            "1: mov r10, #0x20002 \n"
            "ldr r11, [sp] \n"
            INPUT("r4") INPUT("r5") INPUT("r6") INPUT("r7")
            INPUT("r2") INPUT("r3") INPUT("r12") INPUT("lr")
            "add r8, r2, r3 \n" /* D of the high bits in r2, r3, r12, lr */
            "sub r3, r2, r3 \n"
            "rsb r2, r2, #0 \n"
            "add r9, r8, r12 \n"
            "sub r12, r8, r12 \n"
            "add r8, r9, lr \n"
            "sub lr, r9, lr \n"
            "add r8, r4 \n" /* twice the sum of all */
            "add r8, r5 \n"
            "add r8, r6 \n"
            "add r8, r7 \n"
            "add r8, #0x10001000 \n"
            "lsr r8, #1 \n"
            "sub r4, r8, r4, lsl #16 \n" /* the first 8 words */
            "sub r5, r4, r5 \n"
            "sub r8, r4, r7 \n"
            "sub r9, r5, r7 \n"
            "sub r10, r8, r6 \n"
            "sub r11, r9, r6 \n"
            "sub r7, r5, r6 \n"
            "sub r6, r4, r6 \n"
            STORE RULER_4(STEP, "r2", "r3", "r12", "lr")
            "ldr r2, [sp, #4] \n"
            "cmp r0, r2 \n"
            "bne 1b \n"
            "pop {r2-r11, pc} \n");
}

#elif KBC_THUMB == 1

#define STORE "stmia r0!, {r4-r7} \n"
#define STEP(d) \
    "add r4, " d " \n add r5, " d " \n add r6, " d " \n add r7, " d " \n" STORE
#define INPUT(r, b)                                                                       \
    "ldrb " r ", [r1, #" b "] \n sxtb " r ", " r " \n muls " r ", r2, " r " \n" \
    "adds " r ", " r ", r3 \n"
#define HIGH_INPUT(b, d) \
    INPUT("r5", b) "subs r6, r4, r5 \n adds r4, r4, r5 \n mov " d ", r6 \n"

KBC_NAKED static void kbc_fill_tables(kbc_byte_table *t, const int8_t *x, uint32_t minus,
                                      const kbc_byte_table *end)
{
    __asm__(".syntax unified \n"
            "push {r4-r7, lr} \n"
            "mov r4, r8 \n"
            "mov r5, r9 \n"
            "mov r6, r10 \n"
            "mov r7, r11 \n"
            "push {r4-r7} \n"
            "movs r4, #2 \n"
            "lsls r5, r4, #16 \n"
            "orrs r4, r5 \n"
            "lsls r5, r4, #11 \n"
            "push {r2-r5} \n" /* minus, end, both(2), both(2 * bias) */
            "1: ldr r3, [sp] \n"
            "ldr r2, [sp, #8] \n"
            "movs r4, #0 \n"
            HIGH_INPUT("3", "r8") HIGH_INPUT("4", "r9") HIGH_INPUT("5", "r10")
            HIGH_INPUT("6", "r11") HIGH_INPUT("7", "r12")
            INPUT("r5", "0") INPUT("r6", "1") INPUT("r7", "2")
            "adds r1, r1, #8 \n"
            "ldr r3, [sp, #12] \n"
            "adds r4, r4, r5 \n" /* twice the sum of all */
            "adds r4, r4, r6 \n"
            "adds r4, r4, r7 \n"
            "adds r4, r4, r3 \n"
            "lsrs r4, r4, #1 \n"
            "lsls r5, r5, #16 \n" /* the first 4 words */
            "subs r4, r4, r5 \n"
            "subs r5, r4, r6 \n"
            "subs r6, r4, r7 \n"
            "subs r7, r5, r7 \n"
            STORE RULER_5(STEP, "r8", "r9", "r10", "r11", "r12")
            "ldr r2, [sp, #4] \n"
            "cmp r0, r2 \n"
            "beq 2f \n"
            "b 1b \n"
            "2: add sp, #16 \n"
            "pop {r4-r7} \n"
            "mov r8, r4 \n"
            "mov r9, r5 \n"
            "mov r10, r6 \n"
            "mov r11, r7 \n"
            "pop {r4-r7, pc} \n");
}

#endif

#if KBC_THUMB

static inline void kbc_sum_8(kbc_byte_table *t, const int8_t *x, int32_t zx, int32_t tables)
{
    kbc_fill_tables(t, x, kbc_both(-2 * zx), t + tables);
}

#else

/* The outer sum of two tables of 4 inputs. */
static void kbc_sum_8(kbc_byte_table *t, const int8_t *x, int32_t zx, int32_t tables)
{
    for (const kbc_byte_table *end = t + tables; t < end; ++t, x += 8) {
        kbc_sums_of_4 first, last;
        kbc_sum_4(&first, x, zx, KBC_BIAS_OF_8 / 2);
        kbc_sum_4(&last, x + 4, zx, KBC_BIAS_OF_8 / 2);

        /* Copies, which stay in registers over all of the loop. */
        const uint32_t a = first.pair[0], b = first.pair[1], c = first.pair[2], d = first.pair[3];
        const uint32_t e = first.pair[4], f = first.pair[5], g = first.pair[6], h = first.pair[7];
        for (int32_t i = 0; i < 16; ++i) {
            const uint32_t s = kbc_both(last.sum[i]);
            t->pair[8 * i] = a + s;
            t->pair[8 * i + 1] = b + s;
            t->pair[8 * i + 2] = c + s;
            t->pair[8 * i + 3] = d + s;
            t->pair[8 * i + 4] = e + s;
            t->pair[8 * i + 5] = f + s;
            t->pair[8 * i + 6] = g + s;
            t->pair[8 * i + 7] = h + s;
        }
    }
}

#endif

#undef RULER_1
#undef RULER_2
#undef RULER_3
#undef RULER_4
#undef RULER_5
#undef STORE
#undef STEP
#undef INPUT
#undef HIGH_INPUT

#endif /* KBC_SUMS_OF_8_H */
