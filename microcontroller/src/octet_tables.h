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

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Pairs of sums are laid out for little-endian cores."
#endif

/* Inline assembly that takes nearly all registers, for compilers that leave them free. */
#if defined(__GNUC__) && defined(__OPTIMIZE__) && defined(__thumb__)
#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB == 2
#define KBC_OCTET_THUMB2 1
#else
#define KBC_OCTET_THUMB1 1
#endif
#define KBC_OCTET_ALONE __attribute__((noinline)) /* with all registers to itself */
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
static void kbc_octet_steps(kbc_octet *step, const int8_t *const *pixel, int32_t input, int32_t n,
                            int32_t zx)
{
    const uint32_t both = 0x10001u * (uint32_t)zx;

    for (int32_t v = 0; v < KBC_OCTET_WORDS; ++v) {
        const int8_t *low = pixel[2 * v] + input, *high = pixel[2 * v + 1] + input;
        kbc_octet *s = step;
        int32_t left = n;
        for (; left >= 4; left -= 4) {
            s[0].word[v] = kbc_octet_pair(low[0], high[0], both);
            s[1].word[v] = kbc_octet_pair(low[1], high[1], both);
            s[2].word[v] = kbc_octet_pair(low[2], high[2], both);
            s[3].word[v] = kbc_octet_pair(low[3], high[3], both);
            low += 4;
            high += 4;
            s += 4;
        }
        for (; left > 0; --left, ++s) {
            s->word[v] = kbc_octet_pair(*low++, *high++, both);
        }
    }
}

/* to[i] = from[i] + step for i < n, a power of two from 4 on. */
KBC_OCTET_ALONE static void kbc_octet_extend(kbc_octet *to, const kbc_octet *from, const kbc_octet *step,
                                    int32_t n)
{
    const kbc_octet *const end = from + n;

#if defined(KBC_OCTET_THUMB2)
    /* Steps and sums fill the registers: the end waits on the stack. */
    register const kbc_octet *s __asm__("r4") = step;
    register const kbc_octet *stop __asm__("r5") = end;
    __asm__ volatile("ldm %[s], {r0-r3}\n\t"
                     "push {r5}\n"
                     "1:\n\t"
                     ".rept 2\n\t"
                     "ldm %[from]!, {r4-r6, r8-r10, r12, lr}\n\t"
                     "add r4, r0\n\t"
                     "add r5, r1\n\t"
                     "add r6, r2\n\t"
                     "add r8, r3\n\t"
                     "add r9, r0\n\t"
                     "add r10, r1\n\t"
                     "add r12, r2\n\t"
                     "add lr, r3\n\t"
                     "stm %[to]!, {r4-r6, r8-r10, r12, lr}\n\t"
                     ".endr\n\t"
                     "ldr r4, [sp]\n\t"
                     "cmp %[from], r4\n\t"
                     "bne 1b\n\t"
                     "add sp, #4"
                     : [to] "+&r"(to), [from] "+&r"(from), [s] "+r"(s), "+r"(stop)
                     :
                     : "r0", "r1", "r2", "r3", "r6", "r8", "r9", "r10", "r12", "lr", "cc",
                       "memory");
#elif defined(KBC_OCTET_THUMB1)
    __asm__ volatile("ldm %[step]!, {r4-r7}\n\t"
                     "mov r8, r4\n\t"
                     "mov r9, r5\n\t"
                     "mov r10, r6\n\t"
                     "mov r11, r7\n"
                     "1:\n\t"
                     ".rept 4\n\t"
                     "ldm %[from]!, {r4-r7}\n\t"
                     "add r4, r8\n\t"
                     "add r5, r9\n\t"
                     "add r6, r10\n\t"
                     "add r7, r11\n\t"
                     "stm %[to]!, {r4-r7}\n\t"
                     ".endr\n\t"
                     "cmp %[from], %[end]\n\t"
                     "bne 1b"
                     : [to] "+&l"(to), [from] "+&l"(from), [step] "+&l"(step)
                     : [end] "r"(end)
                     : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "cc", "memory");
#else
    for (; from < end; ++from, ++to) {
        kbc_octet_sum(to, from, step);
    }
#endif
}

/* The 2^n entries of n inputs. */
static void kbc_octet_build(kbc_octet *table, const kbc_octet *step, int32_t n)
{
    kbc_octet_fill(&table[0], 0);
    table[1] = step[0];
    if (n > 1) {
        table[2] = step[1];
        kbc_octet_sum(&table[3], &step[0], &step[1]);
    }
    for (int32_t b = 2; b < n; ++b) {
        kbc_octet_extend(table + (1 << b), table, &step[b], 1 << b);
    }
}

#endif /* KBC_OCTET_TABLES_H */
