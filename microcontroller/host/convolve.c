/* Convolution, pooling and finish, a row of the output at a time.
 *
 *     tables of the rows of x that a window reaches     a ring, each row made once
 *     sums of the rows under a pooling window           a ring, each row made once
 *     y = finish(greatest sum + offset)
 *
 * Taps outside of the image, and between the pixels of a dilated one, have tables as well, so that
 * the inner loop has no corners.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "convolve.h"

#include <string.h>

#include "../src/conv_2d.h"
#include "memory.h"

enum { NO_ROW = -1 };

/* What a part works with. */
typedef struct {
    const kbc_layer *layer;
    const uint8_t *x; /* the image */
    uint8_t *tables;  /* [ring_rows + 1][row_pixels][pixel_bytes]: the last row is absent */
    uint32_t *sums;   /* [pool.height][conv_width][blocks * block] */
    const uint8_t **runs;
    int32_t *table_rows; /* [ring_rows]: which row of x is there */
    int32_t *sum_rows;   /* [pool.height] */
    int32_t first_block, last_block;
} work;

size_t kbc_convolve_bytes(const kbc_layer *layer)
{
    const size_t rows = (size_t)(layer->ring_rows + layer->params.pool.height);

    return kbc_aligned((size_t)layer->runs * sizeof(uint8_t *)) +
           kbc_aligned(rows * sizeof(int32_t));
}

static size_t row_bytes(const kbc_layer *layer)
{
    return (size_t)layer->row_pixels * (size_t)layer->pixel_bytes;
}

static size_t row_sums(const kbc_layer *layer)
{
    return (size_t)layer->params.conv_width * (size_t)(layer->shape.blocks * layer->shape.block);
}

static work work_of(const kbc_layer *layer, int32_t part)
{
    uint8_t *memory = layer->memory + (size_t)part * layer->part_bytes;
    work w = {.layer = layer, .tables = memory, .last_block = layer->shape.blocks};

    memory += layer->tables_bytes;
    w.sums = (uint32_t *)(void *)memory;
    memory += layer->sums_bytes;
    w.runs = (const uint8_t **)(void *)memory;
    memory += kbc_aligned((size_t)layer->runs * sizeof(uint8_t *));
    w.table_rows = (int32_t *)(void *)memory;
    w.sum_rows = w.table_rows + layer->ring_rows;
    return w;
}

/* In a ring no row is there. */
static void forget_rows(work *w)
{
    const int32_t rows = w->layer->ring_rows + w->layer->params.pool.height;

    for (int32_t i = 0; i < rows; ++i) {
        w->table_rows[i] = NO_ROW; /* sum_rows lie behind them */
    }
}

/* Tables that add nothing: see instruction_set.h, and depthwise.h. */
static void make_absent(const kbc_layer *layer, uint8_t *tables)
{
    const int32_t channels = layer->shape.channels;

    if (layer->shape.vectors == 0) {
        memset(tables, (int)layer->params.input_zero_point, (size_t)layer->pixel_bytes);
        return;
    }
    if (layer->shape.words > 0) {
        /* As if half of the channels agreed, and all pads. */
        const int32_t sum = layer->shape.planes * (2 * 32 * layer->shape.words - channels);
        memset(tables, 0, (size_t)layer->pixel_bytes);
        memcpy(tables + layer->pixel_bytes - 2 * sizeof(uint32_t), &sum, sizeof sum);
        return;
    }
    for (int32_t g = 0; g < layer->shape.groups; ++g) {
        const int32_t left = channels - g * KBC_GROUP;
        const int32_t n = left < 0 ? 0 : left < KBC_GROUP ? left : KBC_GROUP;
        if (layer->bits) {
            memset(tables + g * KBC_TABLE_BYTES, 8 - n, KBC_TABLE_BYTES);
        } else {
            int8_t x[KBC_GROUP];
            memset(x, (int)layer->params.input_zero_point, sizeof x);
            layer->set->tables_s8(tables + 2 * g * KBC_TABLE_BYTES, x, n, 1);
        }
    }
}

void kbc_convolve_clear(const kbc_layer *layer, int32_t part)
{
    const work w = work_of(layer, part);
    const size_t pixels = (size_t)(layer->ring_rows + 1) * (size_t)layer->row_pixels;
    const size_t bytes = (size_t)layer->pixel_bytes;

    make_absent(layer, w.tables);
    for (size_t i = 1; i < pixels; ++i) {
        memcpy(w.tables + i * bytes, w.tables, bytes);
    }
}

/* What a window reads of a pixel. */
static void make_pixel(const kbc_layer *layer, const uint8_t *pixel, uint8_t *tables)
{
    const int32_t channels = layer->params.in_channels;

    if (layer->shape.vectors > 0) {
        (layer->bits ? layer->set->tables_b1 : layer->set->tables_s8)(tables, pixel, channels,
                                                                      layer->shape.groups);
    } else if (layer->bits) {
        const kbc_unpack_params signs = {1, channels, 1, -1};
        kbc_unpack(&signs, pixel, tables);
    } else {
        memcpy(tables, pixel, (size_t)channels);
    }
}

static void make_tables(const work *w, int32_t iy, uint8_t *tables)
{
    const kbc_layer *layer = w->layer;
    const kbc_conv_2d_params *p = &layer->params;
    const int32_t channels = p->in_channels;
    const int32_t bytes = layer->bits ? kbc_bytes_b1(channels) : kbc_bytes_s8(channels);
    const uint8_t *row = w->x + (size_t)iy * (size_t)p->in_width * (size_t)bytes;

    for (int32_t i = 0; i < layer->row_pixels; ++i, tables += layer->pixel_bytes) {
        const int32_t ix =
            kbc_source(i - p->kernel.pad_left, p->input_dilation_width, p->in_width);
        if (ix >= 0) {
            make_pixel(layer, row + (size_t)ix * (size_t)bytes, tables);
        }
    }
}

/* The tables of the row at `position` of the dilated image. */
static const uint8_t *tables_at(work *w, int32_t position)
{
    const kbc_layer *layer = w->layer;
    const kbc_conv_2d_params *p = &layer->params;
    const int32_t iy = kbc_source(position, p->input_dilation_height, p->in_height);
    const int32_t slot = iy < 0 ? layer->ring_rows : iy % layer->ring_rows;
    uint8_t *tables = w->tables + (size_t)slot * row_bytes(layer);

    if (iy >= 0 && w->table_rows[slot] != iy) {
        make_tables(w, iy, tables);
        w->table_rows[slot] = iy;
    }
    return tables;
}

/* The runs of the window at row cy and column 0. */
static void find_runs(work *w, int32_t cy)
{
    const kbc_layer *layer = w->layer;
    const kbc_window *kernel = &layer->params.kernel;
    const int32_t per_row = layer->runs / kernel->height;
    const int32_t top = cy * kernel->stride_height - kernel->pad_top;
    const uint8_t **run = w->runs;

    for (int32_t i = 0; i < kernel->height; ++i) {
        const uint8_t *tables = tables_at(w, top + i * kernel->dilation_height);
        for (int32_t j = 0; j < per_row; ++j) {
            *run++ = tables + j * kernel->dilation_width * layer->pixel_bytes;
        }
    }
}

static kbc_sum_function *sum_of(const kbc_layer *layer, int32_t pixels)
{
    const kbc_weights_shape *s = &layer->shape;
    static const int SHAPES[2][2] = {{KBC_1X2, KBC_1X4}, {KBC_2X2, KBC_2X4}};
    const int shape = SHAPES[pixels == 2][s->vectors == 4];

    return s->vectors == 0 ? layer->set->sum_depthwise
                           : layer->set->sum[layer->bits][s->planes - 1][shape];
}

/* Sums of one or two pixels, and moves on. */
static void sum_pixels(work *w, kbc_taps_sum *taps, int32_t pixels, uint32_t *sums)
{
    const kbc_layer *layer = w->layer;
    const kbc_weights_shape *s = &layer->shape;
    const size_t block_bytes = kbc_weight_bytes(s) / (size_t)s->blocks;
    kbc_sum_function *const sum = sum_of(layer, pixels);

    for (int32_t b = w->first_block; b < w->last_block; ++b) {
        taps->weights = layer->weights + (size_t)b * block_bytes;
        taps->channel = b * s->block;
        sum(taps, sums + b * s->block, s->blocks * s->block);
    }
    for (int32_t i = 0; i < layer->runs; ++i) {
        w->runs[i] += pixels * taps->next;
    }
}

/* The sums of row cy of the convolution. */
static const uint32_t *sums_at(work *w, int32_t cy)
{
    const kbc_layer *layer = w->layer;
    const kbc_conv_2d_params *p = &layer->params;
    const int32_t slot = cy % p->pool.height;
    const int32_t outs = layer->shape.blocks * layer->shape.block;
    uint32_t *sums = w->sums + (size_t)slot * row_sums(layer);

    if (w->sum_rows[slot] == cy) {
        return sums;
    }
    find_runs(w, cy);
    kbc_taps_sum taps = {.runs = w->runs,
                         .count = layer->runs,
                         .steps = layer->run_steps,
                         .tap_steps = layer->shape.steps,
                         .next = p->kernel.stride_width * layer->pixel_bytes,
                         .pixel_bytes = layer->pixel_bytes};
    const int32_t most = layer->shape.vectors == 2 || layer->shape.words > 0 ? 2 : 1;
    for (int32_t cx = 0; cx < p->conv_width; cx += most) {
        const int32_t left = p->conv_width - cx;
        sum_pixels(w, &taps, left < most ? left : most, sums + (size_t)cx * (size_t)outs);
    }
    w->sum_rows[slot] = cy;
    return sums;
}

typedef struct {
    int32_t first, last;
} span;

/* The positions under a pooling window that lie in the image. */
static span clip(int32_t first, int32_t size, int32_t side)
{
    const int32_t last = first + size;

    return (span){first < 0 ? 0 : first, last < side ? last : side};
}

/* acc[32] = the greatest sums under the window, and what takes tables and pads back. */
static void pool_sums(const work *w, span rows, span columns, int32_t channel, int32_t *acc)
{
    const kbc_layer *layer = w->layer;
    const int32_t outs = layer->shape.blocks * layer->shape.block;
    const int32_t count = columns.last - columns.first;
    const int32_t height = layer->params.pool.height;
    const size_t first = (size_t)columns.first * (size_t)outs + (size_t)channel;
    const uint32_t *sums = w->sums + (size_t)(rows.first % height) * row_sums(layer) + first;
    uint32_t greatest[KBC_BLOCK];

    if (rows.last - rows.first > 1 || count > 1) {
        memset(greatest, 0, sizeof greatest); /* no sum is less */
        for (int32_t cy = rows.first; cy < rows.last; ++cy) {
            const uint32_t *row = w->sums + (size_t)(cy % height) * row_sums(layer) + first;
            layer->set->pool(greatest, row, count, outs);
        }
        sums = greatest;
    }
    layer->set->take_back(acc, sums, layer->offsets + channel, layer->shape.shift);
}

/* Up to 32 outputs. */
static void finish(const kbc_layer *layer, const int32_t *acc, int32_t pixel, int32_t channel,
                   int32_t count, const void *shortcut, void *y)
{
    const kbc_finish *f = &layer->params.finish;

    if (f->function == kbc_finish_b1) {
        ((uint32_t *)y)[(size_t)pixel * (size_t)kbc_words(f->size) + (size_t)channel / 32] =
            layer->set->finish_b1(&layer->channels, acc, channel) & 0xffffffffu >> (32 - count);
    } else if (f->function == kbc_finish_s8) {
        int8_t block[KBC_BLOCK];
        layer->set->finish_s8(&layer->channels, acc, channel, &f->output, block);
        memcpy((int8_t *)y + (size_t)pixel * (size_t)f->size + channel, block, (size_t)count);
    } else {
        f->function(f, acc, pixel, channel, count, shortcut, y);
    }
}

/* Row oy of image b. */
static void make_outputs(work *w, int32_t b, int32_t oy, const void *shortcut, void *y)
{
    const kbc_conv_2d_params *p = &w->layer->params;
    const kbc_window *pool = &p->pool;
    const span rows = clip(oy * pool->stride_height - pool->pad_top, pool->height, p->conv_height);
    const int32_t block = w->layer->shape.block;
    const int32_t end = w->last_block * block;
    const int32_t last = end < p->out_channels ? end : p->out_channels;
    int32_t acc[KBC_BLOCK];

    for (int32_t cy = rows.first; cy < rows.last; ++cy) {
        sums_at(w, cy);
    }
    for (int32_t ox = 0; ox < p->out_width; ++ox) {
        const span columns =
            clip(ox * pool->stride_width - pool->pad_left, pool->width, p->conv_width);
        const int32_t pixel = (b * p->out_height + oy) * p->out_width + ox;
        for (int32_t o = w->first_block * block; o < last; o += KBC_BLOCK) {
            pool_sums(w, rows, columns, o, acc);
            finish(w->layer, acc, pixel, o, kbc_block(last - o), shortcut, y);
        }
    }
}

typedef struct {
    const kbc_layer *layer;
    const uint8_t *x;
    const void *shortcut;
    void *y;
} call;

/* Where part `part` of `count` things begins. */
static int32_t share(int32_t count, int32_t part, int32_t parts)
{
    return (int32_t)((int64_t)count * part / parts);
}

static void run_part(void *context, int32_t part)
{
    const call *c = context;
    const kbc_layer *layer = c->layer;
    const kbc_conv_2d_params *p = &layer->params;
    const int32_t channels = p->in_channels;
    const size_t pixel = (size_t)(layer->bits ? kbc_bytes_b1(channels) : kbc_bytes_s8(channels));
    const size_t image = (size_t)p->in_height * (size_t)p->in_width * pixel;
    int32_t row = 0, last = p->batch * p->out_height;
    work w = work_of(layer, part);

    if (layer->parts_are_rows) {
        row = share(last, part, layer->parts);
        last = share(last, part + 1, layer->parts);
    } else {
        w.first_block = share(layer->shape.blocks, part, layer->parts);
        w.last_block = share(layer->shape.blocks, part + 1, layer->parts);
    }
    for (int32_t known = NO_ROW; row < last; ++row) {
        const int32_t b = row / p->out_height;
        if (b != known) {
            forget_rows(&w);
            w.x = c->x + (size_t)b * image;
            known = b;
        }
        make_outputs(&w, b, row % p->out_height, c->shortcut, c->y);
    }
}

void kbc_layer_run(const kbc_layer *layer, kbc_pool *pool, const void *x, const void *shortcut,
                   void *y)
{
    call c = {layer, x, shortcut, y};

    kbc_pool_run(pool, layer->parts, run_part, &c);
}
