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
 * The floor of a look-up: a load of the byte, its address, a load of the entry, one of the
 * accumulators, four additions, a store: 9 instructions for 8 n multiply-accumulates on ARMv7-M,
 * which loads and stores four words at once, 13 on ARMv6-M, which has registers for two. A table
 * takes 6 instructions an entry, by doubling: entry[i + 2^b] = entry[i] + step[b].
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

/* to[i] = from[i] + step for i < n, a power of two from 4 on. */
static inline void kbc_octet_extend(kbc_octet *to, const kbc_octet *from, const kbc_octet *step,
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
KBC_OCTET_ALONE static void kbc_octet_build(kbc_octet *table, const kbc_octet *step, int32_t n)
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

#if KBC_OCTET_TERNARY

/* acc[f] += table[w[2 f]] - table[w[2 f + 1]] for f < n, a multiple of 4. */
KBC_OCTET_ALONE static void kbc_octet_add(kbc_octet *acc, const uint8_t *w, const kbc_octet *table, int32_t n)
{
    const kbc_octet *const end = acc + n;

#if defined(KBC_OCTET_THUMB2)
    uint32_t i;
    __asm__ volatile("1:\n\t"
                     ".rept 4\n\t"
                     "ldrb %[i], [%[w]], #1\n\t"
                     "ldm %[acc], {r4-r6, r8}\n\t"
                     "add %[i], %[table], %[i], lsl #4\n\t"
                     "ldm %[i], {r9, r10, r12, lr}\n\t"
                     "add r4, r9\n\t"
                     "add r5, r10\n\t"
                     "add r6, r12\n\t"
                     "add r8, lr\n\t"
                     "ldrb %[i], [%[w]], #1\n\t"
                     "add %[i], %[table], %[i], lsl #4\n\t"
                     "ldm %[i], {r9, r10, r12, lr}\n\t"
                     "sub r4, r9\n\t"
                     "sub r5, r10\n\t"
                     "sub r6, r12\n\t"
                     "sub r8, lr\n\t"
                     "stm %[acc]!, {r4-r6, r8}\n\t"
                     ".endr\n\t"
                     "cmp %[acc], %[end]\n\t"
                     "bne 1b"
                     : [acc] "+&r"(acc), [w] "+&r"(w), [i] "=&r"(i)
                     : [table] "r"(table), [end] "r"(end)
                     : "r4", "r5", "r6", "r8", "r9", "r10", "r12", "lr", "cc", "memory");
#elif defined(KBC_OCTET_THUMB1)
    register const kbc_octet *t __asm__("r4") = table;
    register const kbc_octet *stop __asm__("r5") = end;
    const kbc_octet *from = acc;
    uint32_t i;
#define KBC_LOOK_UP(plus, minus)                  \
    "mov r6, r10\n\t"                             \
    "ldrb %[i], [r6, #" #plus "]\n\t"             \
    "ldrb %[w], [r6, #" #minus "]\n\t"            \
    "lsl %[i], %[i], #4\n\t"                      \
    "lsl %[w], %[w], #4\n\t"                      \
    "add %[i], r8\n\t"                            \
    "add %[w], r8\n\t"                            \
    ".rept 2\n\t"                                 \
    "ldm %[from]!, {r4, r5}\n\t"                  \
    "ldm %[i]!, {r6, r7}\n\t"                     \
    "add r4, r6\n\t"                              \
    "add r5, r7\n\t"                              \
    "ldm %[w]!, {r6, r7}\n\t"                     \
    "sub r4, r6\n\t"                              \
    "sub r5, r7\n\t"                              \
    "stm %[acc]!, {r4, r5}\n\t"                   \
    ".endr\n\t"
    __asm__ volatile("mov r8, r4\n\t"
                     "mov r9, r5\n\t"
                     "mov r10, %[w]\n"
                     "1:\n\t" KBC_LOOK_UP(0, 1) KBC_LOOK_UP(2, 3) KBC_LOOK_UP(4, 5)
                     KBC_LOOK_UP(6, 7)
                     "mov r6, #8\n\t"
                     "add r10, r6\n\t"
                     "cmp %[acc], r9\n\t"
                     "bne 1b"
                     : [acc] "+&l"(acc), [from] "+&l"(from), [w] "+&l"(w), [i] "=&l"(i),
                       [t] "+&l"(t), [stop] "+&l"(stop)
                     :
                     : "r6", "r7", "r8", "r9", "r10", "cc", "memory");
#undef KBC_LOOK_UP
#else
    for (; acc < end; ++acc) {
        acc->word[0] += table[w[0]].word[0] - table[w[1]].word[0];
        acc->word[1] += table[w[0]].word[1] - table[w[1]].word[1];
        acc->word[2] += table[w[0]].word[2] - table[w[1]].word[2];
        acc->word[3] += table[w[0]].word[3] - table[w[1]].word[3];
        w += 2;
    }
#endif
}

#else

/* acc[f] += table[w[f]] for f < n, a multiple of 4. */
KBC_OCTET_ALONE static void kbc_octet_add(kbc_octet *acc, const uint8_t *w, const kbc_octet *table, int32_t n)
{
    const kbc_octet *const end = acc + n;

#if defined(KBC_OCTET_THUMB2)
    uint32_t i;
    __asm__ volatile("1:\n\t"
                     ".rept 4\n\t"
                     "ldrb %[i], [%[w]], #1\n\t"
                     "ldm %[acc], {r4-r6, r8}\n\t"
                     "add %[i], %[table], %[i], lsl #4\n\t"
                     "ldm %[i], {r9, r10, r12, lr}\n\t"
                     "add r4, r9\n\t"
                     "add r5, r10\n\t"
                     "add r6, r12\n\t"
                     "add r8, lr\n\t"
                     "stm %[acc]!, {r4-r6, r8}\n\t"
                     ".endr\n\t"
                     "cmp %[acc], %[end]\n\t"
                     "bne 1b"
                     : [acc] "+&r"(acc), [w] "+&r"(w), [i] "=&r"(i)
                     : [table] "r"(table), [end] "r"(end)
                     : "r4", "r5", "r6", "r8", "r9", "r10", "r12", "lr", "cc", "memory");
#elif defined(KBC_OCTET_THUMB1)
    register const kbc_octet *t __asm__("r4") = table;
    register const kbc_octet *stop __asm__("r5") = end;
    const kbc_octet *from = acc;
    uint32_t i;
#define KBC_LOOK_UP(number)                       \
    "ldrb %[i], [%[w], #" #number "]\n\t"         \
    "lsl %[i], %[i], #4\n\t"                      \
    "add %[i], r8\n\t"                            \
    ".rept 2\n\t"                                 \
    "ldm %[from]!, {r4, r5}\n\t"                  \
    "ldm %[i]!, {r6, r7}\n\t"                     \
    "add r4, r6\n\t"                              \
    "add r5, r7\n\t"                              \
    "stm %[acc]!, {r4, r5}\n\t"                   \
    ".endr\n\t"
    __asm__ volatile("mov r8, r4\n\t"
                     "mov r9, r5\n"
                     "1:\n\t" KBC_LOOK_UP(0) KBC_LOOK_UP(1) KBC_LOOK_UP(2) KBC_LOOK_UP(3)
                     "add %[w], #4\n\t"
                     "cmp %[acc], r9\n\t"
                     "bne 1b"
                     : [acc] "+&l"(acc), [from] "+&l"(from), [w] "+&l"(w), [i] "=&l"(i),
                       [t] "+&l"(t), [stop] "+&l"(stop)
                     :
                     : "r6", "r7", "r8", "r9", "cc", "memory");
#undef KBC_LOOK_UP
#else
    for (; acc < end; ++acc) {
        kbc_octet_sum(acc, acc, &table[*w++]);
    }
#endif
}


#endif /* KBC_OCTET_TERNARY */

#endif /* KBC_OCTET_TABLES_H */
