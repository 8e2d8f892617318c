/* Builds the tables of eight filters (see filter_tables.h): 5 instructions for 4 entries, and half
 * as many again for their steps, 950 in all on a Cortex-M4.
 *
 * The weights' own bits are what inputs that are 0 differ in. Then each input that is 1 adds a
 * step, 1, 0 or -1 in each lane: entry[i + 2^b] = entry[i] + step[b]. Four entries stay in
 * registers and move on together, by the difference of what steps begin and end there.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "filter_tables.h"

/* The entries of 6 inputs, from the one of `first`; gives what follows on t.
 *
 * Four entries e move by to_4, to_8, to_16 and to_32: from the last of as many to the one behind. */
#if KBC_THUMB

/* One instruction stores four entries. */
#define FILL_4 "stmia r4!, {r0, r1, r2, r3} \n"
#define ADD(s) "add r0, " s " \n add r1, " s " \n add r2, " s " \n add r3, " s " \n"
#define FILL_8 FILL_4 ADD("r5") FILL_4
#define FILL_16 FILL_8 ADD("r6") FILL_8
#define FILL_32 FILL_16 ADD("r7") FILL_16

/* e in r0-r3 and its steps in r5-r7 and r12, from t, first and step. */
#if KBC_THUMB == 2
#define BEGIN                                                             \
    "mov r4, r0 \n"                                                       \
    "ldm r2, {r2, r3, r5, r6, r7, r12} \n"                                \
    "sub r12, r12, r7, lsl #1 \n sub r7, r7, r6, lsl #1 \n"               \
    "sub r6, r6, r5 \n add r7, r7, r6 \n add r12, r12, r7 \n"             \
    "mov r0, r1 \n add r1, r0, r2 \n add r2, r0, r3 \n add r3, r3, r1 \n"
#else
#define BEGIN                                                  \
    "mov r4, r0 \n"                                            \
    "ldr r5, [r2, #8] \n ldr r6, [r2, #12] \n"                 \
    "ldr r7, [r2, #16] \n ldr r3, [r2, #20] \n"                \
    "lsls r0, r7, #1 \n subs r3, r3, r0 \n"                    \
    "lsls r0, r6, #1 \n subs r7, r7, r0 \n"                    \
    "subs r6, r6, r5 \n adds r7, r7, r6 \n adds r3, r3, r7 \n" \
    "mov r12, r3 \n"                                           \
    "mov r0, r1 \n ldr r1, [r2] \n ldr r3, [r2, #4] \n"        \
    "adds r1, r1, r0 \n adds r2, r0, r3 \n adds r3, r3, r1 \n"
#endif

KBC_NAKED static uint32_t *fill(uint32_t *t, uint32_t first, const uint32_t step[6])
{
    __asm__(".syntax unified \n"
            "push {r4-r7, lr} \n" BEGIN FILL_32 ADD("r12") FILL_32
            "mov r0, r4 \n"
            "pop {r4-r7, pc} \n");
}

#else

static uint32_t *fill(uint32_t *t, uint32_t first, const uint32_t step[6])
{
    const uint32_t to_4 = step[2], to_8 = step[3] - to_4, to_16 = to_8 + step[4] - 2 * step[3];
    const uint32_t to_32 = to_16 + step[5] - 2 * step[4];
    const uint32_t steps[16] = {to_4, to_8, to_4, to_16, to_4, to_8, to_4, to_32,
                                to_4, to_8, to_4, to_16, to_4, to_8, to_4, 0};
    uint32_t e0 = first, e1 = e0 + step[0], e2 = e0 + step[1], e3 = e1 + step[1];

    for (int32_t i = 0; i < 16; ++i, t += 4) {
        t[0] = e0;
        t[1] = e1;
        t[2] = e2;
        t[3] = e3;
        e0 += steps[i];
        e1 += steps[i];
        e2 += steps[i];
        e3 += steps[i];
    }
    return t;
}

#endif

/* What each input adds to the lanes where it is 0, and what it adds more where it is 1. */
typedef struct {
    uint32_t zero[32], step[32];
} inputs;

static void spread(inputs *to, const uint32_t *w, const uint32_t *used, int32_t words)
{
    static const uint32_t all[8] = {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u};
    const uint32_t *const end = w + words;
    uint32_t *zero = to->zero, *step = to->step;
    uint32_t ones = 0x11111111u;

    KBC_OPAQUE(ones); /* a register joins a shift, a constant does not */
    used = used ? used : all;
    for (; w < end; zero += 4, step += 4) {
        const uint32_t negative = *w++, positive = *used++ & ~negative;
        const uint32_t a = negative & ones, b = negative >> 1 & ones;
        const uint32_t c = negative >> 2 & ones, d = negative >> 3 & ones;
        zero[0] = a;
        zero[1] = b;
        zero[2] = c;
        zero[3] = d;
        step[0] = (positive & ones) - a;
        step[1] = (positive >> 1 & ones) - b;
        step[2] = (positive >> 2 & ones) - c;
        step[3] = (positive >> 3 & ones) - d;
    }
    for (; zero < to->zero + 32; ++zero, ++step) {
        *zero = 0;
        *step = 0;
    }
}

void kbc_build_tables(kbc_filter_tables *t, const uint32_t *w, const uint32_t *used,
                      int32_t words)
{
    inputs in;
    uint32_t *table = t->a;

    spread(&in, w, used, words);
    for (int32_t k = 0; k < 32; k += 6) {
        const uint32_t *zero = in.zero + k, *step = in.step + k;
        uint32_t first = zero[0] + zero[1] + zero[2] + zero[3] + zero[4] + zero[5];
        if (k == 0 || k == 25) { /* the tables of 7 inputs */
            first += zero[6];
            table = fill(table, first, step);
            first += step[6];
            ++k;
        }
        table = fill(table, first, step);
    }
}
