/* Convolutions of int8 images of few inputs a filter, by tables of eight patches (octet_dot.h).
 *
 * Eight positions of the output side by side: their patches, or of a 1x1 kernel the very pixels,
 * become a table for each 4 inputs, and each filter adds up its entries in registers:
 *
 *     set[f] = sum over the inputs k with w[f][k] = -1 of d[k],    d = x - zx
 *     acc[f] = sum_k d[k] - 2 set[f]
 *
 * and ternary sum_k over those used, instead of all. Lanes have 16 bits, which hold 257 inputs.
 *
 * For each 8 positions: about 180 instructions for each 4 inputs, and 68 a filter for each 32
 * (M0: 105), ternary twice that; and, of patches, about 5 for each input of each position.
 *
 * Tables of 8 inputs take half the look-ups of a filter and five times as long to build: with 64
 * filters of a 1x1 kernel conv_2d_octets.h, which has them, takes 1.6 times as many instructions.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_CONV_2D_PATCHES_H
#define KBC_CONV_2D_PATCHES_H

#include "octet_dot.h"
#include "patch.h"

#if KBC_OCTET_TERNARY
enum { KBC_PLANES = 2 };
#else
enum { KBC_PLANES = 1 };
#endif

enum { KBC_PATCH_CAPACITY = 257 };

/* Parts of the scratch, in bytes. */
typedef struct {
    int32_t tables, sums, patches;
} kbc_patch_room;

static kbc_patch_room kbc_patch_room_of(const kbc_conv_2d_params *p)
{
    const int32_t inputs = kbc_patch_inputs(p), octet = (int32_t)sizeof(kbc_octet);
    const kbc_patch_room room = {
        octet * KBC_NIBBLES * KBC_WORD_TABLES * kbc_words(inputs),
        octet * KBC_PLANES * KBC_BLOCK,
        kbc_patch_is_pixel(p) ? 0 : KBC_LANES * inputs,
    };
    return room;
}

static int32_t kbc_conv_2d_patches_scratch(const kbc_conv_2d_params *p)
{
    const kbc_patch_room room = kbc_patch_room_of(p);

    if (p->groups != 1 || p->input_dilation_height != 1 || p->input_dilation_width != 1 ||
        p->out_height != p->conv_height || p->out_width != p->conv_width ||
        p->pool.height * p->pool.width != 1 || kbc_patch_inputs(p) > KBC_PATCH_CAPACITY) {
        return -1;
    }
    return room.tables + room.sums + room.patches;
}

/* The tables of eight patches, and the sums of their inputs. */
static void kbc_patch_tables(const kbc_conv_2d_params *p, kbc_octet *table,
                             const int8_t *const *patch, kbc_octet *total)
{
    const int32_t inputs = kbc_patch_inputs(p);
    kbc_octet steps[KBC_NIBBLE];

    for (int32_t k = 0; k < inputs; k += KBC_NIBBLE, table += KBC_NIBBLES) {
        const int32_t n = kbc_least(KBC_NIBBLE, inputs - k);
        kbc_octet_steps(steps, patch, k, n, p->input_zero_point);
        kbc_octet_build(table, steps, n);
        kbc_octet_sum(total, total, &table[(1 << n) - 1]);
    }
    for (int32_t k = inputs + (-inputs & 3); k % 32 != 0; k += KBC_NIBBLE, table += KBC_NIBBLES) {
        kbc_octet_fill(table, 0); /* of no inputs: pad bits are 0 */
    }
}

/* The outputs of `lanes` positions from `pixel` on, out of the tables. */
static void kbc_patch_filters(const kbc_conv_2d_params *p, const kbc_octet *tables, kbc_octet *sums,
                              const kbc_octet *total, int32_t zeros, int32_t pixel, int32_t lanes,
                              const void *shortcut, void *y)
{
    const int32_t words = kbc_words(kbc_patch_inputs(p));
    const uint32_t *w = p->weights;

    for (int32_t f = 0; f < p->out_channels; f += KBC_BLOCK, w += words * KBC_BLOCK) {
        const int32_t count = kbc_block(p->out_channels - f);
        kbc_octet_dots(sums, w, words, tables, (uint32_t)zeros, count);
        if (KBC_PLANES > 1) {
            kbc_octet_dots(sums + KBC_BLOCK, w + words * p->out_channels, words, tables,
                           (uint32_t)zeros, count);
        }
        for (int32_t l = 0; l < lanes; ++l) {
            const uint16_t *set = sums->lane + l;
            const uint16_t *used = sums[KBC_BLOCK * (KBC_PLANES - 1)].lane + l;
            const int32_t all = total->lane[l] + zeros;
            int32_t acc[KBC_BLOCK];
            for (int32_t i = 0; i < count; ++i, set += KBC_LANES, used += KBC_LANES) {
                acc[i] = (KBC_PLANES > 1 ? *used + zeros : all) - 2 * (int32_t)*set;
            }
            p->finish.function(&p->finish, acc, pixel + l, f, count, shortcut, y);
        }
    }
}

static kbc_status kbc_conv_2d_patches(const kbc_conv_2d_params *p, const void *x,
                                      const void *shortcut, void *y, void *scratch)
{
    const kbc_patch_room room = kbc_patch_room_of(p);
    const int32_t inputs = kbc_patch_inputs(p), pixels = p->conv_height * p->conv_width;
    const int32_t zeros = (p->input_zero_point + 128) * inputs;
    kbc_octet *const tables = scratch, *const sums = tables + room.tables / (int32_t)sizeof *tables;
    int8_t *const patches = (int8_t *)scratch + room.tables + room.sums;
    const int8_t *image = x;

    for (int32_t b = 0; b < p->batch; ++b) {
        int32_t cy = 0, cx = 0;
        for (int32_t i = 0; i < pixels; i += KBC_LANES) {
            const int32_t lanes = kbc_least(KBC_LANES, pixels - i);
            const int8_t *patch[KBC_LANES];
            kbc_octet total;
            for (int32_t l = 0; l < KBC_LANES; ++l) {
                if (l >= lanes) {
                    patch[l] = patch[0]; /* for no one */
                    continue;
                }
                patch[l] = kbc_patch(p, image, cy, cx, patches + l * inputs);
                if (++cx == p->conv_width) {
                    cx = 0;
                    ++cy;
                }
            }
            kbc_octet_fill(&total, (uint32_t)zeros);
            kbc_patch_tables(p, tables, patch, &total);
            kbc_patch_filters(p, tables, sums, &total, zeros, b * pixels + i, lanes, shortcut, y);
        }
        image += p->in_height * p->in_width * p->in_channels;
    }
    return KBC_OK;
}

#endif /* KBC_CONV_2D_PATCHES_H */
