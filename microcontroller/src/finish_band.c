/* From the sums of eight filters to outputs (see convolve_b1.c).
 *
 *     inside = sum over the taps inside the image of how many weights are not 0
 *     acc    = inside - 2 * differ
 *
 * Bits are compared in the domain of `differ`, two to a word, where acc < threshold, or where the
 * direction is -1 acc > threshold, is
 *
 *     differ >= floor((inside + 2 - threshold) / 2)
 *     differ <  floor((inside + 1 - threshold) / 2)
 *
 * The bit of a max-pooled pixel is 1 where the first holds for all pixels under the window, or the
 * second for any, and then `differ >=` not for all: so either way bytes of eight comparisons are
 * joined by AND, and at last inverted where the direction is -1.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "convolve_b1.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Bits of eight filters are stored as bytes, for little-endian cores."
#endif

enum { OVER = 0x4000 }; /* keeps accumulators positive, and below 0x8000 */

/* Where filter f of 8 has its sum. */
static inline int32_t word_of(int32_t f)
{
    return (f & 1) << 1 | (f >> 1 & 1);
}

static inline int32_t shift_of(int32_t f)
{
    return (f & 4) * 4;
}

static void add(kbc_sums *s, const kbc_sums *t)
{
    s->lanes[0] += t->lanes[0];
    s->lanes[1] += t->lanes[1];
    s->lanes[2] += t->lanes[2];
    s->lanes[3] += t->lanes[3];
}

/* line[cx] = first + inside, for row cy of accumulators. Nothing is to do, and the result is 0,
 * where these taps are the rows that lie inside the image already. */
static int count_inside(const kbc_band *b, int32_t cy, const kbc_sums *first, kbc_span *taps)
{
    const kbc_window *k = &b->p->kernel;
    const kbc_span all = {0, b->p->conv_width};
    const kbc_span rows = kbc_inside((kbc_span){0, k->height}, k->dilation_height,
                                     cy * k->stride_height - k->pad_top, b->p->in_height);

    if (rows.first == taps->first && rows.last == taps->last) {
        return 0;
    }
    *taps = rows;
    for (int32_t cx = all.first; cx < all.last; ++cx) {
        b->line[cx] = *first;
    }
    for (int32_t j = 0; j < k->width; ++j) {
        const int32_t left = j * k->dilation_width - k->pad_left;
        const kbc_span columns = kbc_inside(all, k->stride_width, left, b->p->in_width);
        kbc_sums column = {{0}};
        for (int32_t i = rows.first; i < rows.last; ++i) {
            add(&column, &b->used[i * k->width + j]);
        }
        for (int32_t cx = columns.first; cx < columns.last; ++cx) {
            add(&b->line[cx], &column);
        }
    }
    return 1;
}

/* What turns sums of eight filters into bits. */
typedef struct {
    kbc_sums doubled; /* twice the bounds, but for what lies inside, on KBC_BASE */
    uint32_t inverted, mask;
} bounds;

static bounds bounds_of(const kbc_conv_2d_params *p, int32_t filter, int32_t count)
{
    const kbc_threshold *t = (const kbc_threshold *)p->finish.channels + filter;
    const int32_t most = kbc_taps_of(p) * p->in_channels + 1; /* more than any accumulator */
    bounds b = {{{0}}, 0, (1u << count) - 1};

    for (int32_t f = 0; f < count; ++f) {
        const int32_t low = t[f].threshold < -most ? -most : t[f].threshold;
        const int32_t threshold = low > most ? most : low;
        const int32_t inverted = t[f].direction < 0;
        const int32_t bound = 2 * KBC_BASE + 2 - inverted - threshold;
        b.doubled.lanes[word_of(f)] |= (uint32_t)bound << shift_of(f);
        b.inverted |= (uint32_t)inverted << f;
    }
    return b;
}

/* Where the sums are not less than the bounds: a bit of each filter, in their order. */
static inline uint32_t compare(kbc_sums s, const kbc_sums *bound)
{
    const uint32_t bit = KBC_BOTH(0x8000);
    uint32_t four;

    kbc_settle(&s, KBC_START);
    four = ((s.lanes[0] - bound->lanes[0]) & bit) >> 15;
    four |= ((s.lanes[2] - bound->lanes[2]) & bit) >> 14;
    four |= ((s.lanes[1] - bound->lanes[1]) & bit) >> 13;
    four |= ((s.lanes[3] - bound->lanes[3]) & bit) >> 12;
    return four | four >> 12;
}

/* Bytes of comparisons take the place of the band's sums. */
static void compare_all(const kbc_band *b, const kbc_sums *doubled)
{
    const int32_t width = b->p->conv_width;
    uint8_t *byte = (uint8_t *)b->sums;
    kbc_span taps = {-1, -1};

    for (int32_t cy = b->rows.first; cy < b->rows.last; ++cy) {
        const kbc_sums *s = b->sums + (cy - b->rows.first) * width;
        if (count_inside(b, cy, doubled, &taps)) {
            for (int32_t cx = 0; cx < width; ++cx) {
                for (int32_t i = 0; i < KBC_SUMS; ++i) {
                    b->line[cx].lanes[i] = b->line[cx].lanes[i] >> 1 & KBC_BOTH(0x7fff);
                }
            }
        }
        for (int32_t cx = 0; cx < width; ++cx) {
            *byte++ = (uint8_t)compare(s[cx], &b->line[cx]);
        }
    }
}

/* The part of a pool window that lies inside the image. */
static inline kbc_span clip(int32_t first, int32_t window, int32_t size)
{
    const int32_t last = first + window;

    return (kbc_span){first < 0 ? 0 : first, last > size ? size : last};
}

static void finish_bits(const kbc_band *b, int32_t filter, int32_t count, uint8_t *y)
{
    const kbc_conv_2d_params *p = b->p;
    const kbc_window *pool = &p->pool;
    const int32_t pixel_bytes = 4 * kbc_words(p->out_channels), width = p->conv_width;
    const int32_t pads = filter + count == p->out_channels ? pixel_bytes - filter / KBC_LANES : 1;
    const bounds at = bounds_of(p, filter, count);

    compare_all(b, &at.doubled);
    y += b->out.first * p->out_width * pixel_bytes + filter / KBC_LANES;
    for (int32_t oy = b->out.first; oy < b->out.last; ++oy) {
        const kbc_span rows = clip(oy * pool->stride_height - pool->pad_top, pool->height,
                                   p->conv_height);
        const uint8_t *first = (const uint8_t *)b->sums + (rows.first - b->rows.first) * width;
        const uint8_t *last = first + (rows.last - rows.first) * width;
        int32_t left = -pool->pad_left;
        for (int32_t ox = 0; ox < p->out_width; ++ox, left += pool->stride_width) {
            const kbc_span columns = clip(left, pool->width, width);
            uint32_t bits = 0xff;
            for (const uint8_t *row = first; row < last; row += width) {
                for (int32_t cx = columns.first; cx < columns.last; ++cx) {
                    bits &= row[cx];
                }
            }
            *y = (uint8_t)((bits ^ at.inverted) & at.mask);
            for (int32_t pad = 1; pad < pads; ++pad) {
                y[pad] = 0;
            }
            y += pixel_bytes;
        }
    }
}

/* OVER + acc takes the place of each sum. What lanes borrow from each other on the way they give
 * back, as nothing is left below 0. */
static void subtract_all(const kbc_band *b)
{
    const uint32_t offset = KBC_BOTH(OVER + 2 * KBC_START);
    const kbc_sums first = {{offset, offset, offset, offset}};
    kbc_span taps = {-1, -1};
    kbc_sums *s = b->sums;

    for (int32_t cy = b->rows.first; cy < b->rows.last; ++cy) {
        count_inside(b, cy, &first, &taps);
        for (int32_t cx = 0; cx < b->p->conv_width; ++cx, ++s) {
            const uint32_t *inside = b->line[cx].lanes;
            kbc_settle(s, KBC_START);
            s->lanes[0] = inside[0] - 2 * s->lanes[0];
            s->lanes[1] = inside[1] - 2 * s->lanes[1];
            s->lanes[2] = inside[2] - 2 * s->lanes[2];
            s->lanes[3] = inside[3] - 2 * s->lanes[3];
        }
    }
}

/* Of two pairs of 15-bit lanes. */
static inline uint32_t greater(uint32_t a, uint32_t b)
{
    const uint32_t bit = KBC_BOTH(0x8000);
    const uint32_t not_less = ((a | bit) - b) & bit;

    return ((a ^ b) & (not_less - (not_less >> 15))) ^ b;
}

static inline void unpack_lanes(int32_t *low, uint32_t lanes)
{
    low[0] = (int32_t)(lanes & 0xffff) - OVER;
    low[4] = (int32_t)(lanes >> 16) - OVER;
}

static void greatest(const kbc_band *b, kbc_span rows, kbc_span columns, int32_t acc[KBC_LANES])
{
    const int32_t width = b->p->conv_width;
    const kbc_sums *row = b->sums + (rows.first - b->rows.first) * width;
    kbc_sums most = row[columns.first];

    for (int32_t cy = rows.first; cy < rows.last; ++cy, row += width) {
        for (int32_t cx = columns.first; cx < columns.last; ++cx) {
            most.lanes[0] = greater(row[cx].lanes[0], most.lanes[0]);
            most.lanes[1] = greater(row[cx].lanes[1], most.lanes[1]);
            most.lanes[2] = greater(row[cx].lanes[2], most.lanes[2]);
            most.lanes[3] = greater(row[cx].lanes[3], most.lanes[3]);
        }
    }
    unpack_lanes(acc, most.lanes[0]);
    unpack_lanes(acc + 2, most.lanes[1]);
    unpack_lanes(acc + 1, most.lanes[2]);
    unpack_lanes(acc + 3, most.lanes[3]);
}

void kbc_finish_band(const kbc_band *b, int32_t filter, int32_t first_pixel, const void *shortcut,
                     void *y)
{
    const kbc_conv_2d_params *p = b->p;
    const kbc_window *pool = &p->pool;
    const int32_t left = p->out_channels - filter, count = left < KBC_LANES ? left : KBC_LANES;
    int32_t pixel = first_pixel + b->out.first * p->out_width;

    if (p->finish.function == kbc_finish_b1) {
        finish_bits(b, filter, count,
                    (uint8_t *)y + first_pixel * 4 * kbc_words(p->out_channels));
        return;
    }
    subtract_all(b);
    for (int32_t oy = b->out.first; oy < b->out.last; ++oy) {
        const kbc_span rows = clip(oy * pool->stride_height - pool->pad_top, pool->height,
                                   p->conv_height);
        for (int32_t ox = 0; ox < p->out_width; ++ox, ++pixel) {
            const kbc_span columns = clip(ox * pool->stride_width - pool->pad_left, pool->width,
                                          p->conv_width);
            int32_t acc[KBC_LANES];
            greatest(b, rows, columns, acc);
            p->finish.function(&p->finish, acc, pixel, filter, count, shortcut, y);
        }
    }
}
