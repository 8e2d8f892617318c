/* The sums of 5 inputs with weights -1, 0 and 1, which are 3^5 = 243, by the number that the
 * weights are in balanced ternary:
 *
 *     n = sum_b w[b] * 3^b,    sum[2 |n| + (n < 0)] = bias + sum_b w[b] * (x[b] - zx)
 *
 * So a byte holds 5 ternary weights, and one look-up serves them; the two planes that the .tflite
 * has would take two look-ups for 8 weights.
 *
 * pair[n] holds the sums of n and of -n, so that one number adds to one of them what it takes from
 * the other. In assembly n is counted through in place, as in sums_of_8.h: registers hold
 * all values of the low digits, and the step to the next value of the high ones depends only on how
 * many of their low digits are 1, which become -1:
 *
 *     D[c] = e[c] - 2 (e[0] + ... + e[c - 1])
 *
 * With 9 words in registers it takes 165 instructions a table on ARMv7-M, with 3 on ARMv6-M 211.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_SUMS_OF_5_H
#define KBC_SUMS_OF_5_H

#include "byte_tables.h"

enum { KBC_BIAS_OF_5 = 1280 }; /* at least 5 * 255 */

/* From 0 to the greatest number of so many digits, and from the least to the greatest. */
#define UP_1(step, c0) step(c0)
#define ALL_1(step, c0) step(c0) step(c0)
#define UP_2(step, c0, c1) UP_1(step, c0) step(c1) ALL_1(step, c0)
#define ALL_2(step, c0, c1) ALL_1(step, c0) step(c1) ALL_1(step, c0) step(c1) ALL_1(step, c0)
#define UP_3(step, c0, c1, c2) UP_2(step, c0, c1) step(c2) ALL_2(step, c0, c1)
#define ALL_3(step, c0, c1, c2) \
    ALL_2(step, c0, c1) step(c2) ALL_2(step, c0, c1) step(c2) ALL_2(step, c0, c1)
#define UP_4(step, c0, c1, c2, c3) UP_3(step, c0, c1, c2) step(c3) ALL_3(step, c0, c1, c2)

#if KBC_THUMB == 2

#define STEP(d)                                                                           \
    "add r4, " d " \n add r5, " d " \n add r6, " d " \n add r7, " d " \n add r8, " d " \n" \
    "add r9, " d " \n add r10, " d " \n add r11, " d " \n add r12, " d " \n"             \
    "stm r0!, {r4-r12} \n"
#define INPUT(r) \
    "ldrsb " r ", [r1], #1 \n sub " r ", r2 \n sub " r ", " r ", " r ", lsl #16 \n"

/* Fills the tables of [t, end), each of the next 5 inputs. */
KBC_NAKED static void kbc_fill_ternary_tables(kbc_byte_table *t, const int8_t *x, int32_t zx,
                                              const kbc_byte_table *end)
{
    __asm__("push {r2-r11, lr} \n"
            "1: ldr r2, [sp] \n"
            INPUT("r4") INPUT("r5") INPUT("r3") INPUT("r6") INPUT("lr")
            "sub r2, r6, r3, lsl #1 \n" /* D of the high digits in r3, r2, lr */
            "add r6, r3 \n"
            "sub lr, lr, r6, lsl #1 \n"
            "mov r8, #0x05000500 \n" /* the values of the low ones, from -4 in r4 */
            "add r9, r8, r4 \n"
            "sub r7, r8, r4 \n"
            "add r11, r8, r5 \n"
            "add r12, r9, r5 \n"
            "add r10, r7, r5 \n"
            "sub r6, r9, r5 \n"
            "sub r4, r7, r5 \n"
            "sub r5, r8, r5 \n"
            "stm r0!, {r8-r12} \n"
            UP_3(STEP, "r3", "r2", "lr")
            "ldr r2, [sp, #4] \n"
            "add r0, #24 \n"
            "cmp r0, r2 \n"
            "bne 1b \n"
            "pop {r2-r11, pc} \n");
}

#elif KBC_THUMB == 1

#define STEP(d) \
    "add r4, " d " \n add r5, " d " \n add r6, " d " \n stmia r0!, {r4, r5, r6} \n"
#define INPUT(r, b)                                                              \
    "ldrb " r ", [r1, #" b "] \n sxtb " r ", " r " \n subs " r ", " r ", r2 \n" \
    "lsls r7, " r ", #16 \n subs " r ", " r ", r7 \n"
#define HIGH_INPUT(b, d) \
    INPUT("r5", b) "subs r6, r5, r4 \n mov " d ", r6 \n lsls r5, r5, #1 \n adds r4, r4, r5 \n"

KBC_NAKED static void kbc_fill_ternary_tables(kbc_byte_table *t, const int8_t *x, int32_t zx,
                                              const kbc_byte_table *end)
{
    __asm__(".syntax unified \n"
            "push {r4-r7, lr} \n"
            "mov r4, r8 \n"
            "mov r5, r9 \n"
            "mov r6, r10 \n"
            "mov r7, r11 \n"
            "push {r4-r7} \n"
            "movs r4, #5 \n"
            "lsls r5, r4, #8 \n"
            "lsls r4, r4, #24 \n"
            "orrs r4, r5 \n"
            "push {r2-r4} \n" /* zx, end, both(bias) */
            "1: ldr r2, [sp] \n"
            "movs r4, #0 \n"
            HIGH_INPUT("1", "r8") HIGH_INPUT("2", "r9") HIGH_INPUT("3", "r10")
            HIGH_INPUT("4", "r11")
            INPUT("r4", "0")
            "adds r1, r1, #5 \n"
            "ldr r5, [sp, #8] \n"
            "adds r6, r5, r4 \n"
            "subs r4, r5, r4 \n"
            "stmia r0!, {r5, r6} \n"
            UP_4(STEP, "r8", "r9", "r10", "r11")
            "adds r0, r0, #24 \n"
            "ldr r2, [sp, #4] \n"
            "cmp r0, r2 \n"
            "beq 2f \n"
            "b 1b \n"
            "2: add sp, #12 \n"
            "pop {r4-r7} \n"
            "mov r8, r4 \n"
            "mov r9, r5 \n"
            "mov r10, r6 \n"
            "mov r11, r7 \n"
            "pop {r4-r7, pc} \n");
}

#endif

#if KBC_THUMB

static inline void kbc_sum_5(kbc_byte_table *t, const int8_t *x, int32_t zx, int32_t tables)
{
    kbc_fill_ternary_tables(t, x, zx, t + tables);
}

#else

#define LIST(d) d,

static inline uint32_t kbc_opposite(int32_t d)
{
    return (uint32_t)d * 0xffff0001u;
}

/* The same, without the assembly. */
static void kbc_sum_5(kbc_byte_table *t, const int8_t *x, int32_t zx, int32_t tables)
{
    for (const kbc_byte_table *end = t + tables; t < end; ++t, x += 5) {
        const uint32_t e0 = kbc_opposite(x[0] - zx), e1 = kbc_opposite(x[1] - zx);
        const uint32_t e2 = kbc_opposite(x[2] - zx), e3 = kbc_opposite(x[3] - zx);
        const uint32_t d1 = e3 - 2 * e2, d2 = kbc_opposite(x[4] - zx) - 2 * (e2 + e3);
        const uint32_t steps[13] = {UP_3(LIST, e2, d1, d2)};
        uint32_t w4 = kbc_both(KBC_BIAS_OF_5); /* of w0 to w8, the values of the low digits */
        uint32_t w3 = w4 - e0, w5 = w4 + e0, w1 = w4 - e1, w7 = w4 + e1;
        uint32_t w0 = w3 - e1, w2 = w5 - e1, w6 = w3 + e1, w8 = w5 + e1;

        t->pair[0] = w4;
        t->pair[1] = w5;
        t->pair[2] = w6;
        t->pair[3] = w7;
        t->pair[4] = w8;
        for (int32_t n = 0; n < 13; ++n) {
            const uint32_t d = steps[n];
            t->pair[9 * n + 5] = w0 += d;
            t->pair[9 * n + 6] = w1 += d;
            t->pair[9 * n + 7] = w2 += d;
            t->pair[9 * n + 8] = w3 += d;
            t->pair[9 * n + 9] = w4 += d;
            t->pair[9 * n + 10] = w5 += d;
            t->pair[9 * n + 11] = w6 += d;
            t->pair[9 * n + 12] = w7 += d;
            t->pair[9 * n + 13] = w8 += d;
        }
    }
}

#endif

#undef UP_1
#undef UP_2
#undef UP_3
#undef UP_4
#undef ALL_1
#undef ALL_2
#undef ALL_3
#undef STEP
#undef INPUT
#undef HIGH_INPUT
#undef LIST

#endif /* KBC_SUMS_OF_5_H */
