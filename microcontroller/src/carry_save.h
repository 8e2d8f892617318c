/* How often the bits of 8 words are 1, by carry-save addition.
 *
 * A full adder makes of three words their sum and their carry, bit by bit, so that 7 words become
 * three that count 1, 2 and 4, and fewer words are left whose bits have to be added up:
 *
 *     (s1, m1) = d0 + d1 + d2    (s2, m2) = d3 + d4 + d5    (ones, m3) = s1 + s2 + d6
 *     (twos, fours) = m1 + m2 + m3
 *     count = bits(ones) + bits(d7) + 2 bits(twos) + 4 bits(fours)
 *
 * With one-bit weights d = w ^ x, and a sum of three is a sum of their w and x each. So layout
 * `carry_save` stores, and kbc_carry_save_inputs makes of x, what an adder wants:
 *
 *     a = d0, p = d0 ^ d1, t = d1 ^ d2:    s1 = a ^ t,    m1 = a ^ (p & ~t)
 *
 * and s2 ^ d6 in the place of d6. That spares 5 operations of 27. Ternary weights, d = (w ^ x) & u,
 * are no such sums.
 *
 * Instructions an output and 256 inputs: 67 on a Cortex-M4 (0.26 a weight), 69 on a Cortex-M3, 94
 * on ARMv6-M; of ternary weights 79, 81 and 124. 29 of the first make ones, d7, twos and fours, 30
 * add up their bits: with 16 words in the adders it would be 0.22, for more registers than there
 * are. Tables of counts (a byte of weights looks one up) take 3 instructions for 8 inputs, 0.38.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_CARRY_SAVE_H
#define KBC_CARRY_SAVE_H

#include "one_bit.h"
#include "thumb.h"

enum { KBC_GROUP = 8 }; /* words */

/* y[KBC_GROUP]: x as the adders want it. */
static inline void kbc_carry_save_inputs(uint32_t *y, const uint32_t *x)
{
    y[0] = x[0];
    y[1] = x[0] ^ x[1];
    y[2] = x[1] ^ x[2];
    y[3] = x[3];
    y[4] = x[3] ^ x[4];
    y[5] = x[4] ^ x[5];
    y[6] = x[3] ^ x[4] ^ x[5] ^ x[6];
    y[7] = x[7];
}

/* acc[o] -= 2 * (differing bits of a group): of one-bit weights w [outs][KBC_GROUP] in the layout, x
 * from kbc_carry_save_inputs; of ternary weights w [outs][2 * KBC_GROUP] in their layout, signs and
 * used in turn, three words or one at a time as the adders want them, x as it is. */
typedef void kbc_count_function(int32_t *acc, const uint32_t *w, int32_t outs, const uint32_t *x);

#if KBC_THUMB == 2

/* From a, p and t to the sum, in place of a, and the carry. */
#define ADD_3(a, p, t) \
    "bic " p ", " t " \n eor " p ", " a " \n eor " a ", " t " \n"
#define PAIRS(v) "and r8, r4, " v ", lsr #1 \n sub " v ", r8 \n"
#define NIBBLES(v) "and r8, lr, " v ", lsr #2 \n and " v ", lr \n add " v ", r8 \n"
#define BYTES(v) "and r8, r12, " v ", lsr #4 \n and " v ", r12 \n add " v ", r8 \n"
#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
#define ADD_BYTES(v)  \
    "mov r8, #0 \n"        \
    "usad8 " v ", " v ", r8 \n"
#else
#define ADD_BYTES(v)                     \
    "add " v ", " v ", " v ", lsl #16 \n" \
    "lsr r8, " v ", #24 \n"                 \
    "ubfx " v ", " v ", #16, #8 \n"       \
    "add " v ", r8 \n"
#endif

/* The masks, and acc + outs; then the counts of r6 = m1, r8 = m2, r7 = m3, r5 = ones, r10 = d7. */
#define BEGIN                      \
    "push {r4-r11, lr} \n"         \
    "add r2, r0, r2, lsl #2 \n"    \
    "mov r4, #0x55555555 \n"       \
    "mov lr, #0x33333333 \n"       \
    "1: \n"
#define END                        \
    "eor r9, r6, r8 \n"            \
    "eor r11, r6, r7 \n"           \
    "eor r7, r9 \n" /* twos */     \
    "and r9, r11 \n"               \
    "eor r6, r9 \n" /* fours */    \
    PAIRS("r5") PAIRS("r10") PAIRS("r7") PAIRS("r6")         \
    NIBBLES("r5") NIBBLES("r10") NIBBLES("r7") NIBBLES("r6") \
    "add r5, r10 \n"               \
    "add r7, r7, r6, lsl #1 \n"    \
    "mov r12, #0x0f0f0f0f \n"      \
    BYTES("r5") BYTES("r7")        \
    "add r5, r5, r7, lsl #1 \n"    \
    ADD_BYTES("r5")           \
    "ldr r8, [r0] \n"              \
    "sub r8, r8, r5, lsl #1 \n"    \
    "str r8, [r0], #4 \n"          \
    "sub r3, #32 \n"               \
    "cmp r0, r2 \n"                \
    "bne 1b \n"                    \
    "pop {r4-r11, pc} \n"

KBC_NAKED static void kbc_count_group(int32_t *acc, const uint32_t *w, int32_t outs,
                                      const uint32_t *x)
{
    __asm__(BEGIN
            "ldm r1!, {r5, r6, r7} \n"
            "ldm r3!, {r8, r9, r10} \n"
            "eor r5, r8 \n"
            "eor r6, r9 \n"
            "eor r7, r10 \n"
            ADD_3("r5", "r6", "r7")
            "ldm r1!, {r7, r8, r9} \n"
            "ldm r3!, {r10, r11, r12} \n"
            "eor r7, r10 \n"
            "eor r8, r11 \n"
            "eor r9, r12 \n"
            ADD_3("r7", "r8", "r9")
            "ldm r1!, {r9, r10} \n"
            "ldm r3!, {r11, r12} \n"
            "eor r9, r11 \n"
            "eor r10, r12 \n"
            "eor r7, r5 \n"
            "bic r7, r9 \n"
            "eor r7, r5 \n"
            "eor r5, r9 \n"
            END);
}

/* The sum in place of c, the carry in place of a. */
#define ADD(a, b, c, t)                                                               \
    "eor " t ", " a ", " b " \n eor " b ", " a ", " c " \n eor " c ", " t " \n" \
    "and " b ", " t " \n eor " a ", " b " \n"
#define NEXT(d) \
    "ldm r1!, {" d ", r11} \n ldr r12, [r3], #4 \n eor " d ", r12 \n and " d ", r11 \n"

KBC_NAKED static void kbc_count_ternary_group(int32_t *acc, const uint32_t *w, int32_t outs,
                                              const uint32_t *x)
{
    __asm__(BEGIN
            "ldm r1!, {r5, r6, r7} \n"
            "ldm r3!, {r8, r9, r10} \n"
            "eor r5, r8 \n"
            "eor r6, r9 \n"
            "eor r7, r10 \n"
            "ldm r1!, {r8, r9, r10} \n"
            "and r5, r8 \n"
            "and r6, r9 \n"
            "and r7, r10 \n"
            ADD("r6", "r7", "r5", "r8")
            "ldm r1!, {r7, r8, r9} \n"
            "ldm r3!, {r10, r11, r12} \n"
            "eor r7, r10 \n"
            "eor r8, r11 \n"
            "eor r9, r12 \n"
            "ldm r1!, {r10, r11, r12} \n"
            "and r7, r10 \n"
            "and r8, r11 \n"
            "and r9, r12 \n"
            ADD("r8", "r9", "r7", "r10")
            NEXT("r9")
            ADD("r7", "r9", "r5", "r11")
            NEXT("r10")
            END);
}

#elif KBC_THUMB == 1

#define ADD_3(a, p, t) \
    "bics " p ", " t " \n eors " p ", " a " \n eors " a ", " t " \n"
#define PAIRS(v) "lsrs r5, " v ", #1 \n ands r5, r4 \n subs " v ", r5 \n"
#define NIBBLES(v) "lsrs r5, " v ", #2 \n ands r5, r4 \n ands " v ", r4 \n adds " v ", r5 \n"
#define BYTES(v) "lsrs r5, " v ", #4 \n ands r5, r4 \n ands " v ", r4 \n adds " v ", r5 \n"

/* The masks in r8, r9 and r10, acc in r12, acc + outs in lr; then the counts of r3 = m1, r5 = m2,
 * r4 = m3, r2 = ones, and d7, which `seventh` loads into r3. */
#define BEGIN                      \
    ".syntax unified \n"           \
    "push {r4-r7, lr} \n"          \
    "mov r4, r8 \n"                \
    "mov r5, r9 \n"                \
    "mov r6, r10 \n"               \
    "push {r4-r6} \n"              \
    "mov r12, r0 \n"               \
    "lsls r2, r2, #2 \n"           \
    "adds r2, r0 \n"               \
    "mov lr, r2 \n"                \
    "movs r0, r1 \n"               \
    "movs r1, r3 \n"               \
    "ldr r4, 4f \n"                \
    "mov r8, r4 \n"                \
    "ldr r4, 4f + 4 \n"            \
    "mov r9, r4 \n"                \
    "ldr r4, 4f + 8 \n"            \
    "mov r10, r4 \n"               \
    "1: \n"
#define END(seventh)                \
    "movs r6, r3 \n"               \
    "eors r6, r5 \n"               \
    "movs r7, r3 \n"               \
    "eors r7, r4 \n"               \
    "ands r7, r6 \n"               \
    "eors r7, r3 \n" /* fours */   \
    "eors r6, r4 \n" /* twos */    \
    seventh                        \
    "mov r4, r8 \n"                \
    PAIRS("r2") PAIRS("r3") PAIRS("r6") PAIRS("r7")         \
    "mov r4, r9 \n"                \
    NIBBLES("r2") NIBBLES("r3") NIBBLES("r6") NIBBLES("r7") \
    "adds r2, r3 \n"               \
    "lsls r7, r7, #1 \n"           \
    "adds r6, r7 \n"               \
    "mov r4, r10 \n"               \
    BYTES("r2") BYTES("r6")        \
    "lsls r6, r6, #1 \n"           \
    "adds r2, r6 \n"               \
    "lsls r6, r2, #16 \n" /* the sum of 4 bytes takes 9 bits */ \
    "adds r2, r6 \n"               \
    "lsrs r6, r2, #24 \n"          \
    "lsls r2, r2, #8 \n"           \
    "lsrs r2, r2, #24 \n"          \
    "adds r2, r6 \n"               \
    "lsls r2, r2, #1 \n"           \
    "mov r4, r12 \n"               \
    "ldr r3, [r4] \n"              \
    "subs r3, r2 \n"               \
    "stmia r4!, {r3} \n"           \
    "subs r1, #32 \n"              \
    "mov r12, r4 \n"               \
    "cmp r4, lr \n"                \
    "beq 2f \n"                    \
    "b 1b \n"                      \
    "2: pop {r4-r6} \n"            \
    "mov r8, r4 \n"                \
    "mov r9, r5 \n"                \
    "mov r10, r6 \n"               \
    "pop {r4-r7, pc} \n"           \
    ".balign 4 \n"                 \
    "4: .word 0x55555555, 0x33333333, 0x0f0f0f0f \n"

#define NEXT(v) "ldmia r1!, {r7} \n eors " v ", r7 \n"

KBC_NAKED static void kbc_count_group(int32_t *acc, const uint32_t *w, int32_t outs,
                                      const uint32_t *x)
{
    __asm__(BEGIN
            "ldmia r0!, {r2, r3, r4} \n"
            "ldmia r1!, {r5, r6, r7} \n"
            "eors r2, r5 \n"
            "eors r3, r6 \n"
            "eors r4, r7 \n"
            ADD_3("r2", "r3", "r4")
            "ldmia r0!, {r4, r5, r6} \n"
            NEXT("r4") NEXT("r5") NEXT("r6")
            ADD_3("r4", "r5", "r6")
            "ldmia r0!, {r6} \n"
            NEXT("r6")
            "eors r4, r2 \n"
            "bics r4, r6 \n"
            "eors r4, r2 \n"
            "eors r2, r6 \n"
            END("ldmia r0!, {r3} \n ldmia r1!, {r4} \n eors r3, r4 \n"));
}

/* The sum in place of c, the carry in place of a. */
#define ADD(a, b, c, t)                                                              \
    "movs " t ", " a " \n eors " t ", " b " \n movs " b ", " a " \n eors " b ", " c " \n" \
    "eors " c ", " t " \n ands " b ", " t " \n eors " a ", " b " \n"
#define USED(v) "ldmia r0!, {r7} \n ands " v ", r7 \n"

KBC_NAKED static void kbc_count_ternary_group(int32_t *acc, const uint32_t *w, int32_t outs,
                                              const uint32_t *x)
{
    __asm__(BEGIN
            "ldmia r0!, {r2, r3, r4} \n"
            "ldmia r1!, {r5, r6, r7} \n"
            "eors r2, r5 \n"
            "eors r3, r6 \n"
            "eors r4, r7 \n"
            "ldmia r0!, {r5, r6, r7} \n"
            "ands r2, r5 \n"
            "ands r3, r6 \n"
            "ands r4, r7 \n"
            ADD("r3", "r4", "r2", "r5")
            "ldmia r0!, {r4, r5, r6} \n"
            NEXT("r4") NEXT("r5") NEXT("r6")
            USED("r4") USED("r5") USED("r6")
            ADD("r5", "r6", "r4", "r7")
            "ldmia r0!, {r6} \n"
            NEXT("r6") USED("r6")
            ADD("r4", "r6", "r2", "r7")
            END("ldmia r0!, {r3, r4} \n ands r3, r4 \n"
                "ldmia r1!, {r5} \n ands r5, r4 \n eors r3, r5 \n"));
}

#else

/* Bits of each nibble. */
static inline uint32_t kbc_nibble_counts(uint32_t v)
{
    v -= v >> 1 & 0x55555555u;
    return (v & 0x33333333u) + (v >> 2 & 0x33333333u);
}

/* Sums of the two nibbles of each byte. */
static inline uint32_t kbc_byte_sums(uint32_t v)
{
    return (v & 0x0f0f0f0fu) + (v >> 4 & 0x0f0f0f0fu);
}

static inline int32_t kbc_sum_of_bytes(uint32_t v)
{
    const uint32_t pairs = (v & 0x00ff00ffu) + (v >> 8 & 0x00ff00ffu);
    return (int32_t)(pairs * 0x00010001u >> 16);
}

/* The sum of three words and, in `carry`, what it carries. */
static inline uint32_t kbc_add_3(uint32_t a, uint32_t b, uint32_t c, uint32_t *carry)
{
    const uint32_t u = a ^ b;
    *carry = a ^ (u & (a ^ c));
    return u ^ c;
}

/* A group whose bits are those of ones and last, twice those of twos, and four times those of
 * fours. */
typedef struct {
    uint32_t ones, last, twos, fours;
} kbc_group_bits;

static inline kbc_group_bits kbc_add_group(const uint32_t *w, const uint32_t *x)
{
    const uint32_t a1 = w[0] ^ x[0], p1 = w[1] ^ x[1], t1 = w[2] ^ x[2];
    const uint32_t a2 = w[3] ^ x[3], p2 = w[4] ^ x[4], t2 = w[5] ^ x[5];
    const uint32_t s1 = a1 ^ t1, s2 = a2 ^ t2, t3 = w[6] ^ x[6];
    const uint32_t m3 = s1 ^ ((s1 ^ s2) & ~t3);
    kbc_group_bits sum = {s1 ^ t3, w[7] ^ x[7], 0, 0};
    sum.twos = kbc_add_3(a1 ^ (p1 & ~t1), a2 ^ (p2 & ~t2), m3, &sum.fours);
    return sum;
}

static inline int32_t kbc_count_bits(kbc_group_bits v)
{
    const uint32_t low = kbc_nibble_counts(v.ones) + kbc_nibble_counts(v.last);
    const uint32_t high = kbc_nibble_counts(v.twos) + 2 * kbc_nibble_counts(v.fours);
    return kbc_sum_of_bytes(kbc_byte_sums(low) + 2 * kbc_byte_sums(high));
}

static inline void kbc_count_group(int32_t *acc, const uint32_t *w, int32_t outs,
                                   const uint32_t *x)
{
    for (const int32_t *end = acc + outs; acc < end; ++acc, w += KBC_GROUP) {
        *acc -= 2 * kbc_count_bits(kbc_add_group(w, x));
    }
}

/* The same of 3 groups, `outs` groups of weights apart: adding up the three before their bits are
 * counted leaves 6 words to count and not 12, for 6 additions. It takes the registers of a RISC-V: 237
 * instructions for 768 inputs, 0.31 a weight, and 91 for a group of 256, 0.36. */
static inline void kbc_count_3_groups(int32_t *acc, const uint32_t *w, int32_t outs,
                                      const uint32_t *x)
{
    const uint32_t *w2 = w + outs * KBC_GROUP, *w3 = w2 + outs * KBC_GROUP;

    for (const int32_t *end = acc + outs; acc < end; ++acc) {
        const kbc_group_bits a = kbc_add_group(w, x);
        KBC_IN_ORDER();
        const kbc_group_bits b = kbc_add_group(w2, x + KBC_GROUP);
        KBC_IN_ORDER();
        const kbc_group_bits c = kbc_add_group(w3, x + 2 * KBC_GROUP);
        uint32_t m1, m2, m3, m4, m5, m6;
        const uint32_t ones = kbc_add_3(a.ones, b.ones, c.ones, &m1);
        const uint32_t last = kbc_add_3(a.last, b.last, c.last, &m2);
        const uint32_t some_twos = kbc_add_3(a.twos, b.twos, c.twos, &m3);
        const uint32_t twos = kbc_add_3(some_twos, m1, m2, &m4);
        const uint32_t some_fours = kbc_add_3(a.fours, b.fours, c.fours, &m5);
        const uint32_t fours = kbc_add_3(some_fours, m3, m4, &m6);
        const uint32_t low = kbc_nibble_counts(ones) + kbc_nibble_counts(last);
        const uint32_t high = kbc_nibble_counts(twos) + 2 * kbc_nibble_counts(fours);
        const uint32_t eights = kbc_nibble_counts(m5) + kbc_nibble_counts(m6);
        *acc -= 2 * kbc_sum_of_bytes(kbc_byte_sums(low) + 2 * kbc_byte_sums(high) +
                                     8 * kbc_byte_sums(eights));
        w += KBC_GROUP;
        w2 += KBC_GROUP;
        w3 += KBC_GROUP;
    }
}

static inline void kbc_count_ternary_group(int32_t *acc, const uint32_t *w, int32_t outs,
                                           const uint32_t *x)
{
    for (const int32_t *end = acc + outs; acc < end; ++acc, w += 2 * KBC_GROUP) {
        kbc_group_bits v;
        uint32_t m1, m2, m3;
        const uint32_t s1 = kbc_add_3((w[0] ^ x[0]) & w[3], (w[1] ^ x[1]) & w[4],
                                      (w[2] ^ x[2]) & w[5], &m1);
        const uint32_t s2 = kbc_add_3((w[6] ^ x[3]) & w[9], (w[7] ^ x[4]) & w[10],
                                      (w[8] ^ x[5]) & w[11], &m2);
        v.ones = kbc_add_3(s2, s1, (w[12] ^ x[6]) & w[13], &m3);
        v.last = (w[14] ^ x[7]) & w[15];
        v.twos = kbc_add_3(m1, m2, m3, &v.fours);
        *acc -= 2 * kbc_count_bits(v);
    }
}

#endif

#undef ADD_3
#undef ADD
#undef USED
#undef PAIRS
#undef NIBBLES
#undef BYTES
#undef ADD_BYTES
#undef BEGIN
#undef END
#undef NEXT

#endif /* KBC_CARRY_SAVE_H */
