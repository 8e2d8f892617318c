/* 2-D convolution, few-bit weights, by vectors: what inputs of 8 bits and of one bit share.
 *
 *     acc[cy][cx][o] = sum over taps (i, j) and groups g of 8 channels of
 *                      table(pixel of the tap, g)[byte (i, j, g) of w[o]]       (mve.h)
 *
 * The table of a pixel and a group serves all taps that meet the pixel, and all filters. A tile of
 * 8 columns and a few rows of the convolution is worked out at a time: for each row of the input
 * that it sees, and each group, the tables of the row's pixels are filled, and then each kernel row
 * adds what they say to the accumulators of the row of the tile that it belongs to. A vector has
 * the accumulators of 8 filters (16 bits) or 16 (counts, 8 bits) of one pixel; three taps of 8
 * pixels are 24 gathers, 24 additions and 7 or 5 other instructions, 0.036 or 0.018 a product.
 * Before the narrow accumulators may overflow they move on to wide ones.
 *
 * A pixel's tables are filled anew for each tile that sees it: the more rows in a tile, the fewer
 * times, as far as scratch allows. Not taken, by its count: bytes of 1 and -1 and vmladava, which
 * need no tables but 0.1 a product; nibbles in constant tables, 0.04 for one-bit inputs.
 *
 * Absent taps have a table of zeros. An image of fewer than 8 channels (int8) would leave most of
 * a table unused: there a column of the kernel is taken for one tap with height * channels inputs.
 *
 * Layouts `tap_lanes_s8` and `tap_lanes_b1`: kernel row, group, plane, tap (three neighbours for
 * each block of filters where neighbouring pixels are neighbouring taps), block, and at last
 * filters in a vector's order.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_CONV_2D_MVE_H
#define KBC_CONV_2D_MVE_H

#include "mve.h"

/* What the inputs are, and how many lookups a weight takes: a kernel says so before it includes
 * this. */
#ifndef KBC_ONE_BIT
#error "KBC_ONE_BIT is 1 of inputs of one bit, KBC_PLANES 2 of ternary weights."
#endif

enum {
    KBC_TILE = 8,         /* columns */
    KBC_TAPS = 3,         /* at once */
    KBC_POINTERS = 10,    /* pixels that three taps of 8 columns meet */
    KBC_MOST_COLUMNS = 24, /* of the input, that a tile may see */
    KBC_SCRATCH = KBC_ONE_BIT ? 6144 : 8192, /* bytes that more than two rows may take */
    KBC_LANES = KBC_ONE_BIT ? 16 : 8, /* filters of a vector */
    KBC_ENTRY = KBC_ONE_BIT ? 1 : 2, /* bytes of a table's */
    KBC_CAPACITY = KBC_ONE_BIT ? KBC_COUNTS : KBC_SUMS, /* entries that narrow accumulators take */
};

static inline int32_t kbc_pixel_bytes(const kbc_conv_2d_params *p)
{
    return KBC_ONE_BIT ? 4 * kbc_words(p->in_channels) : p->in_channels;
}

/* A tile's shape, and where things lie in the scratch. */
typedef struct {
    const kbc_conv_2d_params *p;
    int32_t stack;        /* kernel rows taken for one, 1 where they are not */
    int32_t inputs;       /* of a tap */
    int32_t groups, blocks;
    int32_t threes, ones; /* steps of three taps, and of one */
    int32_t w_row;        /* bytes of a kernel row's weights */
    int32_t columns;      /* of the input */
    int32_t pooled_rows, pooled_columns;
    int32_t rows;         /* of the convolution */
    int32_t staged_bytes; /* of a pixel that is copied, or 0 */
    int32_t narrow_row, wide_row, tables, steps, scratch; /* bytes */
} kbc_mve_tile;

static inline int kbc_neighbours(const kbc_window *kernel)
{
    return kernel->stride_width == 1 && kernel->dilation_width == 1;
}

static inline void kbc_mve_plan(kbc_mve_tile *t, const kbc_conv_2d_params *p)
{
    const kbc_window *kernel = &p->kernel, *pool = &p->pool;

    t->p = p;
    t->stack = !KBC_ONE_BIT && p->in_channels < 8 ? kernel->height : 1;
    t->inputs = t->stack * p->in_channels;
    t->pooled_rows = 1;
    t->groups = (t->inputs + 7) / 8;
    t->blocks = (p->out_channels + KBC_LANES - 1) / KBC_LANES;
    t->threes = kbc_neighbours(kernel) ? kernel->width / KBC_TAPS : 0;
    t->ones = kernel->width - KBC_TAPS * t->threes;
    t->w_row = KBC_PLANES * kernel->width * t->groups * t->blocks * KBC_LANES;
    t->columns = (KBC_TILE - 1) * kernel->stride_width +
                (kernel->width - 1) * kernel->dilation_width + 1;
    t->staged_bytes = !KBC_ONE_BIT && (t->stack > 1 || t->inputs % 8 != 0) ? 8 * t->groups : 0;
    t->pooled_columns = (KBC_TILE - pool->width) / pool->stride_width + 1;
    t->narrow_row = 16 * KBC_TILE * t->blocks;
    t->wide_row = 2 * t->narrow_row;
    t->tables = KBC_ENTRY * KBC_TABLE * t->columns;
    t->steps = 4 * KBC_POINTERS * kernel->width;

    const int32_t row = t->narrow_row + t->wide_row;
    const int32_t rest = t->tables + t->steps + t->columns * t->staged_bytes;
    const int32_t most = kbc_greatest((KBC_SCRATCH - rest) / row, 2);
    if (most > pool->height) {
        t->pooled_rows = kbc_least((most - pool->height) / pool->stride_height + 1, p->out_height);
    }
    t->rows = (t->pooled_rows - 1) * pool->stride_height + pool->height;
    t->scratch = rest + row * t->rows;
}

/* The parameters, or in `row` those of the same layer with all pixels of an image side by side,
 * where an output depends on one pixel: tiles of 8 columns are whole then. */
static inline const kbc_conv_2d_params *kbc_mve_as_row(kbc_conv_2d_params *row,
                                                       const kbc_conv_2d_params *p)
{
    const kbc_window *w = &p->kernel, *pool = &p->pool;

    if (w->height * w->width * w->stride_height * w->stride_width != 1 ||
        pool->height * pool->width * pool->stride_height * pool->stride_width != 1 ||
        (w->pad_top | w->pad_left | w->pad_bottom | w->pad_right | pool->pad_top | pool->pad_left |
         pool->pad_bottom | pool->pad_right) != 0) {
        return p;
    }
    *row = *p;
    row->in_width = row->conv_width = row->out_width = p->in_height * p->in_width;
    row->in_height = row->conv_height = row->out_height = 1;
    return row;
}

/* -1 where the loops are not made for the layer. */
static inline int32_t kbc_conv_2d_mve_scratch(const kbc_conv_2d_params *p)
{
    const int32_t inputs = p->kernel.height * p->kernel.width * p->in_channels;
    kbc_conv_2d_params row;
    kbc_mve_tile t;

    kbc_mve_plan(&t, kbc_mve_as_row(&row, p));
    if (p->groups > 1 || p->input_dilation_height > 1 || p->input_dilation_width > 1 ||
        t.columns > KBC_MOST_COLUMNS || p->pool.width > KBC_TILE ||
        KBC_PLANES * p->kernel.width > KBC_CAPACITY || (KBC_ONE_BIT && KBC_PLANES * inputs > 65535)) {
        return -1;
    }
    return t.scratch + (int32_t)sizeof row;
}

#if KBC_HAS_MVE

/* The narrow accumulators of a row += three taps, `step` having the tables of 10 pixels. */
#define THREE_TAPS(load, gather, scale, add)                                                    \
    __asm__ volatile("dls lr, %[blocks]\n"                                                      \
                     "ldm r12, {r1-r6, r8-r10, r12}\n"                                          \
                     "1:\n" load FOUR(gather, scale, add, "r1", "r2", "r3", "r4", "r5", "r6")   \
                         FOUR(gather, scale, add, "r5", "r6", "r8", "r9", "r10", "r12")         \
                     "le lr, 1b\n"                                                              \
                     : "+r"(w_), "+r"(acc_), "+r"(step_), [blocks] "+r"(blocks_)               \
                     :                                                                          \
                     : "memory", "lr", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "q0",   \
                       "q1", "q2", "q3", "q4", "q5", "q6", "q7")
#define FOUR(gather, scale, add, a, b, c, d, e, f)              \
    "vldmia r11, {d6-d13}\n" PIXEL(gather, scale, add, "q3", a, b, c) \
    PIXEL(gather, scale, add, "q4", b, c, d) PIXEL(gather, scale, add, "q5", c, d, e) \
    PIXEL(gather, scale, add, "q6", d, e, f) "vstmia r11!, {d6-d13}\n"
#define PIXEL(gather, scale, add, sum, a, b, c) \
    LOOK(gather, scale, add, sum, a, "q0") LOOK(gather, scale, add, sum, b, "q1") \
    LOOK(gather, scale, add, sum, c, "q2")
#define LOOK(gather, scale, add, sum, table, w) \
    gather " q7, [" table ", " w scale "]\n" add " " sum ", " sum ", q7\n"

/* The same with one tap. */
#define ONE_TAP(load, gather, scale, add)                                                       \
    __asm__ volatile("dls lr, %[blocks]\n"                                                      \
                     "ldm r12, {r1-r6, r8-r10, r12}\n"                                          \
                     "1:\n" load ONE_FOUR(gather, scale, add, "r1", "r2", "r3", "r4")           \
                         ONE_FOUR(gather, scale, add, "r5", "r6", "r8", "r9")                   \
                     "le lr, 1b\n"                                                              \
                     : "+r"(w_), "+r"(acc_), "+r"(step_), [blocks] "+r"(blocks_)               \
                     :                                                                          \
                     : "memory", "lr", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "q0",   \
                       "q3", "q4", "q5", "q6", "q7")
#define ONE_FOUR(gather, scale, add, a, b, c, d) \
    "vldmia r11, {d6-d13}\n" LOOK(gather, scale, add, "q3", a, "q0") \
    LOOK(gather, scale, add, "q4", b, "q0") LOOK(gather, scale, add, "q5", c, "q0") \
    LOOK(gather, scale, add, "q6", d, "q0") "vstmia r11!, {d6-d13}\n"

#define SUM_LOAD(q) "vldrb.u16 " q ", [r0], #8\n"

#if KBC_ONE_BIT
#define KINDS "vldrb.u8", "", "vadd.i8"
#define LOAD_THREE "vldmia r0!, {d0-d5}\n"
#define LOAD_ONE "vldmia r0!, {d0-d1}\n"
#define WIDENED(to, from, half) "vmovl" half ".u8 q2, " from "\nvadd.i16 " to ", " to ", q2\n"
#else
#define KINDS "vldrh.u16", ", uxtw #1", "vadd.i16"
#define LOAD_THREE SUM_LOAD("q0") SUM_LOAD("q1") SUM_LOAD("q2")
#define LOAD_ONE SUM_LOAD("q0")
#define WIDENED(to, from, half) "vmovl" half ".s16 q2, " from "\nvadd.i32 " to ", " to ", q2\n"
#endif

#define WITH_REGISTERS                                 \
    register const uint8_t *w_ __asm__("r0") = w;      \
    register void *acc_ __asm__("r11") = acc;          \
    register void *const *step_ __asm__("r12") = step; \
    register int32_t blocks_ __asm__("r1") = blocks

#define EXPAND(macro, ...) macro(__VA_ARGS__)

static inline void kbc_three_taps(void *acc, const uint8_t *w, int32_t blocks, void *const *step)
{
    WITH_REGISTERS;
    EXPAND(THREE_TAPS, LOAD_THREE, KINDS);
}

static inline void kbc_one_tap(void *acc, const uint8_t *w, int32_t blocks, void *const *step)
{
    WITH_REGISTERS;
    EXPAND(ONE_TAP, LOAD_ONE, KINDS);
}

/* wide += narrow, narrow = 0, of n pairs of vectors. */
static inline void kbc_widen(uint8_t *narrow, uint8_t *wide, int32_t n)
{
    __asm__ volatile("vmov.i32 q3, #0\n"
                     "dls lr, %[n]\n"
                     "1:\n"
                     "vldmia %[narrow], {d0-d3}\n"
                     "vldmia %[wide], {d8-d15}\n"
                     WIDENED("q4", "q0", "b")
                     WIDENED("q5", "q0", "t")
                     WIDENED("q6", "q1", "b")
                     WIDENED("q7", "q1", "t")
                     "vstmia %[wide]!, {d8-d15}\n"
                     "vmov.i32 q2, #0\n"
                     "vstmia %[narrow]!, {d4-d7}\n"
                     "le lr, 1b\n"
                     : [narrow] "+r"(narrow), [wide] "+r"(wide)
                     : [n] "r"(n)
                     : "memory", "lr", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7");
}

/* The work on a tile. */
typedef struct {
    kbc_mve_tile t;
    uint8_t *narrow, *wide, *tables, *staged;
    void **steps;
    int32_t top, left; /* of the convolution */
    int32_t pending;   /* entries that some narrow accumulator may have taken */
    int32_t first, last; /* rows that took any */
    int32_t products[KBC_TILE]; /* of a kernel row inside of the image, in each column */
} kbc_mve_work;

static inline void kbc_mve_flush(kbc_mve_work *k)
{
    const int32_t rows = k->last - k->first + 1;

    if (k->pending > 0 && rows > 0) {
        uint8_t *narrow = k->narrow + k->first * k->t.narrow_row;
        uint8_t *wide = k->wide + k->first * k->t.wide_row;
        const int32_t n = rows * k->t.blocks * KBC_TILE / 2;
        kbc_widen(narrow, wide, n);
    }
    k->pending = 0;
    k->first = k->t.rows;
    k->last = -1;
}

/* The tables of group g of the pixels of a row, `pixels` being its first column in the tile, of
 * which [from, to) are in the image. */
static inline void kbc_mve_fill(const kbc_mve_work *k, const uint8_t *pixels, int32_t pitch,
                                int32_t g, int32_t from, int32_t to)
{
    const kbc_mve_tile *t = &k->t;
    const int32_t bytes = KBC_ENTRY * KBC_TABLE;

    if (g == 0 && from > 0) { /* the other groups leave them 0 */
        kbc_mve_clear(k->tables, from * bytes / 128);
    }
    if (g == 0 && to < t->columns) {
        kbc_mve_clear(k->tables + bytes * to, (t->columns - to) * bytes / 128);
    }
    if (KBC_ONE_BIT) {
        kbc_mve_count_tables(k->tables + bytes * from, pixels + from * pitch + g, pitch, to - from);
    } else {
        /* Of 6 inputs or fewer no weight looks behind the first quarter of a table. */
        (t->inputs - 8 * g < 7 ? kbc_mve_few_sum_tables : kbc_mve_sum_tables)(
            (int16_t *)(k->tables + bytes * from), (const int8_t *)pixels + from * pitch + 8 * g,
            pitch, to - from, t->p->input_zero_point);
    }
}

/* The narrow accumulators of a row += all taps of a kernel row with the tables as they are. */
static inline void kbc_mve_add(const kbc_mve_work *k, const uint8_t *w, uint8_t *acc)
{
    const kbc_mve_tile *t = &k->t;
    const int32_t blocks = t->blocks;

    for (int32_t plane = 0; plane < KBC_PLANES; ++plane) {
        void **step = k->steps;
        for (int32_t j = t->threes; j > 0; --j) {
            kbc_three_taps(acc, w, blocks, step);
            step += KBC_POINTERS * KBC_TAPS;
            w += KBC_TAPS * blocks * KBC_LANES;
        }
        for (int32_t j = t->ones; j > 0; --j) {
            kbc_one_tap(acc, w, blocks, step);
            step += KBC_POINTERS;
            w += blocks * KBC_LANES;
        }
    }
}

/* What the tables of group g add to the tile: `down` rows of the image lie between the first that
 * kernel row 0 sees, of the tile's row 0, and theirs. */
static inline void kbc_mve_add_group(kbc_mve_work *k, const uint8_t *w, int32_t down)
{
    const kbc_mve_tile *t = &k->t;
    const kbc_window *kernel = &t->p->kernel;
    const int32_t heights = t->stack > 1 ? 1 : kernel->height;

    for (int32_t i = 0; i < heights && down >= 0; ++i) {
        const int32_t row = down / kernel->stride_height;
        if (row < t->rows && row * kernel->stride_height == down) {
            kbc_mve_add(k, w, k->narrow + row * t->narrow_row);
            k->first = kbc_least(k->first, row);
            k->last = kbc_greatest(k->last, row);
        }
        down -= kernel->dilation_height;
        w += t->w_row;
    }
}

/* Pixels of `height` rows from y on, one below the other, as one row of the tile. */
static inline void kbc_mve_stage(const kbc_mve_work *k, const uint8_t *image, int32_t y,
                                 int32_t height, int32_t x)
{
    const kbc_conv_2d_params *p = k->t.p;
    const int32_t channels = p->in_channels;

    kbc_mve_set(k->staged, p->input_zero_point, k->t.columns * k->t.staged_bytes);
    for (int32_t i = 0; i < height; ++i, y += p->kernel.dilation_height) {
        if (y < 0 || y >= p->in_height) {
            continue;
        }
        const int32_t from = kbc_greatest(0, -x), to = kbc_least(k->t.columns, p->in_width - x);
        uint8_t *target = k->staged + from * k->t.staged_bytes + i * channels;
        const uint8_t *source = image + (y * p->in_width + x + from) * channels;
        for (int32_t column = from; column < to; ++column, target += k->t.staged_bytes) {
            for (int32_t c = 0; c < channels; ++c) {
                target[c] = *source++;
            }
        }
    }
}

/* What row y of the image, or rows from y on where they are stacked, adds to the tile. */
static inline void kbc_mve_add_row(kbc_mve_work *k, const uint8_t *image, int32_t y)
{
    const kbc_mve_tile *t = &k->t;
    const kbc_conv_2d_params *p = t->p;
    const kbc_window *kernel = &p->kernel;
    const int32_t x = k->left * kernel->stride_width - kernel->pad_left;
    const int32_t taps = KBC_PLANES * kernel->width;
    const int32_t down = y + kernel->pad_top - k->top * kernel->stride_height;
    const int32_t w_bytes = taps * t->blocks * KBC_LANES;
    const uint8_t *w = p->weights;
    int32_t from = kbc_greatest(0, -x), to = kbc_least(t->columns, p->in_width - x);
    int32_t pitch = kbc_pixel_bytes(p);
    const uint8_t *pixels = image + (y * p->in_width + x) * pitch;

    if (from >= to) {
        return;
    }
    if (t->staged_bytes) {
        kbc_mve_stage(k, image, y, t->stack, x);
        from = 0;
        to = t->columns;
        pitch = t->staged_bytes;
        pixels = k->staged;
    }
    for (int32_t g = 0; g < t->groups; ++g) {
        if (k->pending + taps > KBC_CAPACITY) {
            kbc_mve_flush(k);
        }
        kbc_mve_fill(k, pixels, pitch, g, from, to);
        kbc_mve_add_group(k, w, down);
        w += w_bytes;
        k->pending += taps;
    }
}

KBC_APART void kbc_mve_accumulate(kbc_mve_work *k, const uint8_t *image)
{
    const kbc_mve_tile *t = &k->t;
    const kbc_window *kernel = &t->p->kernel;
    const int32_t top = k->top * kernel->stride_height - kernel->pad_top;

    kbc_mve_clear(k->narrow, t->rows * (t->narrow_row + t->wide_row) / 128);
    k->pending = 0;
    k->first = t->rows;
    k->last = -1;
    if (t->stack > 1) {
        for (int32_t row = 0; row < t->rows; ++row) {
            kbc_mve_add_row(k, image, top + row * kernel->stride_height);
        }
    } else {
        const int32_t end = top + (t->rows - 1) * kernel->stride_height +
                            (kernel->height - 1) * kernel->dilation_height + 1;
        for (int32_t y = kbc_greatest(top, 0); y < kbc_least(end, t->p->in_height); ++y) {
            kbc_mve_add_row(k, image, y);
        }
    }
    kbc_mve_flush(k);
}

/* Taps of a kernel of `size` that lie inside of an image. */
static inline int32_t kbc_inside(int32_t first, int32_t dilation, int32_t size, int32_t image)
{
    int32_t count = 0;

    for (int32_t i = 0; i < size; ++i, first += dilation) {
        count += first >= 0 && first < image;
    }
    return count;
}

/* Kernel rows inside of the image, in a row of the tile. */
static inline int32_t kbc_mve_height(const kbc_mve_work *k, int32_t row)
{
    const kbc_window *w = &k->t.p->kernel;

    return kbc_inside((k->top + row) * w->stride_height - w->pad_top, w->dilation_height, w->height,
                      k->t.p->in_height);
}

/* How many products an accumulator has, which counts of differing bits are subtracted from. */
static inline void kbc_mve_count_products(kbc_mve_work *k)
{
    const kbc_conv_2d_params *p = k->t.p;
    const kbc_window *w = &p->kernel;

    for (int32_t i = 0; i < (KBC_ONE_BIT ? KBC_TILE : 0); ++i) {
        k->products[i] =
            p->in_channels * kbc_inside((k->left + i) * w->stride_width - w->pad_left,
                                        w->dilation_width, w->width, p->in_width);
    }
}

/* The accumulators of 16 channels of a pixel at v: q0 to q3. */
#if KBC_ONE_BIT
#define READ                           \
    "vdup.32 q7, %[factor]\n"          \
    "vldrh.u32 q0, [%[v]]\n"           \
    "vldrh.u32 q1, [%[v], #8]\n"       \
    "vldrh.u32 q2, [%[v], #16]\n"      \
    "vldrh.u32 q3, [%[v], #24]\n"      \
    "vmlas.s32 q0, q7, %[products]\n"  \
    "vmlas.s32 q1, q7, %[products]\n"  \
    "vmlas.s32 q2, q7, %[products]\n"  \
    "vmlas.s32 q3, q7, %[products]\n"  \
    "add %[v], %[v], #256\n"
#else
#define READ                  \
    "vldmia %[v], {d0-d3}\n"  \
    "add %[v], %[v], #256\n"  \
    "vldmia %[v], {d4-d7}\n"  \
    "add %[v], %[v], #256\n" HALVED
#if KBC_PLANES == 2
#define HALVED               \
    "vshr.s32 q0, q0, #1\n"  \
    "vshr.s32 q1, q1, #1\n"  \
    "vshr.s32 q2, q2, #1\n"  \
    "vshr.s32 q3, q3, #1\n"
#else
#define HALVED
#endif
#endif

#define MAXIMUM                     \
    "vldmia %[acc], {d8-d15}\n"     \
    "vmax.s32 q0, q0, q4\n"         \
    "vmax.s32 q1, q1, q5\n"         \
    "vmax.s32 q2, q2, q6\n"         \
    "vmax.s32 q3, q3, q7\n"

#define POOL(operation)                                                                        \
    __asm__ volatile("dls lr, %[parts]\n"                                                      \
                     "1:\n" READ operation "vstmia %[acc]!, {d0-d7}\n"                         \
                     "le lr, 1b\n"                                                             \
                     : [v] "+l"(v), [acc] "+r"(acc)                                            \
                     : [parts] "r"((count + 15) / 16), [factor] "r"(KBC_PLANES - 3),           \
                       [products] "r"(products)                                                \
                     : "memory", "lr", "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7")

/* acc[count] = those of a pixel at v, or the greater. */
static inline void kbc_mve_pool(int32_t *acc, int32_t count, const uint8_t *v, int32_t products,
                                int first)
{
    if (first) {
        POOL("");
    } else {
        POOL(MAXIMUM);
    }
}

/* acc[count] = the greatest accumulators, from channel `first` on, under a window of the tile. */
static inline void kbc_mve_greatest(const kbc_mve_work *k, int32_t *acc, int32_t first,
                                    int32_t count, int32_t row, int32_t bottom, int32_t left,
                                    int32_t right)
{
    const uint8_t *v =
        k->wide + row * k->t.wide_row + 32 * (first / KBC_LANES * KBC_TILE + left);
    int new = 1;

    for (; row < bottom; ++row, v += k->t.wide_row) {
        const int32_t height = KBC_ONE_BIT ? kbc_mve_height(k, row) : 0;
        for (int32_t i = left; i < right; ++i, new = 0) {
            const int32_t products = KBC_ONE_BIT ? height * k->products[i] : 0;
            kbc_mve_pool(acc, count, v + 32 * (i - left), products, new);
        }
    }
}

/* The outputs of a tile whose first is (oy, ox). */
KBC_APART void kbc_mve_finish(kbc_mve_work *k, int32_t image, int32_t oy, int32_t ox,
                              const void *shortcut, void *y)
{
    const kbc_conv_2d_params *p = k->t.p;
    const kbc_window *pool = &p->pool;
    const int32_t rows = kbc_least(k->t.pooled_rows, p->out_height - oy);
    const int32_t columns = kbc_least(k->t.pooled_columns, p->out_width - ox);
    int32_t acc[KBC_BLOCK];

    kbc_mve_count_products(k);
    for (int32_t r = 0; r < rows; ++r) {
        const int32_t top = r * pool->stride_height;
        const int32_t bottom = kbc_least(top + pool->height, p->conv_height - k->top);
        for (int32_t c = 0; c < columns; ++c) {
            const int32_t left = c * pool->stride_width;
            const int32_t right = kbc_least(left + pool->width, p->conv_width - k->left);
            const int32_t pixel = (image * p->out_height + oy + r) * p->out_width + ox + c;
            for (int32_t first = 0; first < p->out_channels; first += KBC_BLOCK) {
                const int32_t count = kbc_block(p->out_channels - first);
                kbc_mve_greatest(k, acc, first, count, kbc_greatest(top, -k->top), bottom,
                                 kbc_greatest(left, -k->left), right);
                p->finish.function(&p->finish, acc, pixel, first, count, shortcut, y);
            }
        }
    }
}

/* The tables of each step of `kbc_mve_add`. */
static inline void kbc_mve_point(const kbc_mve_work *k)
{
    const kbc_window *kernel = &k->t.p->kernel;

    for (int32_t j = 0; j < kernel->width; ++j) {
        for (int32_t i = 0; i < KBC_POINTERS; ++i) {
            const int32_t column = j * kernel->dilation_width + i * kernel->stride_width;
            k->steps[KBC_POINTERS * j + i] = k->tables + KBC_ENTRY * KBC_TABLE * column;
        }
    }
}

static inline kbc_status kbc_conv_2d_mve(const kbc_conv_2d_params *params, const uint8_t *x,
                                         const void *shortcut, void *y, void *scratch)
{
    kbc_conv_2d_params *const row = scratch;
    const kbc_conv_2d_params *const p = kbc_mve_as_row(row, params);
    const int32_t image_bytes = p->in_height * p->in_width * kbc_pixel_bytes(p);
    kbc_mve_work k;

    kbc_mve_plan(&k.t, p);
    k.narrow = (uint8_t *)(row + 1);
    k.wide = k.narrow + k.t.rows * k.t.narrow_row;
    k.tables = k.wide + k.t.rows * k.t.wide_row;
    k.steps = (void **)(k.tables + k.t.tables);
    k.staged = (uint8_t *)k.steps + k.t.steps;
    kbc_mve_point(&k);
    for (int32_t image = 0; image < p->batch; ++image, x += image_bytes) {
        for (int32_t oy = 0; oy < p->out_height; oy += k.t.pooled_rows) {
            for (int32_t ox = 0; ox < p->out_width; ox += k.t.pooled_columns) {
                k.top = oy * p->pool.stride_height - p->pool.pad_top;
                k.left = ox * p->pool.stride_width - p->pool.pad_left;
                kbc_mve_accumulate(&k, x);
                kbc_mve_finish(&k, image, oy, ox, shortcut, y);
            }
        }
    }
    return KBC_OK;
}

#endif /* KBC_HAS_MVE */

#endif /* KBC_CONV_2D_MVE_H */
