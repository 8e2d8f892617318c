/* 2-D convolution of bits by tables of eight filters (filter_tables.h).
 *
 *     differ[cy][cx][f] = sum over taps (i, j) inside the image of
 *                         popcount((w[f][i][j] xor x[..][..]) & used[f][i][j])
 *     acc[cy][cx][f]    = sum over the same taps of popcount(used[f][i][j]) - 2 * differ
 *
 * For eight filters at a time, and each tap and word of channels, tables are built that all pixels
 * of a band of output rows look up. A pixel's word takes on a Cortex-M4, for 256 MACs,
 *
 *     33 + 950 / pixels of a band        0.14 / MAC, and 0.19 where there are but 64 pixels
 *
 * Strides, dilations and pads are all alike to it, ternary weights cost what binary ones do, and
 * absent taps cost nothing. Tables over pixels, looked up by weights, would serve all taps and
 * filters; but pixels then come in strips, and ternary weights need two look-ups.
 *
 * Layout `lanes`: [filters / 8][taps][channels / 4] words, where bit 4 f + b of word q is weight
 * 4 q + b of filter f; ternary weights are two such planes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "convolve_b1.h"

enum {
    MEMORY = 6 * 1024, /* that tables and sums of a band may take, where one line takes less */
    LIMIT = 0x4000,    /* of the inputs of a filter: sums take 14 bits */
};

static int32_t rows_of_band(const kbc_conv_2d_params *p)
{
    const int32_t line = p->conv_width * (int32_t)sizeof(kbc_sums);
    const int32_t lines = (MEMORY - (int32_t)sizeof(kbc_filter_tables)) / line;
    int32_t rows = 1;

    if (lines > p->pool.height) {
        rows += (lines - p->pool.height) / p->pool.stride_height;
    }
    /* Bands of one size share their tables best. */
    return (p->out_height - 1) / ((p->out_height + rows - 1) / rows) + 1;
}

int32_t kbc_convolve_b1_scratch(const kbc_conv_2d_params *p)
{
    const int32_t taps = kbc_taps_of(p);
    int32_t lines = (rows_of_band(p) - 1) * p->pool.stride_height + p->pool.height;

    if (p->groups != 1 || p->input_dilation_height != 1 || p->input_dilation_width != 1 ||
        taps * p->in_channels >= LIMIT) {
        return -1;
    }
    if (lines > p->conv_height) {
        lines = p->conv_height;
    }
    return (int32_t)sizeof(kbc_filter_tables) +
           (taps + (1 + lines) * p->conv_width) * (int32_t)sizeof(kbc_sums);
}

/* The pixels of a band that tap (i, j) meets, and their sums. */
static kbc_pixels pixels_of(const kbc_band *b, int32_t i, int32_t j)
{
    const kbc_conv_2d_params *p = b->p;
    const kbc_window *k = &p->kernel;
    const int32_t words = kbc_words(p->in_channels), line = p->in_width * words;
    const int32_t top = i * k->dilation_height - k->pad_top;
    const int32_t left = j * k->dilation_width - k->pad_left;
    const kbc_span rows = kbc_inside(b->rows, k->stride_height, top, p->in_height);
    const kbc_span columns =
        kbc_inside((kbc_span){0, p->conv_width}, k->stride_width, left, p->in_width);
    const int32_t y = rows.first * k->stride_height + top;
    const int32_t x = columns.first * k->stride_width + left;
    const int32_t first = (rows.first - b->rows.first) * p->conv_width + columns.first;
    const kbc_pixels pixels = {
        .x = b->image + y * line + x * words,
        .sums = b->sums + first,
        .rows = rows.last - rows.first,
        .columns = columns.last - columns.first,
        .x_row = 4 * k->stride_height * line,
        .x_column = 4 * k->stride_width * words,
        .sums_row = p->conv_width * (int32_t)sizeof(kbc_sums),
    };

    return pixels;
}

static void start(kbc_sums *s, int32_t count, uint32_t value)
{
    for (const kbc_sums *end = s + count; s < end; ++s) {
        s->lanes[0] = value;
        s->lanes[1] = value;
        s->lanes[2] = value;
        s->lanes[3] = value;
    }
}

/* How many of a word's weights are not 0: those that differ from bits that are all 0, and those
 * that differ from all 1. */
static void count_used(kbc_sums *used, const kbc_filter_tables *t, uint32_t all)
{
    const uint32_t x[2] = {0, all};
    const kbc_pixels both = {.x = x, .sums = used, .rows = 2, .columns = 1, .x_row = 4};

    kbc_add_counts(t, &both);
}

/* All taps of 8 filters. */
static void convolve(const kbc_band *b, const uint32_t *w, const uint32_t *used)
{
    const kbc_conv_2d_params *p = b->p;
    kbc_sums *tap = b->used;

    start(b->sums, (b->rows.last - b->rows.first) * p->conv_width, KBC_BOTH(KBC_START));
    start(tap, kbc_taps_of(p), used ? 0 : KBC_BOTH(p->in_channels));
    for (int32_t i = 0; i < p->kernel.height; ++i) {
        for (int32_t j = 0; j < p->kernel.width; ++j, ++tap) {
            kbc_pixels pixels = pixels_of(b, i, j);
            for (int32_t left = p->in_channels; left > 0; left -= 32, ++pixels.x) {
                const int32_t bits = kbc_block(left), words = (bits + 3) / 4;
                kbc_build_tables(b->tables, w, used, words);
                w += words;
                if (pixels.rows > 0 && pixels.columns > 0) {
                    kbc_add_counts(b->tables, &pixels);
                }
                if (used) {
                    count_used(tap, b->tables, 0xffffffffu >> (32 - bits));
                    used += words;
                }
            }
            if (used) {
                kbc_settle(tap, 0);
            }
        }
    }
}

/* The accumulators that outputs [first, last) of the pooling need. */
static kbc_span accumulators(const kbc_conv_2d_params *p, kbc_span out)
{
    const kbc_window *pool = &p->pool;
    kbc_span rows = {out.first * pool->stride_height - pool->pad_top,
                     (out.last - 1) * pool->stride_height - pool->pad_top + pool->height};

    rows.first = rows.first < 0 ? 0 : rows.first;
    rows.last = rows.last > p->conv_height ? p->conv_height : rows.last;
    return rows;
}

kbc_status kbc_convolve_b1(const kbc_conv_2d_params *p, int ternary, const uint32_t *x,
                           const void *shortcut, void *y, void *scratch)
{
    const int32_t block = kbc_taps_of(p) * ((p->in_channels + 3) / 4); /* words of 8 filters */
    const int32_t blocks = (p->out_channels + KBC_LANES - 1) / KBC_LANES;
    const int32_t step = rows_of_band(p);
    const uint32_t *weights = p->weights;
    const uint32_t *used = ternary ? weights + blocks * block : 0;
    kbc_band b = {.p = p, .image = x, .tables = scratch};

    b.used = (kbc_sums *)(b.tables + 1);
    b.line = b.used + kbc_taps_of(p);
    b.sums = b.line + p->conv_width;
    for (int32_t n = 0; n < p->batch; ++n) {
        for (int32_t oy = 0; oy < p->out_height; oy += step) {
            b.out.first = oy;
            b.out.last = oy + step < p->out_height ? oy + step : p->out_height;
            b.rows = accumulators(p, b.out);
            for (int32_t i = 0; i < blocks; ++i) {
                convolve(&b, weights + i * block, used ? used + i * block : 0);
                kbc_finish_band(&b, i * KBC_LANES, n * p->out_height * p->out_width, shortcut, y);
            }
        }
        b.image += p->in_height * p->in_width * kbc_words(p->in_channels);
    }
    return KBC_OK;
}
