/* Tables that vectors look up: what the kernels for Arm's M-profile vectors (MVE, Helium) share.
 *
 * A group of 8 inputs meets each of its 256 sign patterns in many outputs, so what the patterns
 * make of it is worked out once, in a table of 256 entries:
 *
 *     sum[i] = sum_b s(i, b) * (x[b] - zx),    s = -1 where bit b of i is 1, else +1
 *
 * A gather load looks up the patterns of 8 outputs at once: an instruction to load the 8 weight
 * bytes, one to gather and one to add are 3 for 64 products. The sums have 16 bits,
 * |sum[i]| <= 2040, so that 16 of them may be added before they must move on to 32 bits.
 *
 * Of one-bit inputs a table counts differing bits instead, in bytes, so that a vector looks up the
 * patterns of 16 outputs.
 *
 * A ternary weight is half the sum of two binary ones, the same two where it is not 0; so ternary
 * layers look up twice in the same tables.
 *
 * Instructions are what was counted here. On silicon a gather takes a cycle or so for each of its
 * lanes, and a vector a cycle for each half of it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_MVE_H
#define KBC_MVE_H

#include "one_bit.h"

enum {
    KBC_TABLE = 256, /* entries of a table */
    KBC_SUMS = 16,   /* sums that 16 bits can take: 16 * 8 * 255 <= 32767 */
    KBC_COUNTS = 31, /* counts that 8 bits can take: 31 * 8 <= 255 */
};

#if KBC_HAS_MVE

/* Not inlined: so that stacks do not add up, and assembly finds the registers that it names. */
#define KBC_APART static __attribute__((noinline, unused))

/* memset: the C library of small chips goes byte by byte. */
static inline void kbc_mve_set(void *target, int32_t value, int32_t bytes)
{
    __asm__ volatile("vdup.8 q0, %[value]\n"
                     "wlstp.8 lr, %[bytes], 2f\n"
                     "1:\n"
                     "vstrb.8 q0, [%[target]], #16\n"
                     "letp lr, 1b\n"
                     "2:\n"
                     : [target] "+r"(target)
                     : [value] "r"(value), [bytes] "r"(bytes)
                     : "memory", "lr", "q0");
}

/* 0 in n times 128 bytes. */
static inline void kbc_mve_clear(void *target, int32_t n)
{
    __asm__ volatile("vmov.i32 q0, #0\n"
                     "vmov q1, q0\n"
                     "vmov q2, q0\n"
                     "vmov q3, q0\n"
                     "vmov q4, q0\n"
                     "vmov q5, q0\n"
                     "vmov q6, q0\n"
                     "vmov q7, q0\n"
                     "wls lr, %[n], 2f\n"
                     "1:\n"
                     "vstmia %[target]!, {d0-d15}\n"
                     "le lr, 1b\n"
                     "2:\n"
                     : [target] "+r"(target)
                     : [n] "r"(n)
                     : "memory", "lr", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7");
}

/* The tables t[0], t[1], ... of n groups of 8 inputs, `stride` bytes apart: n > 0.
 *
 * 53 instructions each. The first 8 entries are all inputs' sum less twice those that a mask
 * chooses; the 8 vectors of bits 3 to 5 are stored at once, and twice an input subtracted from all
 * of them gives the next 8. */
#define KBC_SUM_TABLES(name, rest)                                                                \
    KBC_APART void name(int16_t *t, const int8_t *x, int32_t stride, int32_t n, int32_t zx)       \
    {                                                                                             \
        int32_t all, a, b, c, d;                                                                  \
                                                                                                  \
        __asm__ volatile("dls lr, %[n]\n"                                                         \
                         "1:\n"                                                                   \
                         "vldrb.s16 q0, [%[x]]\n"                                                 \
                         "vsub.i16 q0, q0, %[zx]\n"                                               \
                         "vaddv.s16 %[all], q0\n"                                                 \
                         "vadd.i16 q0, q0, q0\n"                                                  \
                         "vmov %[a], %[b], d0\n"                                                  \
                         "vmov %[c], %[d], d1\n"                                                  \
                         "vldmia %[masks], {d2-d7}\n"                                             \
                         "vdup.16 q0, %[all]\n"                                                   \
                         "vmla.s16 q0, q1, %[a]\n"                                                \
                         "lsrs %[a], %[a], #16\n"                                                 \
                         "vmla.s16 q0, q2, %[a]\n"                                                \
                         "vmla.s16 q0, q3, %[b]\n"                                                \
                         "lsrs %[b], %[b], #16\n"                                                 \
                         "vsub.i16 q1, q0, %[b]\n"                                                \
                         "vsub.i16 q2, q0, %[c]\n"                                                \
                         "vsub.i16 q3, q1, %[c]\n"                                                \
                         "lsrs %[c], %[c], #16\n"                                                 \
                         "vsub.i16 q4, q0, %[c]\n"                                                \
                         "vsub.i16 q5, q1, %[c]\n"                                                \
                         "vsub.i16 q6, q2, %[c]\n"                                                \
                         "vsub.i16 q7, q3, %[c]\n"                                                \
                         "vstmia %[t]!, {d0-d15}\n" rest                                          \
                         "add %[x], %[x], %[stride]\n"                                            \
                         "le lr, 1b\n"                                                            \
                         : [x] "+l"(x), [t] "+r"(t), [all] "=&Te"(all), [a] "=&r"(a),             \
                           [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d)                               \
                         : [n] "r"(n), [stride] "r"(stride), [zx] "r"(zx),                        \
                           [masks] "r"(kbc_mve_masks)                                             \
                         : "memory", "cc", "lr", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7"); \
    }
#define ALL(operation, by)                                                         \
    operation " q0, q0, %[" by "]\n" operation " q1, q1, %[" by "]\n"              \
    operation " q2, q2, %[" by "]\n" operation " q3, q3, %[" by "]\n"              \
    operation " q4, q4, %[" by "]\n" operation " q5, q5, %[" by "]\n"              \
    operation " q6, q6, %[" by "]\n" operation " q7, q7, %[" by "]\n"              \
    "vstmia %[t]!, {d0-d15}\n"

static const int16_t kbc_mve_masks[24] = {0, -1, 0, -1, 0, -1, 0, -1, 0, 0, -1, -1,
                                          0, 0, -1, -1, 0, 0, 0, 0, -1, -1, -1, -1};

KBC_SUM_TABLES(kbc_mve_sum_tables, ALL("vsub.i16", "d") "sub %[a], %[d], %[d], lsr #16\n"
                                       ALL("vadd.i16", "a") ALL("vsub.i16", "d"))

/* Their first quarters alone, in 30 instructions: for groups of 6 inputs or fewer. */
KBC_SUM_TABLES(kbc_mve_few_sum_tables, "add %[t], %[t], #384\n")

#undef ALL
#undef KBC_SUM_TABLES

/* The tables t[0], t[1], ... of n bytes of one-bit inputs, `stride` bytes apart: n > 0.
 *
 *     count[i] = the bits in which i differs from x
 *
 * 28 instructions each. The first 16 entries are those of the low bits, from a table, plus the high
 * bits of x; each high bit of i adds 1 where it is 0 in x, and takes 1 away where it is 1. */
KBC_APART void kbc_mve_count_tables(uint8_t *t, const uint8_t *x, int32_t stride, int32_t n)
{
    static const uint8_t low[16 * 16] = {
        0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
        1, 0, 2, 1, 2, 1, 3, 2, 2, 1, 3, 2, 3, 2, 4, 3,
        1, 2, 0, 1, 2, 3, 1, 2, 2, 3, 1, 2, 3, 4, 2, 3,
        2, 1, 1, 0, 3, 2, 2, 1, 3, 2, 2, 1, 4, 3, 3, 2,
        1, 2, 2, 3, 0, 1, 1, 2, 2, 3, 3, 4, 1, 2, 2, 3,
        2, 1, 3, 2, 1, 0, 2, 1, 3, 2, 4, 3, 2, 1, 3, 2,
        2, 3, 1, 2, 1, 2, 0, 1, 3, 4, 2, 3, 2, 3, 1, 2,
        3, 2, 2, 1, 2, 1, 1, 0, 4, 3, 3, 2, 3, 2, 2, 1,
        1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3,
        2, 1, 3, 2, 3, 2, 4, 3, 1, 0, 2, 1, 2, 1, 3, 2,
        2, 3, 1, 2, 3, 4, 2, 3, 1, 2, 0, 1, 2, 3, 1, 2,
        3, 2, 2, 1, 4, 3, 3, 2, 2, 1, 1, 0, 3, 2, 2, 1,
        2, 3, 3, 4, 1, 2, 2, 3, 1, 2, 2, 3, 0, 1, 1, 2,
        3, 2, 4, 3, 2, 1, 3, 2, 2, 1, 3, 2, 1, 0, 2, 1,
        3, 4, 2, 3, 2, 3, 1, 2, 2, 3, 1, 2, 1, 2, 0, 1,
        4, 3, 3, 2, 3, 2, 2, 1, 3, 2, 2, 1, 2, 1, 1, 0};
    static const int32_t high[16][5] = {
        {0, 1, 1, 1, 1}, {1, -1, 1, 1, 1}, {1, 1, -1, 1, 1}, {2, -1, -1, 1, 1}, {1, 1,
        1, -1, 1}, {2, -1, 1, -1, 1}, {2, 1, -1, -1, 1}, {3, -1, -1, -1, 1}, {1, 1, 1,
        1, -1}, {2, -1, 1, 1, -1}, {2, 1, -1, 1, -1}, {3, -1, -1, 1, -1}, {2, 1, 1, -1,
        -1}, {3, -1, 1, -1, -1}, {3, 1, -1, -1, -1}, {4, -1, -1, -1, -1}};

    __asm__ volatile(
        "dls lr, %[n]\n"
        "1:\n"
        "ldrb r4, [%[x]]\n"
        "and r5, r4, #15\n"
        "add r5, %[low], r5, lsl #4\n"
        "vldrb.u8 q0, [r5]\n"
        "lsrs r4, r4, #4\n"
        "add r4, r4, r4, lsl #2\n"
        "add r4, %[high], r4, lsl #2\n"
        "ldm r4, {r4-r6, r8, r9}\n"
        "vadd.i8 q0, q0, r4\n"
        "vadd.i8 q1, q0, r5\n"
        "vadd.i8 q2, q0, r6\n"
        "vadd.i8 q3, q1, r6\n"
        "vadd.i8 q4, q0, r8\n"
        "vadd.i8 q5, q1, r8\n"
        "vadd.i8 q6, q2, r8\n"
        "vadd.i8 q7, q3, r8\n"
        "vstmia %[t]!, {d0-d15}\n"
        "vadd.i8 q0, q0, r9\n"
        "vadd.i8 q1, q1, r9\n"
        "vadd.i8 q2, q2, r9\n"
        "vadd.i8 q3, q3, r9\n"
        "vadd.i8 q4, q4, r9\n"
        "vadd.i8 q5, q5, r9\n"
        "vadd.i8 q6, q6, r9\n"
        "vadd.i8 q7, q7, r9\n"
        "vstmia %[t]!, {d0-d15}\n"
        "add %[x], %[x], %[stride]\n"
        "le lr, 1b\n"
        : [x] "+r"(x), [t] "+r"(t)
        : [n] "r"(n), [stride] "r"(stride), [low] "r"(low), [high] "r"(high)
        : "memory", "cc", "lr", "r4", "r5", "r6", "r8", "r9", "q0", "q1", "q2", "q3", "q4", "q5",
          "q6", "q7");
}

#endif /* KBC_HAS_MVE */

#endif /* KBC_MVE_H */
