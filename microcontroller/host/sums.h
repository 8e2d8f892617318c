/* The look-ups of a block of pixels and outputs, in the lanes of an instruction set.
 *
 * A step is a byte of an output's weights: of int8 inputs 3 operations a register to part it, 4
 * look-ups and 4 additions, for lanes * 8 products, and after 4 steps, before a byte overflows, 6 more
 * to widen. On AVX2 that is 20 products an operation; of one-bit inputs 36, widened after 15 steps.
 * Two pixels share the parted weights, and two registers the tables.
 *
 * Bytes: 4 steps of two entries of 31 are 248, 15 of two of 8 are 240. 16 bits: 32 steps of 2 * 1020
 * are 65,280, and 270 of 2 * 8 far fewer.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_SUMS_H
#define KBC_SUMS_H

#include <string.h>

#include "instruction_set.h"

#if defined(__clang__)
#define KBC_UNROLL _Pragma("clang loop unroll(full)")
#else
#define KBC_UNROLL _Pragma("GCC unroll 4")
#endif

enum { BYTE_STEPS_S8 = 4, SUM_STEPS_S8 = 32, BYTE_STEPS_B1 = 15, SUM_STEPS_B1 = 270 };
enum { AHEAD = 512 }; /* bytes: weights that pass once are asked for early */
enum { MOST_PIXELS = 2, MOST_VECTORS = 4 };

/* What differs between the functions: constants, once it is inlined. */
typedef struct {
    bool bits, ternary;
    int pixels, vectors;
} kbc_shape;

typedef struct {
    kbc_lanes low[MOST_PIXELS][MOST_VECTORS], high[MOST_PIXELS][MOST_VECTORS];
} kbc_byte_sums;

KBC_INLINE void kbc_look_up_group(kbc_shape s, kbc_byte_sums *bytes, const uint8_t *table,
                                  int32_t next, const kbc_lanes *indices)
{
    KBC_UNROLL
    for (int p = 0; p < s.pixels; ++p) {
        const kbc_lanes low = kbc_load_table(table + p * next);
        KBC_UNROLL
        for (int v = 0; v < s.vectors; ++v) {
            bytes->low[p][v] = kbc_add(bytes->low[p][v], kbc_look_up(low, indices[v]));
            KBC_FINISH(bytes->low[p][v]);
        }
        if (!s.bits) {
            const kbc_lanes high = kbc_load_table(table + p * next + KBC_TABLE_BYTES);
            KBC_UNROLL
            for (int v = 0; v < s.vectors; ++v) {
                bytes->high[p][v] = kbc_add(bytes->high[p][v], kbc_look_up(high, indices[v]));
                KBC_FINISH(bytes->high[p][v]);
            }
        }
    }
}

KBC_INLINE void kbc_step(kbc_shape s, kbc_byte_sums *bytes, const uint8_t *weights,
                         const uint8_t *tables, int32_t next)
{
    const int table_bytes = s.bits ? KBC_TABLE_BYTES : 2 * KBC_TABLE_BYTES;
    kbc_lanes first[MOST_VECTORS], second[MOST_VECTORS];

    KBC_UNROLL
    for (int v = 0; v < s.vectors; ++v) {
        const kbc_lanes both = kbc_load(weights + v * KBC_LANES);
        if (s.vectors == MOST_VECTORS) {
            __builtin_prefetch(weights + v * KBC_LANES + AHEAD);
        }
        first[v] = kbc_low_nibbles(both);
        second[v] = kbc_high_nibbles(both);
    }
    kbc_look_up_group(s, bytes, tables, next, first);
    kbc_look_up_group(s, bytes, s.ternary ? tables : tables + table_bytes, next, second);
}

KBC_INLINE void kbc_clear_bytes(kbc_shape s, kbc_byte_sums *bytes)
{
    KBC_UNROLL
    for (int p = 0; p < s.pixels; ++p) {
        KBC_UNROLL
        for (int v = 0; v < s.vectors; ++v) {
            bytes->low[p][v] = bytes->high[p][v] = kbc_zero();
        }
    }
}

KBC_INLINE void kbc_clear_sums(kbc_shape s, kbc_sums sums[MOST_PIXELS][MOST_VECTORS])
{
    KBC_UNROLL
    for (int p = 0; p < s.pixels; ++p) {
        KBC_UNROLL
        for (int v = 0; v < s.vectors; ++v) {
            sums[p][v] = kbc_no_sums();
        }
    }
}

KBC_INLINE void kbc_widen_all(kbc_shape s, kbc_sums sums[MOST_PIXELS][MOST_VECTORS],
                              const kbc_byte_sums *bytes)
{
    KBC_UNROLL
    for (int p = 0; p < s.pixels; ++p) {
        KBC_UNROLL
        for (int v = 0; v < s.vectors; ++v) {
            sums[p][v] = s.bits ? kbc_widen(sums[p][v], bytes->low[p][v])
                                : kbc_widen_both(sums[p][v], bytes->low[p][v], bytes->high[p][v]);
        }
    }
}

/* Moves the sums to memory, and starts anew. */
KBC_INLINE void kbc_move_sums(kbc_shape s, kbc_sums sums[MOST_PIXELS][MOST_VECTORS], uint32_t *to,
                              int32_t stride)
{
    KBC_UNROLL
    for (int p = 0; p < s.pixels; ++p) {
        KBC_UNROLL
        for (int v = 0; v < s.vectors; ++v) {
            kbc_store_sums(to + p * stride + v * KBC_LANES, sums[p][v]);
            sums[p][v] = kbc_no_sums();
        }
    }
}

KBC_INLINE void kbc_sum(kbc_shape s, const kbc_taps_sum *taps, uint32_t *to, int32_t stride)
{
    const int32_t byte_steps = s.bits ? BYTE_STEPS_B1 : BYTE_STEPS_S8;
    const int32_t sum_steps = s.bits ? SUM_STEPS_B1 : SUM_STEPS_S8;
    const int32_t step_bytes = (s.bits ? 1 : 2) * (s.ternary ? 1 : 2) * KBC_TABLE_BYTES;
    const int32_t next = taps->next;
    const uint8_t *weights = taps->weights;
    int32_t room = sum_steps;
    kbc_sums sums[MOST_PIXELS][MOST_VECTORS];
    kbc_byte_sums bytes;

    for (int p = 0; p < s.pixels; ++p) {
        memset(to + p * stride, 0, (size_t)s.vectors * KBC_LANES * sizeof *to);
    }
    kbc_clear_sums(s, sums);
    for (int32_t run = 0; run < taps->count; ++run) {
        const uint8_t *tables = taps->runs[run];
        for (int32_t left = taps->steps; left > 0; left -= byte_steps) {
            const int32_t steps = left < byte_steps ? left : byte_steps;
            kbc_clear_bytes(s, &bytes);
            for (int32_t i = 0; i < steps; ++i) {
                kbc_step(s, &bytes, weights, tables, next);
                weights += s.vectors * KBC_LANES;
                tables += step_bytes;
            }
            kbc_widen_all(s, sums, &bytes);
            room -= byte_steps;
            if (room < byte_steps) {
                kbc_move_sums(s, sums, to, stride);
                room = sum_steps;
            }
        }
    }
    kbc_move_sums(s, sums, to, stride);
}

#define KBC_SUM(name, bits, ternary, pixels, vectors)                                     \
    static KBC_TARGET void name(const kbc_taps_sum *taps, uint32_t *sums, int32_t stride) \
    {                                                                                     \
        kbc_sum((kbc_shape){bits, ternary, pixels, vectors}, taps, sums, stride);         \
    }

#define KBC_SUM_SHAPES(name, bits, ternary)       \
    KBC_SUM(name##_1x4, bits, ternary, 1, 4)      \
    KBC_SUM(name##_1x2, bits, ternary, 1, 2)      \
    KBC_SUM(name##_2x2, bits, ternary, 2, 2)

KBC_SUM_SHAPES(sum_s8, false, false)
KBC_SUM_SHAPES(sum_s8_ternary, false, true)
#if !KBC_WORD_LANES
KBC_SUM_SHAPES(sum_b1, true, false)
KBC_SUM_SHAPES(sum_b1_ternary, true, true)
#endif

#define KBC_SHAPES_OF(name) {name##_1x4, name##_1x2, name##_2x2, NULL}

#endif /* KBC_SUMS_H */
