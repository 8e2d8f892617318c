/* Fully connected, one-bit weights, one-bit inputs, on AVR: ones are looked up by the byte.
 *
 *     acc[o] = k - 2 sum_b ones[w[b][o] ^ x[b]]
 *
 * Registers hold 16 bytes of x for a pass over the outputs, 32 at a time. A byte of weights comes by
 * LPM right into the low half of a pointer to the table of ones, which lies at a multiple of 256 in
 * RAM: LPM, EOR, LD, ADD take 7 cycles for 8 weights, 0.875 a weight. A strip of 128 weights takes 14
 * more around them, and its sum fits 8 bits; what is left of k goes by strips of 32. Layout `strips`.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <string.h>

#include "lpm.h"

enum { ONES = 256, STRIP = 16, SHORT = 4 }; /* bytes */

/* The accumulators and differences of a block, the table, and what it may take to begin at a multiple
 * of 256. The blocks would do on the stack, but in a frame of more than 64 bytes an AVR takes four
 * instructions more to reach anything. */
int32_t kbc_fully_connected_b1_lpm_popcount_scratch(const kbc_fully_connected_params *p)
{
    (void)p;
    return KBC_BLOCK * (4 + 2) + 2 * ONES - 1;
}

#if KBC_HAS_LPM

/* differences[i] += the ones of w[i] ^ x of a strip, for `count` outputs; `page` is the high byte of
 * the table's address. */
typedef void add_strip(uint16_t *differences, const uint8_t *w, const uint8_t *x,
                                 uint8_t count, uint8_t page);

/* Where the compiler passes them: r25:24, r23:22, r21:20, r18, r16. */
#define ADD_STRIP(name)                                                                       \
    __attribute__((naked, noinline)) static void name(                                        \
        KBC_UNUSED uint16_t *differences, KBC_UNUSED const uint8_t *w, KBC_UNUSED const uint8_t *x, \
        KBC_UNUSED uint8_t count, KBC_UNUSED uint8_t page)

#define FIRST(x) "lpm r26, Z+ \n eor r26, " x " \n ld r20, X \n"
#define NEXT(x) "lpm r26, Z+ \n eor r26, " x " \n ld r0, X \n add r20, r0 \n"
#define ENTER "movw r30, r22 \n movw r26, r20 \n push r28 \n push r29 \n movw r28, r24 \n"
#define LEAVE "pop r29 \n pop r28 \n ret \n"
#define ADD_UP                                                                          \
    "ld r0, Y \n add r0, r20 \n st Y+, r0 \n ld r0, Y \n adc r0, r1 \n st Y+, r0 \n" \
    "dec r18 \n breq 2f \n rjmp 1b \n 2: \n"

ADD_STRIP(add_long)
{
    __asm__(ENTER
            "push r2 \n push r3 \n push r4 \n push r5 \n push r6 \n push r7 \n push r8 \n"
            "push r9 \n push r10 \n push r11 \n push r12 \n push r13 \n push r14 \n push r15 \n"
            "push r17 \n"
            "ld r2, X+ \n ld r3, X+ \n ld r4, X+ \n ld r5, X+ \n ld r6, X+ \n ld r7, X+ \n"
            "ld r8, X+ \n ld r9, X+ \n ld r10, X+ \n ld r11, X+ \n ld r12, X+ \n ld r13, X+ \n"
            "ld r14, X+ \n ld r15, X+ \n ld r17, X+ \n ld r19, X+ \n"
            "mov r27, r16 \n"
            "1: \n"
            FIRST("r2") NEXT("r3") NEXT("r4") NEXT("r5") NEXT("r6") NEXT("r7") NEXT("r8")
            NEXT("r9") NEXT("r10") NEXT("r11") NEXT("r12") NEXT("r13") NEXT("r14") NEXT("r15")
            NEXT("r17") NEXT("r19")
            ADD_UP
            "pop r17 \n pop r15 \n pop r14 \n pop r13 \n pop r12 \n pop r11 \n pop r10 \n"
            "pop r9 \n pop r8 \n pop r7 \n pop r6 \n pop r5 \n pop r4 \n pop r3 \n pop r2 \n"
            LEAVE);
}

ADD_STRIP(add_short)
{
    __asm__(ENTER
            "ld r19, X+ \n ld r21, X+ \n ld r22, X+ \n ld r23, X+ \n"
            "mov r27, r16 \n"
            "1: \n"
            FIRST("r19") NEXT("r21") NEXT("r22") NEXT("r23")
            ADD_UP LEAVE);
}

/* ones[v] of every byte v; 8 at a time, whose high bits are the same. */
static void count_ones(uint8_t *ones)
{
    for (uint8_t high = 0; high < 32; ++high, ones += 8) {
        uint8_t n = 0;
        for (uint8_t bits = high; bits != 0; bits &= (uint8_t)(bits - 1)) {
            ++n;
        }
        ones[0] = n;
        ones[1] = ones[2] = ones[4] = (uint8_t)(n + 1);
        ones[3] = ones[5] = ones[6] = (uint8_t)(n + 2);
        ones[7] = (uint8_t)(n + 3);
    }
}

/* All strips of one length for `count` outputs from `first` on; gives what follows on x. */
static const uint8_t *add_strips(add_strip *add, uint8_t strips, uint8_t size,
                                 uint16_t *differences, const uint8_t *w, const uint8_t *x,
                                 uint8_t count, uint16_t outs, uint8_t page)
{
    for (; strips > 0; --strips, x += size, w += (uint16_t)size * outs) {
        add(differences, w, x, count, page);
    }
    return x;
}

/* Not inlined, for the registers that it takes. */
KBC_NOINLINE static void to_accumulators(int32_t *acc, const uint16_t *differences, uint8_t count,
                                         uint16_t k)
{
    do {
        *acc++ = (int16_t)(k - 2 * *differences++);
    } while (--count > 0);
}

kbc_status kbc_fully_connected_b1_lpm_popcount(const kbc_fully_connected_params *p,
                                               const void *inputs, const void *shortcut, void *y,
                                               void *scratch)
{
    const uint16_t outs = (uint16_t)p->out_features;
    const uint16_t words = (uint16_t)kbc_words(p->in_features);
    const uint8_t strips = (uint8_t)(words / 4), rest = (uint8_t)(words % 4);
    int32_t *const acc = scratch;
    uint16_t *const differences = (uint16_t *)(acc + KBC_BLOCK);
    const uintptr_t behind = (uintptr_t)(differences + KBC_BLOCK);
    uint8_t *const ones = (uint8_t *)((behind + ONES - 1) & ~(uintptr_t)(ONES - 1));
    const uint8_t page = (uint8_t)((uintptr_t)ones >> 8);
    const uint8_t *x = inputs;

    count_ones(ones);
    for (int32_t r = 0; r < p->rows; ++r, x += 4 * words) {
        for (uint16_t first = 0; first < outs; first += KBC_BLOCK) {
            const uint8_t count = (uint8_t)kbc_block((int32_t)outs - first);
            const uint8_t *const w = p->weights;
            const uint8_t *const tail = w + (uint16_t)strips * STRIP * outs;
            memset(differences, 0, sizeof(uint16_t[KBC_BLOCK]));
            const uint8_t *left = add_strips(add_long, strips, STRIP, differences,
                                             w + first * STRIP, x, count, outs, page);
            add_strips(add_short, rest, SHORT, differences, tail + first * SHORT, left, count,
                       outs, page);
            to_accumulators(acc, differences, count, (uint16_t)p->in_features);
            p->finish.function(&p->finish, acc, r, first, count, shortcut, y);
        }
    }
    return KBC_OK;
}

#endif
