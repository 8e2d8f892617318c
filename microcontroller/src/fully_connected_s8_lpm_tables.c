/* Fully connected, one-bit weights, int8 inputs, on AVR: by tables of partial sums.
 *
 *     acc[o] = sum over the groups of 8 inputs of sum[byte of w[o]] - bias
 *     sum[i] = BIAS + sum_b s(i, b) * (x[b] - zx),    s = -1 where bit b of i is 1, else +1
 *
 * The 256 sums of a group have 16 bits and are not negative; their low and their high bytes fill a
 * page of RAM each, so that LPM brings a byte of weights right into the low half of a pointer to
 * both. A pass over the outputs takes two groups: 20 cycles of look-ups, 11 for 16 bits of the
 * accumulator in RAM, whose third byte is touched where these overflow, and 3 for the loop make 2.1
 * cycles a weight. A table is filled in the order of its entries, each from the one before by adding
 * one of 8 differences: 6 cycles an entry, and 0.9 a weight of 256 outputs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "lpm.h"

enum {
    PAGE = 256,
    GROUP = 8,                /* inputs of a table */
    PAIR = 2 * GROUP,         /* of a pass: layout `byte_pairs` */
    FEW = 16,                 /* outputs below which tables are not worth filling */
    MOST = 128,               /* outputs of a pass in assembly */
    BIAS = 255 * GROUP,       /* |x - zx| <= 255 */
};

/* The pages of two tables and what it may take to begin one, then 3 bytes of each accumulator. */
int32_t kbc_fully_connected_s8_lpm_tables_scratch(const kbc_fully_connected_params *p)
{
    if (p->out_features < FEW) {
        return -1;
    }
    return 5 * PAGE - 1 + 3 * p->out_features;
}

#if KBC_HAS_LPM

/* Both pages of a table from its first sum on. add[c] leads from an entry to the next where that sets
 * bit c and clears those below it. The words of 16 entries are written from registers. */
KBC_NOINLINE static void fill(uint8_t *low, uint16_t sum, const int16_t *add)
{
#define STORE "st X+, %A[s] \n st Z+, %B[s] \n"
#define STEP(d) "add %A[s], %A[" d "] \n adc %B[s], %B[" d "] \n" STORE
#define STEPS_OF_8 STEP("a") STEP("b") STEP("a") STEP("c") STEP("a") STEP("b") STEP("a")
    uint8_t *high = low + PAGE;
    const int16_t a = add[0], b = add[1], c = add[2], d = add[3];

    for (uint8_t i = 1; i <= 16; ++i) {
        __asm__ volatile(STORE STEPS_OF_8 STEP("d") STEPS_OF_8
                         : [s] "+r"(sum), "+x"(low), "+z"(high)
                         : [a] "r"(a), [b] "r"(b), [c] "r"(c), [d] "r"(d)
                         : "memory");
        const int16_t *next = add + 4;
        for (uint8_t bits = i; (bits & 1) == 0; bits >>= 1) {
            ++next;
        }
        sum = (uint16_t)(sum + (uint16_t)*next);
    }
#undef STORE
#undef STEP
#undef STEPS_OF_8
}

/* The tables of 16 inputs. */
KBC_NOINLINE static void fill_pair(uint8_t *pages, const int8_t *x, int16_t zx)
{
    for (uint8_t t = 0; t < 2; ++t, x += GROUP) {
        int16_t add[GROUP + 1];
        int16_t below = 0; /* twice the inputs before */
        for (uint8_t c = 0; c < GROUP; ++c) {
            const int16_t d = (int16_t)(2 * (x[c] - zx));
            add[c] = (int16_t)(below - d);
            below = (int16_t)(below + d);
        }
        add[GROUP] = 0; /* behind the last entry */
        fill(pages + 2 * PAGE * t, (uint16_t)(BIAS + below / 2), add);
    }
}

/* acc[o] += what the two bytes of w[o] look up, for `count` outputs: `acc` are 16 bits of them, the
 * third bytes end at `top`. The compiler passes r25:24, r23:22, r21:20, r18, r16. */
__attribute__((naked, noinline)) static void
look_up(KBC_UNUSED uint16_t *acc, KBC_UNUSED const uint8_t *w, KBC_UNUSED const uint8_t *top,
        KBC_UNUSED uint8_t count, KBC_UNUSED uint8_t page)
{
    __asm__("push r28 \n push r29 \n movw r28, r24 \n movw r30, r22 \n"
            "1: lpm r26, Z+ \n mov r27, r16 \n ld r22, X \n inc r27 \n ld r23, X \n"
            "lpm r26, Z+ \n inc r27 \n ld r0, X \n add r22, r0 \n"
            "inc r27 \n ld r0, X \n adc r23, r0 \n"
            "ld r0, Y \n add r22, r0 \n st Y+, r22 \n"
            "ld r0, Y \n adc r23, r0 \n st Y+, r23 \n"
            "brcs 3f \n"
            "2: dec r18 \n brne 1b \n"
            "pop r29 \n pop r28 \n ret \n"
            "3: movw r26, r20 \n sub r26, r18 \n sbc r27, r1 \n"
            "ld r0, X \n inc r0 \n st X, r0 \n rjmp 2b \n");
}

/* The functions below are not inlined, for an AVR reaches no more than 64 bytes of a frame at once:
 * each has its own, and a small one beside that of the accumulators. */

/* A row of x. */
KBC_NOINLINE static void accumulate(const kbc_fully_connected_params *p, const int8_t *x, uint8_t *pages,
                       uint16_t *acc, uint8_t *top)
{
    const uint16_t outs = (uint16_t)p->out_features;
    const int16_t zx = (int16_t)p->input_zero_point;
    const uint8_t *w = p->weights;
    const uint8_t page = (uint8_t)((uintptr_t)pages >> 8);

    const int32_t begin = (p->in_features + PAIR - 1) / PAIR * (-2 * BIAS);

    for (uint16_t o = 0; o < outs; ++o) {
        acc[o] = (uint16_t)begin;
    }
    memset(top, (uint8_t)(begin >> 16), outs);
    for (int16_t k = (int16_t)p->in_features; k > 0; k = (int16_t)(k - PAIR), x += PAIR) {
        int8_t rest[PAIR];
        const int8_t *from = x;
        if (k < PAIR) { /* zeros, which add nothing with either sign */
            memset(rest, (int)zx, PAIR);
            memcpy(rest, x, (size_t)k);
            from = rest;
        }
        fill_pair(pages, from, zx);
        for (uint16_t o = 0; o < outs; o += MOST) {
            const uint8_t count = (uint8_t)(outs - o < MOST ? outs - o : MOST);
            look_up(acc + o, w + 2 * o, top + o + count, count, page);
        }
        w += 2 * outs;
    }
}

/* acc[o] = top[o] << 16 | sums[o], a number of 24 bits and a sign. */
KBC_NOINLINE static void join(int32_t *acc, const uint16_t *sums, const uint8_t *top, uint8_t count)
{
    __asm__ volatile("1: ld r0, Z+ \n st X+, r0 \n ld r0, Z+ \n st X+, r0 \n"
                     "ld r0, Y+ \n st X+, r0 \n lsl r0 \n sbc r0, r0 \n st X+, r0 \n"
                     "dec %[count] \n brne 1b \n"
                     : "+x"(acc), "+y"(top), "+z"(sums), [count] "+r"(count)
                     :
                     : "memory");
}

kbc_status kbc_fully_connected_s8_lpm_tables(const kbc_fully_connected_params *p,
                                             const void *inputs, const void *shortcut, void *y,
                                             void *scratch)
{
    const uint16_t outs = (uint16_t)p->out_features;
    uint16_t *const sums = scratch;
    uint8_t *const top = (uint8_t *)(sums + outs);
    uint8_t *const pages =
        (uint8_t *)(((uintptr_t)(top + outs) + PAGE - 1) & ~(uintptr_t)(PAGE - 1));
    const int8_t *x = inputs;

    for (int32_t r = 0; r < p->rows; ++r, x += p->in_features) {
        accumulate(p, x, pages, sums, top);
        for (uint16_t first = 0; first < outs; first += KBC_BLOCK) {
            const uint8_t count = (uint8_t)kbc_block((int32_t)outs - first);
            int32_t acc[KBC_BLOCK];
            join(acc, sums + first, top + first, count);
            p->finish.function(&p->finish, acc, r, first, count, shortcut, y);
        }
    }
    return KBC_OK;
}

#endif
