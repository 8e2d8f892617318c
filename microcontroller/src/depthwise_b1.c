/* 2-D convolution of bits in which each channel has one filter: 32 channels at once.
 *
 *     differ  = sum over taps inside the image of (w xor x) & used
 *     absent  = sum over the other taps of used
 *     acc     = all - (2 * differ + absent),    all = sum over all taps of used
 *
 * A word of a tap holds a bit of 32 channels, and so counts are kept in planes, bit k of 32 counts
 * to a word: a tap is added by a chain of half adders, 7 instructions for the 4 planes that up to
 * 15 taps need. Taps, pixel and comparison take about 300 for the 288 MACs of a 3x3 window that
 * lies in the image, and three times that on its border. Outputs that are bits are compared in
 * planes, too:
 *
 *     acc < threshold    where    2 * differ + absent >= all - threshold + 1
 *     acc > threshold    where    2 * differ + absent <  all - threshold
 *
 * and a max-pooling joins these words by AND, as in finish_band.c. Other outputs are taken out of
 * the planes one by one, which costs far more than to count them.
 *
 * Layout `taps`: [taps][words of channels], bit c % 32 of word c / 32 is channel c; ternary weights
 * are two such planes.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "depthwise_b1.h"

#include "one_bit.h"
#include "pool_2d.h"

enum {
    PLANES = 8,
    TAPS = 127, /* whose doubled count fits in the planes */
    CHAIN = 15, /* taps that 4 planes count */
    FEW = 14,   /* taps whose bounds fit in 4 planes, too */
};

/* Counts of 32 channels: bit c of plane[k] is bit k of channel c's. */
typedef struct {
    uint32_t plane[PLANES];
} counts;

/* Numbers of 32 channels, too many for a stack. */
typedef struct {
    int32_t all[KBC_BLOCK], acc[KBC_BLOCK], taken[KBC_BLOCK];
} numbers;

/* A word of channels of an image. */
typedef struct {
    const kbc_conv_2d_params *p;
    numbers *scratch;
    const uint32_t *x, *w, *used;
    int32_t words, used_step, x_step; /* to the next tap, of w, `used` and x */
} channels;

static const uint32_t every = 0xffffffffu;

/* Adds 2^k to the counts whose bit is 1. */
static void insert(counts *n, int32_t k, uint32_t bits)
{
    for (; bits; ++k) {
        const uint32_t carry = n->plane[k] & bits;
        n->plane[k] ^= bits;
        bits = carry;
    }
}

/* Taps [taps.first, taps.last) of `count` lie inside the image, the first of all at `first`. */
static kbc_span taps_inside(int32_t count, int32_t first, int32_t dilation, int32_t size)
{
    kbc_span taps = {0, count};

    while (taps.first < taps.last && first + taps.first * dilation < 0) {
        ++taps.first;
    }
    while (taps.first < taps.last && first + (taps.last - 1) * dilation >= size) {
        --taps.last;
    }
    return taps;
}

/* Counts of up to 15, in registers. */
typedef struct {
    uint32_t a, b, c, d;
} chain;

/* Adds taps [tap, tap + count), whose inputs begin at x. */
static inline chain add_taps(const channels *c, chain n, const uint32_t *x, int32_t tap,
                             int32_t count)
{
    const uint32_t *w = c->w + tap * c->words, *used = c->used + tap * c->used_step;
    const int32_t words = c->words, used_step = c->used_step, x_step = c->x_step;

    for (; count > 0; --count) {
        const uint32_t bits = (*x ^ *w) & *used;
        const uint32_t twos = n.a & bits, fours = n.b & twos;
        n.a ^= bits;
        n.b ^= twos;
        n.d ^= n.c & fours;
        n.c ^= fours;
        x += x_step;
        w += words;
        used += used_step;
    }
    return n;
}

/* n += 2 * differ, of these taps */
static void add_differences(const channels *c, kbc_span rows, kbc_span columns, int32_t top,
                            int32_t left, counts *n)
{
    const kbc_window *k = &c->p->kernel;
    const int32_t count = columns.last - columns.first;

    for (int32_t i = rows.first; i < rows.last;) {
        chain sum = {0, 0, 0, 0};
        for (int32_t taken = 0; i < rows.last && taken + count <= CHAIN; ++i, taken += count) {
            const int32_t y = top + i * k->dilation_height;
            const int32_t x = left + columns.first * k->dilation_width;
            sum = add_taps(c, sum, c->x + (y * c->p->in_width + x) * c->words,
                           i * k->width + columns.first, count);
        }
        insert(n, 1, sum.a);
        insert(n, 2, sum.b);
        insert(n, 3, sum.c);
        insert(n, 4, sum.d);
    }
}

/* n += how many weights these taps have, but for those that lie inside both spans */
static void add_used(const channels *c, kbc_span rows, kbc_span columns, counts *n)
{
    const kbc_window *k = &c->p->kernel;

    for (int32_t i = 0; i < k->height; ++i) {
        for (int32_t j = 0; j < k->width; ++j) {
            if (i < rows.first || i >= rows.last || j < columns.first || j >= columns.last) {
                insert(n, 0, c->used[(i * k->width + j) * c->used_step]);
            }
        }
    }
}

/* 2 * differ + absent, with the first tap at (top, left) */
static counts count(const channels *c, int32_t top, int32_t left)
{
    const kbc_window *k = &c->p->kernel;
    const kbc_span rows = taps_inside(k->height, top, k->dilation_height, c->p->in_height);
    const kbc_span columns = taps_inside(k->width, left, k->dilation_width, c->p->in_width);
    counts n = {{0}};

    add_differences(c, rows, columns, top, left, &n);
    if (rows.last - rows.first < k->height || columns.last - columns.first < k->width) {
        add_used(c, rows, columns, &n);
    }
    return n;
}

/* The counts as numbers. */
static void unpack_counts(const counts *n, int32_t *values)
{
    for (int32_t i = 0; i < KBC_BLOCK; ++i) {
        values[i] = 0;
        for (int32_t k = 0; k < PLANES; ++k) {
            values[i] |= (int32_t)(n->plane[k] >> i & 1) << k;
        }
    }
}

static inline uint32_t borrow_of(uint32_t a, uint32_t b, uint32_t borrow)
{
    return (~a & b) | (~(a ^ b) & borrow);
}

/* Bit c is 1 where channel c of a is less than that of b. */
static uint32_t less(const counts *a, const counts *b, int32_t planes)
{
    uint32_t borrow = 0;

    for (int32_t k = 0; k < planes; ++k) {
        borrow = borrow_of(a->plane[k], b->plane[k], borrow);
    }
    return borrow;
}

/* What turns counts of 32 channels into bits. */
typedef struct {
    counts least; /* that give a 1, or where the direction is -1 a 0 */
    chain half;   /* the same of `differ`, where no tap is absent and there are few */
    uint32_t inverted, mask;
    int32_t planes;
} bounds;

static bounds bounds_of(const kbc_conv_2d_params *p, int32_t first, const int32_t *all)
{
    const kbc_threshold *t = (const kbc_threshold *)p->finish.channels + first;
    const int32_t size = kbc_block(p->out_channels - first);
    const int32_t most = 2 * p->kernel.height * p->kernel.width + 1;
    bounds b = {{{0}}, {0, 0, 0, 0}, 0, 0xffffffffu >> (32 - size), 1};

    for (int32_t i = 0; i < size; ++i) {
        const int32_t inverted = t[i].direction < 0, limit = most + 1;
        /* Within bounds that no count reaches, so that the difference cannot overflow. */
        const int32_t low = t[i].threshold < -limit ? -limit : t[i].threshold;
        const int32_t least = all[i] - (low > limit ? limit : low) + 1 - inverted;
        const int32_t bound = least < 0 ? 0 : least > most ? most : least;
        for (int32_t k = 0; k < PLANES; ++k) {
            b.least.plane[k] |= (uint32_t)(bound >> k & 1) << i;
        }
        b.half.a |= (uint32_t)((bound + 1) >> 1 & 1) << i;
        b.half.b |= (uint32_t)((bound + 1) >> 2 & 1) << i;
        b.half.c |= (uint32_t)((bound + 1) >> 3 & 1) << i;
        b.half.d |= (uint32_t)((bound + 1) >> 4 & 1) << i;
        b.inverted |= (uint32_t)inverted << i;
    }
    while (most >> b.planes) {
        ++b.planes;
    }
    return b;
}

/* Out of line these keep what they work on in registers. */
#if defined(__GNUC__)
#define APART __attribute__((noinline))
#else
#define APART
#endif

/* 1 where `differ` does not reach its bounds: of few taps, all inside the image, the first at x */
APART static uint32_t compare_few(const channels *c, const uint32_t *x, const chain *half)
{
    const int32_t width = c->p->kernel.width, taps = width * c->p->kernel.height;
    const int32_t row = c->p->kernel.dilation_height * c->p->in_width * c->words;
    chain n = {0, 0, 0, 0};

    for (int32_t tap = 0; tap < taps; tap += width, x += row) {
        n = add_taps(c, n, x, tap, width);
    }
    return borrow_of(n.d, half->d,
                     borrow_of(n.c, half->c, borrow_of(n.b, half->b, borrow_of(n.a, half->a, 0))));
}

APART static uint32_t compare_all(const channels *c, int32_t top, int32_t left, const bounds *b)
{
    const counts n = count(c, top, left);

    return less(&n, &b->least, b->planes);
}

/* 1 where accumulator (cy, cx) does not reach its bounds */
static inline uint32_t compare(const channels *c, int32_t cy, int32_t cx, const bounds *b)
{
    const kbc_conv_2d_params *p = c->p;
    const kbc_window *k = &p->kernel;
    const int32_t top = cy * k->stride_height - k->pad_top;
    const int32_t left = cx * k->stride_width - k->pad_left;

    if (k->height * k->width > FEW || top < 0 || left < 0 ||
        top + (k->height - 1) * k->dilation_height >= p->in_height ||
        left + (k->width - 1) * k->dilation_width >= p->in_width) {
        return compare_all(c, top, left, b);
    }
    return compare_few(c, c->x + (top * p->in_width + left) * c->words, &b->half);
}

static uint32_t bits_of(const channels *c, kbc_span rows, kbc_span columns, const bounds *b)
{
    uint32_t below = 0;

    for (int32_t cy = rows.first; cy < rows.last; ++cy) {
        for (int32_t cx = columns.first; cx < columns.last; ++cx) {
            below |= compare(c, cy, cx, b);
        }
    }
    return (~below ^ b->inverted) & b->mask;
}

/* The greatest accumulators, in the scratch memory. */
static void find_greatest(const channels *c, kbc_span rows, kbc_span columns)
{
    const kbc_window *k = &c->p->kernel;
    numbers *s = c->scratch;

    for (int32_t i = 0; i < KBC_BLOCK; ++i) {
        s->acc[i] = -TAPS;
    }
    for (int32_t cy = rows.first; cy < rows.last; ++cy) {
        for (int32_t cx = columns.first; cx < columns.last; ++cx) {
            const counts n = count(c, cy * k->stride_height - k->pad_top,
                                   cx * k->stride_width - k->pad_left);
            unpack_counts(&n, s->taken);
            for (int32_t i = 0; i < KBC_BLOCK; ++i) {
                const int32_t a = s->all[i] - s->taken[i];
                s->acc[i] = a > s->acc[i] ? a : s->acc[i];
            }
        }
    }
}

/* All pixels of 32 channels. */
static void convolve(const channels *c, int32_t word, int32_t first_pixel, const void *shortcut,
                     void *y)
{
    const kbc_conv_2d_params *p = c->p;
    const kbc_window *pool = &p->pool;
    const kbc_span none = {0, 0};
    const int to_bits = p->finish.function == kbc_finish_b1;
    int32_t pixel = first_pixel;
    counts used = {{0}};
    bounds b;

    add_used(c, none, none, &used);
    unpack_counts(&used, c->scratch->all);
    if (to_bits) {
        b = bounds_of(p, 32 * word, c->scratch->all);
    }
    for (int32_t oy = 0; oy < p->out_height; ++oy) {
        const kbc_span rows = kbc_clip_window(oy, pool->stride_height, pool->pad_top, pool->height,
                                              p->conv_height);
        for (int32_t ox = 0; ox < p->out_width; ++ox, ++pixel) {
            const kbc_span columns = kbc_clip_window(ox, pool->stride_width, pool->pad_left,
                                                     pool->width, p->conv_width);
            if (to_bits) {
                ((uint32_t *)y)[pixel * c->words + word] = bits_of(c, rows, columns, &b);
            } else {
                find_greatest(c, rows, columns);
                p->finish.function(&p->finish, c->scratch->acc, pixel, 32 * word,
                                   kbc_block(p->out_channels - 32 * word), shortcut, y);
            }
        }
    }
}

int32_t kbc_depthwise_b1_scratch(const kbc_conv_2d_params *p)
{
    const int fits = p->groups == p->in_channels && p->groups == p->out_channels &&
                     p->input_dilation_height == 1 && p->input_dilation_width == 1 &&
                     p->kernel.width <= CHAIN && p->kernel.height * p->kernel.width <= TAPS;

    return fits ? (int32_t)sizeof(numbers) : -1;
}

kbc_status kbc_depthwise_b1(const kbc_conv_2d_params *p, int ternary, const uint32_t *x,
                            const void *shortcut, void *y, void *scratch)
{
    const int32_t words = kbc_words(p->in_channels), pixels = p->out_height * p->out_width;
    const uint32_t *w = p->weights, *used = w + p->kernel.height * p->kernel.width * words;
    channels c = {.p = p, .scratch = scratch, .words = words};

    c.used_step = ternary ? words : 0;
    c.x_step = p->kernel.dilation_width * words;
    for (int32_t n = 0; n < p->batch; ++n) {
        for (int32_t word = 0; word < words; ++word) {
            c.x = x + word;
            c.w = w + word;
            c.used = ternary ? used + word : &every;
            convolve(&c, word, n * pixels, shortcut, y);
        }
        x += p->in_height * p->in_width * words;
    }
    return KBC_OK;
}
