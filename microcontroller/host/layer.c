/* SPDX-License-Identifier: Apache-2.0 */
#include "layer.h"

#include <string.h>

#include "../src/conv_2d.h"
#include "convolve.h"
#include "memory.h"

enum {
    MOST_PRODUCTS = 1 << 22, /* 2 * 255 times as many fit 31 bits */
    MOST_BYTES = 1 << 28,    /* of weights, and of tables: what wants more is not worth it */
};

static int32_t divide_up(int32_t a, int32_t b)
{
    return (a + b - 1) / b;
}

kbc_conv_2d_params kbc_as_convolution(const kbc_fully_connected_params *p)
{
    const kbc_window one = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};

    return (kbc_conv_2d_params){
        .batch = 1,
        .in_height = p->rows,
        .in_width = 1,
        .in_channels = p->in_features,
        .conv_height = p->rows,
        .conv_width = 1,
        .out_height = p->rows,
        .out_width = 1,
        .out_channels = p->out_features,
        .groups = 1,
        .input_dilation_height = 1,
        .input_dilation_width = 1,
        .input_zero_point = p->input_zero_point,
        .kernel = one,
        .pool = one,
        .weights = p->weights,
        .finish = p->finish,
    };
}

/* Four registers side by side, else two: of words where the outputs fill them; of bytes where they do
 * and pixels have no neighbours to share the parted weights with. */
static kbc_weights_shape lanes_shape(const kbc_conv_2d_params *p, bool bits, bool ternary,
                                     const kbc_instruction_set *set)
{
    const bool counts = bits && set->word_lanes > 0;
    const int32_t lanes = counts ? set->word_lanes : set->lanes;
    kbc_weights_shape s = {.outs = p->out_channels,
                           .taps = p->kernel.height * p->kernel.width,
                           .channels = p->in_channels,
                           .planes = ternary ? 2 : 1,
                           .shift = ternary};
    bool four;

    if (counts) {
        s.words = kbc_words(p->in_channels);
        s.steps = s.words * s.planes * (int32_t)sizeof(uint32_t);
        s.groups = s.words * KBC_GROUPS_OF_WORD;
        four = divide_up(s.outs, 2 * lanes) % 2 == 0;
    } else {
        const int32_t groups = divide_up(p->in_channels, KBC_GROUP);
        s.steps = ternary ? groups : divide_up(groups, 2);
        s.groups = ternary ? groups : 2 * s.steps;
        four = p->conv_width == 1 && s.outs > 2 * lanes;
    }
    s.vectors = four ? 4 : 2;
    s.block = s.vectors * lanes;
    s.blocks = divide_up(s.outs, s.block);
    return s;
}

static kbc_weights_shape depthwise_shape(const kbc_conv_2d_params *p, bool ternary)
{
    return (kbc_weights_shape){.outs = p->out_channels,
                               .taps = p->kernel.height * p->kernel.width,
                               .channels = 1,
                               .planes = ternary ? 2 : 1,
                               .steps = 1,
                               .block = KBC_DEPTHWISE_BLOCK,
                               .blocks = divide_up(p->out_channels, KBC_DEPTHWISE_BLOCK)};
}

/* The equations of instruction_set.h, times two for ternary weights. */
static void take_back(kbc_layer *layer)
{
    const kbc_weights_shape *s = &layer->shape;
    const int32_t zero_point = layer->params.input_zero_point;
    const int32_t products = s->planes * s->taps * s->channels;
    const int32_t slots = s->planes * s->taps * s->groups * KBC_GROUP;
    const int32_t zero = 128 + zero_point;

    for (int32_t o = 0; o < s->outs; ++o) {
        int32_t *offset = &layer->offsets[o]; /* as yet its bits, or the sum of its weights */
        if (s->vectors == 0) {
            *offset = -KBC_DEPTHWISE_OFFSET - zero_point * *offset;
        } else {
            *offset = layer->bits ? products - 2 * slots
                                  : -255 * *offset - zero * (products - 2 * *offset);
        }
    }
}

static void part_channels(kbc_layer *layer)
{
    const kbc_finish *finish = &layer->params.finish;
    kbc_channels *to = &layer->channels;

    for (int32_t o = 0; o < layer->shape.outs; ++o) {
        if (finish->function == kbc_finish_b1) {
            const kbc_threshold *t = (const kbc_threshold *)finish->channels + o;
            to->second[o] = t->direction > 0 ? 0 : -1;
            to->first[o] = t->threshold ^ to->second[o];
        } else {
            const kbc_channel *c = (const kbc_channel *)finish->channels + o;
            to->first[o] = c->bias;
            to->second[o] = c->multiplier;
            to->third[o] = c->shift;
        }
    }
}

static bool lay_weights_out(kbc_layer *layer)
{
    const kbc_weights_shape *s = &layer->shape;
    const size_t outs = (size_t)s->blocks * (size_t)s->block;
    const size_t bytes = 4 * outs * sizeof(int32_t);

    if (kbc_weight_bytes(s) > MOST_BYTES) {
        return false;
    }
    layer->weights = kbc_allocate(kbc_weight_bytes(s));
    layer->numbers = kbc_allocate(bytes);
    if (layer->weights == NULL || layer->numbers == NULL) {
        return false;
    }
    memset(layer->numbers, 0, bytes);
    layer->offsets = layer->numbers;
    layer->channels = (kbc_channels){layer->numbers + outs, layer->numbers + 2 * outs,
                                     layer->numbers + 3 * outs};
    kbc_relay_weights(s, layer->params.weights, layer->weights, layer->offsets);
    take_back(layer);
    part_channels(layer);
    layer->source = layer->params.weights;
    return true;
}

/* Taps that lie side by side in a row of tables are one run. */
static void plan_tables(kbc_layer *layer)
{
    const kbc_conv_2d_params *p = &layer->params;
    const kbc_window *kernel = &p->kernel;
    const kbc_weights_shape *s = &layer->shape;
    const bool joined = kernel->dilation_width == 1;

    if (s->vectors == 0) {
        layer->pixel_bytes = s->blocks * s->block;
    } else if (s->words > 0) {
        layer->pixel_bytes = (s->words + 1) * 2 * (int32_t)sizeof(uint32_t);
    } else {
        layer->pixel_bytes = s->groups * KBC_TABLE_BYTES * (layer->bits ? 1 : 2);
    }
    layer->row_pixels = (p->conv_width - 1) * kernel->stride_width +
                        (kernel->width - 1) * kernel->dilation_width + 1;
    layer->ring_rows = (kernel->height - 1) * kernel->dilation_height + 1;
    layer->runs = joined ? kernel->height : s->taps;
    layer->run_steps = joined ? kernel->width * s->steps : s->steps;
}

/* Either rows of the output or blocks of channels go to the parts. */
static void plan_parts(kbc_layer *layer, int32_t threads)
{
    const int32_t rows = layer->params.batch * layer->params.out_height;
    const int32_t blocks = layer->shape.blocks;

    layer->parts_are_rows = rows >= threads || rows >= blocks;
    const int32_t most = layer->parts_are_rows ? rows : blocks;
    layer->parts = threads < most ? threads : most;
}

static bool plan_memory(kbc_layer *layer)
{
    const kbc_conv_2d_params *p = &layer->params;
    const kbc_weights_shape *s = &layer->shape;
    const size_t row = (size_t)layer->row_pixels * (size_t)layer->pixel_bytes;
    const size_t sums = (size_t)p->conv_width * (size_t)(s->blocks * s->block) * sizeof(int32_t);

    layer->tables_bytes = kbc_aligned(((size_t)layer->ring_rows + 1) * row);
    layer->sums_bytes = kbc_aligned((size_t)p->pool.height * sums);
    layer->part_bytes = layer->tables_bytes + layer->sums_bytes + kbc_convolve_bytes(layer);
    if (layer->part_bytes > MOST_BYTES) {
        return false;
    }
    layer->memory = kbc_allocate((size_t)layer->parts * layer->part_bytes);
    return layer->memory != NULL;
}

static bool same_weights(const kbc_layer *layer, const kbc_weights_shape *shape,
                         const kbc_conv_2d_params *params)
{
    return layer->weights != NULL && layer->numbers != NULL && layer->source == params->weights &&
           memcmp(&layer->shape, shape, sizeof *shape) == 0 &&
           layer->params.input_zero_point == params->input_zero_point &&
           layer->params.finish.channels == params->finish.channels &&
           layer->params.finish.function == params->finish.function;
}

static bool is_depthwise(const kbc_conv_2d_params *p)
{
    return p->groups > 1 && p->groups == p->in_channels && p->groups == p->out_channels;
}

static bool is_made_for(const kbc_conv_2d_params *p)
{
    const int64_t taps = (int64_t)p->kernel.height * p->kernel.width;

    return is_depthwise(p) ? taps <= KBC_DEPTHWISE_TAPS
                           : p->groups == 1 && taps * p->in_channels <= MOST_PRODUCTS;
}

bool kbc_layer_prepare(kbc_layer *layer, const kbc_conv_2d_params *params, bool bits, bool ternary,
                       const kbc_instruction_set *set, int32_t threads)
{
    if (!is_made_for(params)) {
        return false;
    }
    const kbc_weights_shape shape = is_depthwise(params)
                                        ? depthwise_shape(params, ternary)
                                        : lanes_shape(params, bits, ternary, set);
    const bool same = layer->set == set && layer->bits == bits &&
                      same_weights(layer, &shape, params);
    kbc_release(layer->memory);
    layer->memory = NULL;
    if (!same) {
        kbc_layer_free(layer);
    }
    layer->params = *params;
    layer->bits = bits;
    layer->set = set;
    layer->shape = shape;
    if (!same && !lay_weights_out(layer)) {
        return false;
    }
    plan_tables(layer);
    plan_parts(layer, threads);
    if (!plan_memory(layer)) {
        return false;
    }
    for (int32_t part = 0; part < layer->parts; ++part) {
        kbc_convolve_clear(layer, part);
    }
    return true;
}

void kbc_layer_free(kbc_layer *layer)
{
    kbc_release(layer->weights);
    kbc_release(layer->numbers);
    kbc_release(layer->memory);
    memset(layer, 0, sizeof *layer);
}
