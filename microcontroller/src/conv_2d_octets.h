/* Convolutions of int8 images by tables of eight pixels (octet_tables.h), without im2col.
 *
 * The columns of the output are cut into eight strips, and the lanes of an octet are a pixel of
 * each: column s of lane l is column l * strip + s of the image. So all columns of a strip are
 * walked through once, and each table serves all taps and filters that meet its pixels:
 *
 *     acc[r][s][f] += table[w[f][i][j]]    for each row r and column s that tap (i, j) joins
 *
 * where r is a row of a band: the few rows that come to be pooled together, or two. What a tap
 * adds beyond the end of a strip belongs to the next lane: there are columns s < 0 and s >= strip
 * for it, which are moved over at the end (`fold`). Where strips are too narrow for that, the
 * pixels beyond the seams get tables of their own (first = 0, columns = strip).
 *
 * Lanes have 16 bits. Of one-bit weights only the set bits are summed,
 *
 *     sum_k w[k] d[k] = sum_k d[k] - 2 sum_{k: w[k] = -1} d[k],    d = x - zx
 *
 * and a filter of which more than half are set comes inverted, so that 514 inputs fit; the sums of
 * all d are kept beside, once for all filters. Of ternary weights both signs are looked up, and
 * 257 inputs fit. What is more comes in blocks of channels, whose sums are added up in 32 bits.
 *
 * A table of 8 inputs costs about 1850 instructions (M0: 2500), and each of its look-ups 9.6 a
 * filter (M0: 14.2), ternary 16.7 (24). It is built once for each of the bands (row bands, blocks
 * of filters and, without `fold`, strips) that its pixels are met from. An output takes some 10
 * more for each block of channels, and what `finish` takes.
 *
 * By the floors, entries of two pixels take 14 instructions for 64 multiply-accumulates, of four
 * tables to an accumulator; octets take 9 with one. So neither was built, nor tables of 4 inputs,
 * which take twice the look-ups and lose from 32 filters on.
 *
 * Weights (layout `octets`), for each block of channels: uint16 of each filter, 0xffff where it
 * comes inverted (ternary: what its sums begin with), then bytes [tap][group][filter], ternary
 * [tap][group][filter][2], the bits of -1 behind those of +1. Filters are padded to a multiple
 * of 4.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_CONV_2D_OCTETS_H
#define KBC_CONV_2D_OCTETS_H

#include <string.h>

#include "octet_add.h"
#include "one_bit.h"

#if KBC_OCTET_TERNARY
enum { KBC_PLANES = 2, KBC_CAPACITY = 257 };
#else
enum { KBC_PLANES = 1, KBC_CAPACITY = 514 };
#endif

enum {
    KBC_ROW_CAPACITY = 257,    /* of the sums of all d of a row of the kernel */
    KBC_MANY_TAPS = 16,        /* rows of a band, and columns of a kernel, at most */
    KBC_LARGE_BAND = 16 << 10, /* bytes above which filters come in blocks */
    KBC_SMALL_BAND = 11 << 10, /* bytes up to which a band gets more rows */
};

typedef struct {
    int32_t taps;    /* kernel columns; 1 where a table holds a whole row of the kernel */
    int32_t inputs;  /* that a tap joins */
    int32_t group;   /* inputs of a table; the last has what is left */
    int32_t groups;  /* tables of a tap */
    int32_t block;   /* of them in a block of channels */
    int32_t padded;  /* filters */
    int32_t filters; /* of them at a time */
    int32_t strip;   /* columns of the convolution in a lane */
    int32_t step;    /* columns of the image from lane to lane */
    int32_t start;   /* columns of the image that are walked through */
    int32_t stop;
    int32_t first;   /* column of the accumulators, 0 or negative */
    int32_t columns; /* of them */
    int32_t band;    /* rows of the output at a time */
    int32_t rows;    /* of the convolution in a band */
} kbc_octet_plan;

/* Parts of the scratch, in bytes. */
typedef struct {
    int32_t table, steps, pixels, places, totals, lanes, sums;
} kbc_octet_room;

static kbc_octet_room kbc_octet_room_of(const kbc_conv_2d_params *p, const kbc_octet_plan *t)
{
    const int32_t octet = (int32_t)sizeof(kbc_octet);
    const kbc_octet_room room = {
        .table = octet << t->group,
        .steps = octet * t->group,
        .pixels = (KBC_LANES * t->inputs + 3) / 4 * 4,
        .places = (2 * p->conv_width + 3) / 4 * 4,
        .totals = KBC_PLANES > 1 ? 0 : octet * t->rows * p->kernel.height * t->columns,
        .lanes = octet * t->rows * t->columns * t->filters,
        .sums = t->block < t->groups ? 4 * t->rows * p->conv_width * t->filters : 0,
    };
    return room;
}

static int32_t kbc_octet_bytes(const kbc_conv_2d_params *p, const kbc_octet_plan *t)
{
    const kbc_octet_room room = kbc_octet_room_of(p, t);

    return room.table + room.steps + room.pixels + room.places + room.totals + room.lanes +
           room.sums;
}

/* Which columns of the image are walked through, and which of the accumulators they reach. */
static void kbc_octet_plan_columns(const kbc_conv_2d_params *p, kbc_octet_plan *t)
{
    const int32_t stride = p->kernel.stride_width, pad = p->kernel.pad_left;
    const int32_t reach = (t->taps - 1) * p->kernel.dilation_width;
    const int32_t used =
        kbc_least(p->in_width, (p->conv_width - 1) * stride + reach - pad + 1);
    const int32_t first = reach > pad ? -((reach - pad) / stride) : 0;
    int32_t last;

    t->strip = kbc_share(p->conv_width, KBC_LANES);
    t->step = t->strip * stride;
    last = (t->step - 1 + pad) / stride;
    if (t->taps > 1 && -first <= t->strip && last < 2 * t->strip && KBC_LANES * t->step >= used) {
        t->first = first;
        t->columns = last - first + 1;
        t->start = 0;
        t->stop = t->step;
    } else {
        t->first = 0;
        t->columns = t->strip;
        t->start = -pad;
        t->stop = t->step - stride + reach - pad + 1;
    }
}

static void kbc_octet_plan_rows(const kbc_conv_2d_params *p, kbc_octet_plan *t, int32_t band)
{
    t->band = band;
    t->rows = kbc_least((band - 1) * p->pool.stride_height + p->pool.height, p->conv_height);
}

/* 0 where no block of channels fits into 16 bits, or the kernel does something else. */
static int kbc_octet_plan_of(const kbc_conv_2d_params *p, kbc_octet_plan *t)
{
    const int32_t row = p->kernel.width * p->in_channels;
    const int whole = p->kernel.width > 1 && row <= KBC_GROUP;
    int32_t blocks;

    t->taps = whole ? 1 : p->kernel.width;
    t->inputs = whole ? row : p->in_channels;
    t->groups = kbc_share(t->inputs, KBC_GROUP);
    t->group = kbc_share(t->inputs, t->groups);
    t->block = kbc_least(KBC_CAPACITY / (p->kernel.height * t->taps * t->group),
                         KBC_ROW_CAPACITY / (t->taps * t->group));
    if (p->groups != 1 || p->input_dilation_height != 1 || p->input_dilation_width != 1 ||
        t->block == 0 || t->taps > KBC_MANY_TAPS || p->pool.height > KBC_MANY_TAPS) {
        return 0;
    }
    blocks = kbc_share(t->groups, t->block);
    t->block = kbc_share(t->groups, blocks);
    t->padded = (p->out_channels + 3) / 4 * 4;
    t->filters = t->padded;
    kbc_octet_plan_columns(p, t);
    kbc_octet_plan_rows(p, t, 1);
    if (t->rows == 1 && p->out_height > 1 && p->pool.stride_height < KBC_MANY_TAPS) {
        kbc_octet_plan_rows(p, t, 2);
    }
    while (t->filters > KBC_BLOCK && kbc_octet_bytes(p, t) > KBC_LARGE_BAND) {
        t->filters = kbc_share(kbc_share(t->filters, 2), KBC_BLOCK) * KBC_BLOCK;
    }
    while (t->band < p->out_height) {
        kbc_octet_plan more = *t;
        kbc_octet_plan_rows(p, &more, t->band + 1);
        if (more.rows > KBC_MANY_TAPS || kbc_octet_bytes(p, &more) > KBC_SMALL_BAND) {
            break;
        }
        *t = more;
    }
    return 1;
}

/* What a call works with. */
typedef struct {
    const kbc_conv_2d_params *p;
    kbc_octet_plan plan;
    int32_t zero;       /* of the inputs as 0..255 */
    kbc_octet *table;
    kbc_octet *steps;
    int8_t *pixels;     /* absent ones; or the patches of a row of the kernel */
    uint16_t *places; /* of each column of the convolution: 8 * its octet in a row + its lane */
    kbc_octet *totals;  /* [row][kernel row][column] */
    kbc_octet *lanes;   /* [row][column][filter] */
    int32_t *sums;      /* [row][column of the convolution][filter], over blocks of channels */
    /* Of a block of channels: */
    const uint16_t *heads;
    const uint8_t *weights;
    int32_t first_group, stop_group;
    int32_t half, total; /* what lanes of filters, and of totals, begin with */
    /* Of a band: */
    int32_t top, rows; /* of the convolution */
    int32_t filter, filters;
} kbc_octet_work;

/* A tap that joins what is at hand with row or column `at` of the accumulators. */
typedef struct {
    uint16_t at, tap;
} kbc_meeting;

/* Rows or columns of the accumulators, first <= at < stop, that meet `position` of the image. */
static int32_t kbc_meet(kbc_meeting *met, int32_t position, int32_t taps, int32_t dilation,
                        int32_t stride, int32_t first, int32_t stop)
{
    int32_t n = 0;

    for (int32_t tap = 0; tap < taps; ++tap, position -= dilation) {
        int32_t at = position;
        if (stride != 1) {
            at /= stride;
            if (at * stride != position) {
                continue;
            }
        }
        if (at >= first && at < stop) {
            met[n].at = (uint16_t)(at - first);
            met[n].tap = (uint16_t)tap;
            ++n;
        }
    }
    return n;
}

/* The eight pixels at column u of each lane, absent ones as zero points. */
static void kbc_octet_pixels(const kbc_octet_work *k, const int8_t **pixel, const int8_t *row,
                             int32_t u)
{
    const kbc_conv_2d_params *p = k->p;

    for (int32_t l = 0; l < KBC_LANES; ++l, u += k->plan.step) {
        pixel[l] = u >= 0 && u < p->in_width ? row + u * p->in_channels : k->pixels;
    }
}

/* The same for rows of the kernel, put together. */
static void kbc_octet_patches(const kbc_octet_work *k, const int8_t **pixel, const int8_t *row,
                              int32_t u)
{
    const kbc_conv_2d_params *p = k->p;
    int8_t *to = k->pixels;

    for (int32_t l = 0; l < KBC_LANES; ++l, u += k->plan.step) {
        int32_t ix = u;
        pixel[l] = to;
        for (int32_t j = 0; j < p->kernel.width; ++j, ix += p->kernel.dilation_width) {
            const int inside = ix >= 0 && ix < p->in_width;
            for (int32_t c = 0; c < p->in_channels; ++c) {
                *to++ = inside ? row[ix * p->in_channels + c] : (int8_t)p->input_zero_point;
            }
        }
    }
}

/* Adds the pixels at column u to all accumulators that they meet. */
static void kbc_octet_add_pixels(const kbc_octet_work *k, const int8_t *const *pixel,
                                 const kbc_meeting *rows, int32_t row_count,
                                 const kbc_meeting *columns, int32_t column_count)
{
    const kbc_octet_plan *t = &k->plan;
    const int32_t size = KBC_PLANES * t->padded;
    const int32_t tap_size = (k->stop_group - k->first_group) * size;
    const uint8_t *w = k->weights + KBC_PLANES * k->filter;
    kbc_octet total;

    kbc_octet_fill(&total, 0);
    for (int32_t g = k->first_group; g < k->stop_group; ++g, w += size) {
        const int32_t n = kbc_least(t->group, t->inputs - g * t->group);
        kbc_octet_steps(k->steps, pixel, g * t->group, n, k->p->input_zero_point);
        kbc_octet_build(k->table, k->steps, n);
        kbc_octet_sum(&total, &total, &k->table[(1 << n) - 1]);
        for (int32_t i = 0; i < row_count; ++i) {
            for (int32_t j = 0; j < column_count; ++j) {
                const int32_t place = rows[i].at * t->columns + columns[j].at;
                const int32_t tap = rows[i].tap * t->taps + columns[j].tap;
                kbc_octet_add(k->lanes + place * t->filters, w + tap * tap_size, k->table,
                              k->filters);
            }
        }
    }
    if (KBC_PLANES == 1) {
        for (int32_t i = 0; i < row_count; ++i) {
            const int32_t r = rows[i].at * k->p->kernel.height + rows[i].tap;
            for (int32_t j = 0; j < column_count; ++j) {
                kbc_octet *sum = &k->totals[r * t->columns + columns[j].at];
                kbc_octet_sum(sum, sum, &total);
            }
        }
    }
}

/* Adds row iy of the image. */
static void kbc_octet_add_row(const kbc_octet_work *k, const int8_t *x, int32_t iy)
{
    const kbc_conv_2d_params *p = k->p;
    const kbc_octet_plan *t = &k->plan;
    const kbc_window *kernel = &p->kernel;
    const int8_t *row = x + iy * p->in_width * p->in_channels;
    kbc_meeting rows[KBC_MANY_TAPS], columns[KBC_MANY_TAPS];
    const int8_t *pixel[KBC_LANES];
    const int32_t row_count =
        kbc_meet(rows, iy + kernel->pad_top, kernel->height, kernel->dilation_height,
                 kernel->stride_height, k->top, k->top + k->rows);

    if (row_count == 0) {
        return;
    }
    for (int32_t u = t->start; u < t->stop; ++u) {
        const int32_t column_count =
            kbc_meet(columns, u + kernel->pad_left, t->taps, kernel->dilation_width,
                     kernel->stride_width, t->first, t->first + t->columns);
        if (column_count == 0) {
            continue;
        }
        if (t->taps < kernel->width) {
            kbc_octet_patches(k, pixel, row, u);
        } else {
            kbc_octet_pixels(k, pixel, row, u);
        }
        kbc_octet_add_pixels(k, pixel, rows, row_count, columns, column_count);
    }
}

/* Moves what lies beyond a seam to the next lanes, for n octets which began with begin[i], or with
 * `all` where there is no such array. */
static void kbc_octet_fold_right(kbc_octet *to, const kbc_octet *from, const uint16_t *begin,
                                 uint32_t all, int32_t n)
{
    for (int32_t i = 0; i < n; ++i, ++to, ++from) {
        const uint32_t b = begin ? begin[i] : all, both = b * 0x10001u;
        to->word[0] += (from->word[0] << 16 | b) - both;
        to->word[1] += (from->word[1] << 16 | from->word[0] >> 16) - both;
        to->word[2] += (from->word[2] << 16 | from->word[1] >> 16) - both;
        to->word[3] += (from->word[3] << 16 | from->word[2] >> 16) - both;
    }
}

static void kbc_octet_fold_left(kbc_octet *to, const kbc_octet *from, const uint16_t *begin,
                                uint32_t all, int32_t n)
{
    for (int32_t i = 0; i < n; ++i, ++to, ++from) {
        const uint32_t b = begin ? begin[i] : all, both = b * 0x10001u;
        to->word[0] += (from->word[0] >> 16 | from->word[1] << 16) - both;
        to->word[1] += (from->word[1] >> 16 | from->word[2] << 16) - both;
        to->word[2] += (from->word[2] >> 16 | from->word[3] << 16) - both;
        to->word[3] += (from->word[3] >> 16 | b << 16) - both;
    }
}

/* The same for all columns of a row, which lie `size` octets apart. */
static void kbc_octet_fold(const kbc_octet_plan *t, kbc_octet *row, const uint16_t *begin,
                           uint32_t all, int32_t size, int32_t n)
{
    kbc_octet *const strip = row - t->first * size;

    for (int32_t s = t->first; s < 0; ++s) {
        kbc_octet_fold_left(strip + (s + t->strip) * size, strip + s * size, begin, all, n);
    }
    for (int32_t s = t->strip; s < t->first + t->columns; ++s) {
        kbc_octet_fold_right(strip + (s - t->strip) * size, strip + s * size, begin, all, n);
    }
}

/* acc[row][column][f] over a block of channels, in lanes. */
static void kbc_octet_add_block(const kbc_octet_work *k, const int8_t *x)
{
    const kbc_octet_plan *t = &k->plan;
    const kbc_window *kernel = &k->p->kernel;
    const uint16_t *begin = KBC_PLANES > 1 ? k->heads + k->filter : 0;
    const int32_t places = k->rows * t->columns;
    const int32_t totals = KBC_PLANES > 1 ? 0 : places * kernel->height;
    const int32_t top = k->top * kernel->stride_height - kernel->pad_top;
    const int32_t bottom = top + (k->rows - 1) * kernel->stride_height +
                           (kernel->height - 1) * kernel->dilation_height;
    kbc_octet *acc = k->lanes;

    for (int32_t i = 0; i < places; ++i) {
        for (int32_t f = 0; f < k->filters; ++f) {
            kbc_octet_fill(&acc[i * t->filters + f], begin ? begin[f] : (uint32_t)k->half);
        }
    }
    for (int32_t i = 0; i < totals; ++i) {
        kbc_octet_fill(&k->totals[i], (uint32_t)k->total);
    }
    for (int32_t iy = kbc_greatest(top, 0); iy <= kbc_least(bottom, k->p->in_height - 1); ++iy) {
        kbc_octet_add_row(k, x, iy);
    }
    for (int32_t r = 0; r < k->rows; ++r) {
        kbc_octet_fold(t, acc + r * t->columns * t->filters, begin, (uint32_t)k->half, t->filters,
                       k->filters);
    }
    for (int32_t i = 0; i < totals; i += t->columns) {
        kbc_octet_fold(t, k->totals + i, 0, (uint32_t)k->total, 1, 1);
    }
}

/* What becomes of a sum. */
typedef enum { KBC_SET, KBC_ADD, KBC_MAX } kbc_octet_use;

/* acc[i] made of the lanes of filter i: total - 2 lane[i], inverted or not; ternary the lane less
 * what it began with. */
static inline void kbc_octet_read(int32_t *acc, const uint16_t *lane, const uint16_t *head,
                                  int32_t total, int32_t count, kbc_octet_use use)
{
    for (const int32_t *end = acc + count; acc < end; ++acc, ++head, lane += KBC_LANES) {
        const int32_t sum = *lane, mask = (int16_t)*head;
        int32_t v = KBC_PLANES > 1 ? sum - *head : ((total - 2 * sum) ^ mask) - mask;
        if (use != KBC_SET) {
            v = use == KBC_ADD ? *acc + v : kbc_greatest(*acc, v);
        }
        *acc = v;
    }
}

/* acc[f], made of the sums of row r and column cx over the block of channels, for `count` filters
 * from f on. */
static void kbc_octet_values(const kbc_octet_work *k, int32_t r, int32_t cx, int32_t f,
                             int32_t count, int32_t *acc, kbc_octet_use use)
{
    const kbc_octet_plan *t = &k->plan;
    const int32_t place = k->places[cx];
    const int32_t octet = r * t->columns + place / KBC_LANES;
    const uint16_t *lane = k->lanes[octet * t->filters + f].lane + place % KBC_LANES;
    const uint16_t *head = k->heads + k->filter + f;
    int32_t total = 2 * k->half;

    if (KBC_PLANES == 1) {
        const uint16_t *sum = k->totals[r * k->p->kernel.height * t->columns].lane + place;
        for (int32_t i = 0; i < k->p->kernel.height; ++i, sum += KBC_LANES * t->columns) {
            total += *sum - k->total;
        }
    }
    switch (use) {
    case KBC_SET:
        kbc_octet_read(acc, lane, head, total, count, KBC_SET);
        break;
    case KBC_ADD:
        kbc_octet_read(acc, lane, head, total, count, KBC_ADD);
        break;
    default:
        kbc_octet_read(acc, lane, head, total, count, KBC_MAX);
    }
}

/* sums[row][column][f] = the block's, or += it. */
static void kbc_octet_flush(const kbc_octet_work *k, kbc_octet_use use)
{
    const int32_t width = k->p->conv_width;
    int32_t *sums = k->sums;

    for (int32_t r = 0; r < k->rows; ++r) {
        for (int32_t cx = 0; cx < width; ++cx, sums += k->plan.filters) {
            kbc_octet_values(k, r, cx, 0, k->filters, sums, use);
        }
    }
}

/* The greatest accumulators under the pool window of (oy, ox), of `count` filters from f on. */
static void kbc_octet_pool(const kbc_octet_work *k, int32_t oy, int32_t ox, int32_t f,
                           int32_t count, int32_t *acc)
{
    const kbc_conv_2d_params *p = k->p;
    const kbc_window *pool = &p->pool;
    const int32_t top = oy * pool->stride_height - pool->pad_top;
    const int32_t left = ox * pool->stride_width - pool->pad_left;
    kbc_octet_use use = KBC_SET;

    for (int32_t cy = kbc_greatest(top, 0); cy < kbc_least(top + pool->height, p->conv_height);
         ++cy) {
        for (int32_t cx = kbc_greatest(left, 0);
             cx < kbc_least(left + pool->width, p->conv_width); ++cx) {
            if (k->sums) {
                const int32_t place = (cy - k->top) * p->conv_width + cx;
                const int32_t *sum = k->sums + place * k->plan.filters + f;
                for (int32_t i = 0; i < count; ++i) {
                    acc[i] = use == KBC_SET ? sum[i] : kbc_greatest(acc[i], sum[i]);
                }
            } else {
                kbc_octet_values(k, cy - k->top, cx, f, count, acc, use);
            }
            use = KBC_MAX;
        }
    }
}

/* A band: rows [oy, stop) of the output. */
static void kbc_octet_band(kbc_octet_work *k, const int8_t *x, int32_t image, int32_t oy,
                           int32_t stop, const void *shortcut, void *y)
{
    const kbc_conv_2d_params *p = k->p;
    const kbc_octet_plan *t = &k->plan;
    const kbc_window *pool = &p->pool;
    const int32_t top = oy * pool->stride_height - pool->pad_top;
    const int32_t bottom = top + (stop - 1 - oy) * pool->stride_height + pool->height;
    const uint8_t *w = p->weights;

    k->top = kbc_greatest(top, 0);
    k->rows = kbc_least(bottom, p->conv_height) - k->top;
    for (int32_t g = 0; g < t->groups; g += t->block) {
        k->first_group = g;
        k->stop_group = kbc_least(g + t->block, t->groups);
        const int32_t taps = p->kernel.height * t->taps;
        const int32_t inputs = kbc_least(k->stop_group * t->group, t->inputs) - g * t->group;
        k->heads = (const uint16_t *)(const void *)w;
        k->weights = w + 2 * t->padded;
        k->half = k->zero * (taps * inputs / 2);
        k->total = k->zero * t->taps * inputs;
        kbc_octet_add_block(k, x);
        if (k->sums) {
            kbc_octet_flush(k, g > 0 ? KBC_ADD : KBC_SET);
        }
        w = k->weights + taps * (k->stop_group - g) * KBC_PLANES * t->padded;
    }
    for (; oy < stop; ++oy) {
        for (int32_t ox = 0; ox < p->out_width; ++ox) {
            const int32_t pixel = (image * p->out_height + oy) * p->out_width + ox;
            for (int32_t f = 0; f < k->filters; f += KBC_BLOCK) {
                const int32_t channel = k->filter + f;
                const int32_t left = kbc_least(k->filters - f, p->out_channels - channel);
                const int32_t count = kbc_block(left);
                int32_t acc[KBC_BLOCK];
                kbc_octet_pool(k, oy, ox, f, count, acc);
                p->finish.function(&p->finish, acc, pixel, channel, count, shortcut, y);
            }
        }
    }
}

static int32_t kbc_conv_2d_octets_scratch(const kbc_conv_2d_params *p)
{
    kbc_octet_plan plan;

    return kbc_octet_plan_of(p, &plan) ? kbc_octet_bytes(p, &plan) : -1;
}

/* Where each column of the convolution lies in a row of lanes. */
static void kbc_octet_places(const kbc_octet_work *k)
{
    const kbc_octet_plan *t = &k->plan;
    int32_t cx = 0;

    for (int32_t l = 0; l < KBC_LANES; ++l) {
        for (int32_t s = 0; s < t->strip && cx < k->p->conv_width; ++s, ++cx) {
            k->places[cx] = (uint16_t)((s - t->first) * KBC_LANES + l);
        }
    }
}

static kbc_status kbc_conv_2d_octets(const kbc_conv_2d_params *p, const void *x,
                                     const void *shortcut, void *y, void *scratch)
{
    kbc_octet_work k = {.p = p, .zero = p->input_zero_point + 128};
    const kbc_octet_plan *t = &k.plan;
    uint8_t *free = scratch;

    kbc_octet_plan_of(p, &k.plan);
    const kbc_octet_room room = kbc_octet_room_of(p, t);
    k.table = (void *)free;
    k.steps = (void *)(free += room.table);
    k.pixels = (void *)(free += room.steps);
    k.places = (void *)(free += room.pixels);
    k.totals = (void *)(free += room.places);
    k.lanes = (void *)(free += room.totals);
    k.sums = room.sums ? (void *)(free + room.lanes) : 0;
    memset(k.pixels, (int)p->input_zero_point, (size_t)room.pixels);
    kbc_octet_places(&k);
    for (int32_t i = 0; i < p->batch; ++i) {
        const int8_t *image = (const int8_t *)x + i * p->in_height * p->in_width * p->in_channels;
        for (int32_t oy = 0; oy < p->out_height; oy += t->band) {
            for (k.filter = 0; k.filter < t->padded; k.filter += t->filters) {
                k.filters = kbc_least(t->filters, t->padded - k.filter);
                kbc_octet_band(&k, image, i, oy, kbc_least(oy + t->band, p->out_height), shortcut,
                               y);
            }
        }
    }
    return KBC_OK;
}

#endif /* KBC_CONV_2D_OCTETS_H */
