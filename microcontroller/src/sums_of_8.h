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

#define LIST(d) d,
#define WORDS(each)                                                                      \
    each(0) each(1) each(2) each(3) each(4) each(5) each(6) each(7) each(8) each(9) each(10) \
        each(11) each(12) each(13) each(14) each(15)
#define STORE(i) t->pair[16 * n + i] = w##i;
#define STEP(i) w##i += d;

/* The same, with 16 words in registers, which RISC-V has. */
static void kbc_sum_8(kbc_byte_table *t, const int8_t *x, int32_t zx, int32_t tables)
{
    const uint32_t minus = kbc_both(-2 * zx);
    int32_t two = 0x20002;

    KBC_OPAQUE(two); /* a multiplication, not two shifts and a sum */
    for (const kbc_byte_table *end = t + tables; t < end; ++t, x += 8) {
        const uint32_t e0 = (uint32_t)(two * x[0]) + minus, e1 = (uint32_t)(two * x[1]) + minus;
        const uint32_t e2 = (uint32_t)(two * x[2]) + minus, e3 = (uint32_t)(two * x[3]) + minus;
        const uint32_t e4 = (uint32_t)(two * x[4]) + minus, e5 = (uint32_t)(two * x[5]) + minus;
        const uint32_t e6 = (uint32_t)(two * x[6]) + minus, e7 = (uint32_t)(two * x[7]) + minus;
        const uint32_t d0 = 0u - e5, d1 = e5 - e6, d2 = e5 + e6 - e7;
        const uint32_t steps[8] = {RULER_3(LIST, d0, d1, d2) 0};
        const uint32_t twice = e0 + e1 + e2 + e3 + e4 + e5 + e6 + e7;
        uint32_t w0 = (twice + kbc_both(2 * KBC_BIAS_OF_8)) / 2 - (e0 << 16), w1 = w0 - e1;
        uint32_t w2 = w0 - e2, w3 = w1 - e2, w4 = w0 - e3, w5 = w1 - e3, w6 = w2 - e3, w7 = w3 - e3;
        uint32_t w8 = w0 - e4, w9 = w1 - e4, w10 = w2 - e4, w11 = w3 - e4;
        uint32_t w12 = w4 - e4, w13 = w5 - e4, w14 = w6 - e4, w15 = w7 - e4;

        for (int32_t n = 0; n < 8; ++n) {
            const uint32_t d = steps[n];
            WORDS(STORE)
            WORDS(STEP)
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
#undef LIST
#undef WORDS

#endif /* KBC_SUMS_OF_8_H */
