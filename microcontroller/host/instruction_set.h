/* What an instruction set of the host does for the few-bit layers.
 *
 *     acc[o] = sum_k w[o][k] * (x[k] - zx)
 *
 * Four inputs meet each of their 16 sign patterns n in many outputs, so that their sums are worked
 * out once, in a table of 16 entries, and a shuffle of bytes looks up as many outputs at a time as
 * a register has bytes (T-MAC and BitNet's engine do the same). Entries are made unsigned, and an
 * output's constant takes back what that added:
 *
 *     int8  u[k] = x[k] + 128,   A[n] = sum_k (bit k of n ? 255 - u[k] : u[k])       0 .. 1020
 *           acc[o] = sum A - 255 N - (128 + zx) (K - 2 N),   N = the bits of o's weights
 *     bits  E[n] = 8 - 2 popcount(n xor x)                                           0 .. 8
 *           acc[o] = sum E - 4 groups - pads
 *
 * An entry of int8 is two bytes of 5 bits each, so that bytes add up 8 entries before they carry;
 * the usual low and high byte must be widened after each. Of bits it is one byte. A weight of 0 is
 * half of +1 and half of -1: ternary weights are two planes of binary ones,
 *
 *     w = (w' + w'') / 2,   w' = -1 where w = -1,   w'' = -1 where w < 1
 *
 * which look the same tables up, and acc is half of what they sum to.
 *
 * Where a CPU counts the ones of words, one-bit inputs need no tables: counts.h.
 *
 * A tap outside of the image contributes 0: its tables are those of x = zx, and of bits all 4, plus
 * 1 for each channel that fills the group up. These channels have weight bits 0, and u = 0, or the
 * bit 0, which counts as +1 ("pads").
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_INSTRUCTION_SET_H
#define KBC_INSTRUCTION_SET_H

#include <stdbool.h>

#include "kbc/kbc.h"

enum {
    KBC_GROUP = 4,        /* inputs of a table */
    KBC_GROUPS_OF_WORD = 32 / KBC_GROUP,
    KBC_TABLE_BYTES = 16, /* of one-bit inputs; int8 has two */
    KBC_DEPTHWISE_BLOCK = 32,
    KBC_DEPTHWISE_TAPS = 255,
    KBC_DEPTHWISE_OFFSET = 1 << 15,
};

/* Sums over taps, of outputs that lie side by side: of `vectors` registers, each. */
typedef struct {
    const uint8_t *weights; /* [taps][steps][vectors * lanes]: two nibbles of groups, or of planes */
    const uint8_t *const *runs; /* tables of the taps, those behind one another as one run */
    int32_t count;          /* of runs */
    int32_t steps;          /* of a run: weight bytes of an output */
    int32_t tap_steps;      /* of one of its taps */
    int32_t next;           /* from a window's tables to the next one's */
    /* Of a depthwise convolution: from a tap's bytes to the next one's, and where in them. */
    int32_t pixel_bytes, channel;
} kbc_taps_sum;

/* sums[pixel][vectors * lanes], pixels `stride` numbers apart */
typedef void kbc_sum_function(const kbc_taps_sum *taps, uint32_t *sums, int32_t stride);

/* The shapes of register blocks: pixels x vectors. Only words have the last. */
enum { KBC_1X4, KBC_1X2, KBC_2X2, KBC_2X4, KBC_SHAPES };

/* Parameters of all output channels, side by side. int8: bias, multiplier and shift. Bits: an output
 * is -1 where (acc xor second) < first; a second of -1 turns the order around. */
typedef struct {
    int32_t *first, *second, *third;
} kbc_channels;

typedef struct {
    const char *name;
    int32_t lanes;
    int32_t word_lanes; /* of one-bit inputs, where their words are counted (counts.h); else 0 */
    /* Tables of a pixel: `groups` of them, for channels that may end before. */
    void (*tables_s8)(uint8_t *tables, const void *x, int32_t channels, int32_t groups);
    void (*tables_b1)(uint8_t *tables, const void *x, int32_t channels, int32_t groups);
    /* By whether inputs are bits, and weights ternary. */
    kbc_sum_function *sum[2][2][KBC_SHAPES];
    kbc_sum_function *sum_depthwise; /* see depthwise.h */
    /* All that follows is of 32 channels. The greatest sums, of pixels `stride` numbers apart: */
    void (*pool)(uint32_t *greatest, const uint32_t *sums, int32_t columns, int32_t stride);
    /* acc = (sums + offsets) / 2^shift, a whole number */
    void (*take_back)(int32_t *acc, const uint32_t *sums, const int32_t *offsets, int32_t shift);
    void (*finish_s8)(const kbc_channels *c, const int32_t *acc, int32_t channel,
                      const kbc_output *output, int8_t *y);
    uint32_t (*finish_b1)(const kbc_channels *c, const int32_t *acc, int32_t channel);
} kbc_instruction_set;

#endif /* KBC_INSTRUCTION_SET_H */
