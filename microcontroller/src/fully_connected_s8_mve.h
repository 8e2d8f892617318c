/* Fully connected, few-bit weights, int8 activations, by vectors: what binary and ternary share.
 *
 *     acc[o] = sum over the groups of 8 inputs of sum[byte of w[o]]     (mve.h)
 *
 * Eight tables, of 64 inputs, are looked up in one pass over the outputs, 8 of them at a time,
 * whose sums stay in a register: 3 instructions a table and 8 outputs, and 7 to add them to 32
 * bits, are 0.06 a product. Layout `mve_lanes` has the weight bytes in that order: 64 inputs, 8
 * outputs, group, plane, and at last the outputs, in which the even lanes are outputs 0 to 3 and
 * the odd ones 4 to 7, because widening takes every other lane.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_FULLY_CONNECTED_S8_MVE_H
#define KBC_FULLY_CONNECTED_S8_MVE_H

#include <string.h>

#include "mve.h"

enum {
    LANES = 8, /* outputs of a vector */
    GROUP = 8, /* inputs of a table */
    PASS = 8,  /* tables of a pass */
};

static inline int32_t kbc_lane_blocks(int32_t outs)
{
    return (outs + LANES - 1) / LANES;
}

/* The accumulators, and behind them the tables of a pass. */
static inline int32_t kbc_sums_scratch(const kbc_fully_connected_params *p)
{
    return 4 * LANES * kbc_lane_blocks(p->out_features) + PASS * KBC_TABLE * 2;
}

#if KBC_HAS_MVE

/* acc += the 16-bit sums in q2, and on to the next 8 outputs. */
#define ADD_WIDENED                  \
    "vmovlb.s16 q0, q2\n"            \
    "vmovlt.s16 q1, q2\n"            \
    "vldmia %[acc], {d4-d7}\n"       \
    "vadd.i32 q2, q2, q0\n"          \
    "vadd.i32 q3, q3, q1\n"          \
    "vstmia %[acc]!, {d4-d7}\n"

#define LOOK_UP(table, into)                                      \
    "vldrb.u16 q0, [%[w]], #8\n"                                  \
    "vldrh.u16 " into ", [" table ", q0, uxtw #1]\n"

#define LOOK_UP_AND_ADD(table) LOOK_UP(table, "q1") "vadd.i16 q2, q2, q1\n"

/* A pass over the outputs with all its tables, which leaves the weights behind those it took. */
#define DEFINE_PASS(name, first, other)                                                       \
    static inline const uint8_t *name(int32_t *acc, const uint8_t *w, int32_t blocks,         \
                                      const int16_t *t)                                       \
    {                                                                                         \
        __asm__ volatile("add r4, %[t], #512\n"                                               \
                         "add r5, r4, #512\n"                                                 \
                         "add r6, r5, #512\n"                                                 \
                         "add r8, r6, #512\n"                                                 \
                         "add r9, r8, #512\n"                                                 \
                         "add r10, r9, #512\n"                                                \
                         "add r11, r10, #512\n"                                               \
                         "dls lr, %[blocks]\n"                                                \
                         "1:\n" first("%[t]") other("r4") other("r5") other("r6") other("r8") \
                             other("r9") other("r10") other("r11") ADD_WIDENED "le lr, 1b\n"  \
                         : [acc] "+r"(acc), [w] "+l"(w)                                       \
                         : [t] "r"(t), [blocks] "r"(blocks)                                   \
                         : "memory", "lr", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "q0",  \
                           "q1", "q2", "q3");                                                 \
        return w;                                                                             \
    }

#define FIRST_BINARY(table) LOOK_UP(table, "q2")
#define FIRST_TERNARY(table) LOOK_UP(table, "q2") LOOK_UP_AND_ADD(table)
#define OTHER_TERNARY(table) LOOK_UP_AND_ADD(table) LOOK_UP_AND_ADD(table)
DEFINE_PASS(kbc_pass_binary, FIRST_BINARY, LOOK_UP_AND_ADD)
DEFINE_PASS(kbc_pass_ternary, FIRST_TERNARY, OTHER_TERNARY)

/* The same with n tables, fewer than a pass has. */
static inline const uint8_t *kbc_short_pass(int32_t *acc, const uint8_t *w, int32_t blocks,
                                            const int16_t *tables, int32_t n, int32_t planes)
{
    for (; blocks > 0; --blocks) {
        const int16_t *t = tables;
        int32_t left = n;
        __asm__ volatile("vmov.i32 q2, #0\n"
                         "1:\n"
                         LOOK_UP_AND_ADD("%[t]")
                         "cmp %[planes], #1\n"
                         "beq 2f\n"
                         LOOK_UP_AND_ADD("%[t]")
                         "2:\n"
                         "add %[t], %[t], #512\n"
                         "subs %[left], %[left], #1\n"
                         "bne 1b\n"
                         ADD_WIDENED
                         : [acc] "+r"(acc), [w] "+l"(w), [t] "+r"(t), [left] "+r"(left)
                         : [planes] "r"(planes)
                         : "memory", "cc", "q0", "q1", "q2", "q3");
    }
    return w;
}

static inline void kbc_halve(int32_t *acc, int32_t n)
{
    __asm__ volatile("dlstp.32 lr, %[n]\n"
                     "1:\n"
                     "vldrw.u32 q0, [%[acc]]\n"
                     "vshr.s32 q0, q0, #1\n"
                     "vstrw.32 q0, [%[acc]], #16\n"
                     "letp lr, 1b\n"
                     : [acc] "+r"(acc)
                     : [n] "r"(n)
                     : "memory", "lr", "q0");
}

/* acc[o] = w[o] . (x - zx) */
static inline void kbc_accumulate_sums(const kbc_fully_connected_params *p, const int8_t *x,
                                       int32_t *acc, int32_t planes)
{
    const int32_t blocks = kbc_lane_blocks(p->out_features), zx = p->input_zero_point;
    int16_t *tables = (int16_t *)(acc + LANES * blocks);
    const uint8_t *w = p->weights;
    int32_t left = p->in_features;

    kbc_mve_set(acc, 0, 4 * LANES * blocks);
    for (; left >= PASS * GROUP; left -= PASS * GROUP, x += PASS * GROUP) {
        kbc_mve_sum_tables(tables, x, GROUP, PASS, zx);
        w = planes == 1 ? kbc_pass_binary(acc, w, blocks, tables)
                        : kbc_pass_ternary(acc, w, blocks, tables);
    }
    if (left > 0) {
        const int32_t whole = left / GROUP, rest = left % GROUP;
        if (whole > 0) {
            kbc_mve_sum_tables(tables, x, GROUP, whole, zx);
        }
        if (rest > 0) {
            int8_t last[GROUP]; /* what is equal to zx adds nothing with either sign */
            kbc_mve_set(last, zx, sizeof last);
            memcpy(last, x + GROUP * whole, (size_t)rest);
            kbc_mve_sum_tables(tables + KBC_TABLE * whole, last, GROUP, 1, zx);
        }
        kbc_short_pass(acc, w, blocks, tables, whole + (rest > 0), planes);
    }
    if (planes == 2) {
        kbc_halve(acc, LANES * blocks);
    }
}

static inline kbc_status kbc_fully_connected_sums(const kbc_fully_connected_params *p,
                                                  const int8_t *x, const void *shortcut, void *y,
                                                  int32_t *acc, int32_t planes)
{
    const int32_t outs = p->out_features;

    for (int32_t r = 0; r < p->rows; ++r) {
        kbc_accumulate_sums(p, x + r * p->in_features, acc, planes);
        for (int32_t first = 0; first < outs; first += KBC_BLOCK) {
            p->finish.function(&p->finish, acc + first, r, first, kbc_block(outs - first),
                               shortcut, y);
        }
    }
    return KBC_OK;
}

#endif /* KBC_HAS_MVE */

#endif /* KBC_FULLY_CONNECTED_S8_MVE_H */
