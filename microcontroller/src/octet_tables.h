/* Tables of partial sums for eight pixels at a time.
 *
 * A group of n <= 8 inputs meets each of its 2^n patterns of weight bits in many filters, so the
 * sums of its subsets are worked out once, for eight pixels, and looked up by a weight byte:
 *
 *     entry[i] = sum over the bits b of i of step[b],    step[b] = x[b] - zx of each pixel
 *
 * An entry is four words of two 16-bit lanes, pixel 2 v in the low half of word v. Its words are
 * the numbers 2^16 * high + low, whatever the signs of the two: sums of entries stay exact as long
 * as, with what the accumulator began with, every lane *ends* in 0..65535.
 *
 * A table takes 6 instructions an entry, by doubling: entry[i + 2^b] = entry[i] + step[b].
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_OCTET_TABLES_H
#define KBC_OCTET_TABLES_H

#include "kbc/kbc.h"
#include "thumb.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Pairs of sums are laid out for little-endian cores."
#endif

/* Inline assembly that takes nearly all registers, for compilers that leave them free. */
#if KBC_THUMB && defined(__OPTIMIZE__)
#if KBC_THUMB == 2
#define KBC_OCTET_THUMB2 1
#else
#define KBC_OCTET_THUMB1 1
#endif
/* With all registers to itself, the frame pointer's too. */
#define KBC_OCTET_ALONE __attribute__((noinline, optimize("omit-frame-pointer")))
#else
#define KBC_OCTET_ALONE
#endif

enum { KBC_LANES = 8, KBC_OCTET_WORDS = 4, KBC_GROUP = 8 };

typedef union {
    uint32_t word[KBC_OCTET_WORDS];
    uint16_t lane[KBC_LANES];
} kbc_octet;

static inline void kbc_octet_fill(kbc_octet *t, uint32_t lane)
{
    const uint32_t both = lane * 0x10001u;

    t->word[0] = both;
    t->word[1] = both;
    t->word[2] = both;
    t->word[3] = both;
}

static inline void kbc_octet_sum(kbc_octet *sum, const kbc_octet *a, const kbc_octet *b)
{
    sum->word[0] = a->word[0] + b->word[0];
    sum->word[1] = a->word[1] + b->word[1];
    sum->word[2] = a->word[2] + b->word[2];
    sum->word[3] = a->word[3] + b->word[3];
}

static inline uint32_t kbc_octet_pair(int8_t low, int8_t high, uint32_t both)
{
    return (uint32_t)low + ((uint32_t)high << 16) - both;
}

/* step[b] of n inputs from `input` on. */
KBC_OCTET_ALONE static void kbc_octet_steps(kbc_octet *step, const int8_t *const *pixel,
                                            int32_t input, int32_t n, int32_t zx)
{
    const uint32_t both = 0x10001u * (uint32_t)zx;

    for (int32_t v = 0; v < KBC_OCTET_WORDS; ++v) {
        const int8_t *low = pixel[2 * v] + input, *high = pixel[2 * v + 1] + input;
        uint32_t *to = &step->word[v];
        int32_t left = n;
        for (; left >= 4; left -= 4, low += 4, high += 4, to += 4 * KBC_OCTET_WORDS) {
            to[0] = kbc_octet_pair(low[0], high[0], both);
            to[KBC_OCTET_WORDS] = kbc_octet_pair(low[1], high[1], both);
            to[2 * KBC_OCTET_WORDS] = kbc_octet_pair(low[2], high[2], both);
            to[3 * KBC_OCTET_WORDS] = kbc_octet_pair(low[3], high[3], both);
        }
        for (; left > 0; --left, to += KBC_OCTET_WORDS) {
            *to = kbc_octet_pair(*low++, *high++, both);
        }
    }
}

/* to[i] = from[i] + step for i < n, a power of two from 8 on. */
#if defined(KBC_OCTET_THUMB2)

/* Steps and sums fill the registers: the end waits on the stack. */
KBC_NAKED static void kbc_octet_extend(kbc_octet *to, const kbc_octet *from,
                                       const kbc_octet *step, int32_t n)
{
    __asm__("push {r4-r11, lr} \n"
            "mov r7, r0 \n"
            "mov r11, r1 \n"
            "add r3, r1, r3, lsl #4 \n"
            "push {r3} \n"
            "ldm r2, {r0-r3} \n"
            "1: \n"
            ".rept 4 \n"
            "ldm r11!, {r4-r6, r8-r10, r12, lr} \n"
            "add r4, r0 \n"
            "add r5, r1 \n"
            "add r6, r2 \n"
            "add r8, r3 \n"
            "add r9, r0 \n"
            "add r10, r1 \n"
            "add r12, r2 \n"
            "add lr, r3 \n"
            "stm r7!, {r4-r6, r8-r10, r12, lr} \n"
            ".endr \n"
            "ldr r4, [sp] \n"
            "cmp r11, r4 \n"
            "bne 1b \n"
            "pop {r3-r11, pc} \n");
}

#elif defined(KBC_OCTET_THUMB1)

KBC_NAKED static void kbc_octet_extend(kbc_octet *to, const kbc_octet *from,
                                       const kbc_octet *step, int32_t n)
{
    __asm__(".syntax unified \n"
            "push {r4-r7, lr} \n"
            "mov r4, r8 \n mov r5, r9 \n mov r6, r10 \n mov r7, r11 \n"
            "push {r4-r7} \n"
            "lsls r3, r3, #4 \n"
            "adds r3, r3, r1 \n"
            "ldm r2!, {r4-r7} \n"
            "mov r8, r4 \n mov r9, r5 \n mov r10, r6 \n mov r11, r7 \n"
            "1: \n"
            ".rept 8 \n"
            "ldm r1!, {r4-r7} \n"
            "add r4, r8 \n"
            "add r5, r9 \n"
            "add r6, r10 \n"
            "add r7, r11 \n"
            "stm r0!, {r4-r7} \n"
            ".endr \n"
            "cmp r1, r3 \n"
            "bne 1b \n"
            "pop {r4-r7} \n"
            "mov r8, r4 \n mov r9, r5 \n mov r10, r6 \n mov r11, r7 \n"
            "pop {r4-r7, pc} \n");
}

#else

static void kbc_octet_extend(kbc_octet *to, const kbc_octet *from, const kbc_octet *step,
                             int32_t n)
{
    for (const kbc_octet *const end = from + n; from < end; ++from, ++to) {
        kbc_octet_sum(to, from, step);
    }
}

#endif

/* The 2^n entries of n inputs. */
static void kbc_octet_build(kbc_octet *table, const kbc_octet *step, int32_t n)
{
    kbc_octet_fill(&table[0], 0);
    table[1] = step[0];
    if (n > 1) {
        table[2] = step[1];
        kbc_octet_sum(&table[3], &step[0], &step[1]);
    }
    if (n > 2) {
        table[4] = step[2];
        kbc_octet_sum(&table[5], &step[0], &step[2]);
        kbc_octet_sum(&table[6], &step[1], &step[2]);
        kbc_octet_sum(&table[7], &table[3], &step[2]);
    }
    for (int32_t b = 3; b < n; ++b) {
        kbc_octet_extend(table + (1 << b), table, &step[b], 1 << b);
    }
}

#endif /* KBC_OCTET_TABLES_H */
