/* SPDX-License-Identifier: Apache-2.0 */
#include "few_bit.h"

#include <float.h>

enum { CHANNEL_FIELDS = 3, THRESHOLD_FIELDS = 2, FLOAT_FIELDS = 5 };

static const float MOST_LEVELS = 65536; /* which a float can count */
static const int32_t LIMIT = 1 << 30; /* of accumulators and biases, see kbc.h */

static int64_t words_for(int64_t bits)
{
    return (bits + 31) / 32;
}

bool kbc_check_x(const kbc_node *node, int32_t *zero_point, int32_t *channels)
{
    const kbc_tensor *x = kbc_input(node, KBC_X);
    const int last = x->shape[x->rank - 1];

    if (!kbc_is_bits(x)) {
        *zero_point = x->zero_point;
        *channels = last;
        return true;
    }
    *zero_point = 0;
    if (!kbc_option(node, "in_channels", 1, INT32_MAX, channels)) {
        return false;
    }
    return words_for(*channels) == last ||
           kbc_refuse(node, "%ld input channels are not in words of %d", (long)*channels, last);
}

bool kbc_count_outputs(const kbc_node *node, int32_t *outs)
{
    const kbc_tensor *channels = kbc_input(node, KBC_CHANNELS);

    if (channels == NULL || channels->shape == NULL || channels->rank != 2 ||
        channels->shape[0] < 1) {
        return kbc_refuse(node, "the channels are missing, or have not two axes");
    }
    *outs = channels->shape[0];
    return true;
}

static bool is_ternary(const kbc_node *node)
{
    return kbc_flexbuffers_equals(&node->options, "weights", "ternary");
}

/* Other kernels than ours may count the bits past the last weight: they must be 0. */
static bool check_padding(const kbc_node *node, const uint32_t *words, int64_t rows,
                          int64_t products)
{
    const int64_t per_row = words_for(products);
    const uint32_t padding = products % 32 == 0 ? 0 : ~(uint32_t)0 << (products % 32);

    for (int64_t row = 0; row < rows; ++row) {
        if (words[(row + 1) * per_row - 1] & padding) {
            return kbc_refuse(node, "row %ld of the weights has pad bits that are not 0",
                              (long)row);
        }
    }
    return true;
}

static bool check_signs(const kbc_node *node, const uint32_t *signs, int64_t words)
{
    const uint32_t *used = signs + words;

    for (int64_t i = 0; i < words; ++i) {
        if (signs[i] & ~used[i]) {
            return kbc_refuse(node, "a weight of 0 has a sign");
        }
    }
    return true;
}

static bool check_weights(const kbc_node *node, int64_t products, int32_t outs)
{
    const bool ternary = is_ternary(node);
    const int64_t shape[3] = {2, outs, words_for(products)};

    if (!ternary && !kbc_flexbuffers_equals(&node->options, "weights", "binary")) {
        return kbc_refuse(node, "option `weights` is neither \"binary\" nor \"ternary\"");
    }
    if (products > LIMIT / 255) {
        return kbc_refuse(node, "%ld weights a channel overflow its accumulator",
                          (long)products);
    }
    if (!kbc_check_constant(node, KBC_WEIGHTS, "the weights", KBC_INT32, ternary ? 3 : 2,
                            ternary ? shape : shape + 1)) {
        return false;
    }
    const uint32_t *words = kbc_input(node, KBC_WEIGHTS)->data;
    return check_padding(node, words, (ternary ? 2 : 1) * (int64_t)outs, products) &&
           (!ternary || check_signs(node, words, shape[1] * shape[2]));
}

/* The ranges of kbc.h. */
static bool is_multiplier(int32_t multiplier)
{
    return multiplier == 0 || multiplier >= LIMIT ||
           (multiplier <= -LIMIT && multiplier > INT32_MIN);
}

static bool is_shift(int32_t shift)
{
    return shift >= 1 && shift <= 62;
}

static bool check_channel(const kbc_node *node, const kbc_channel *channel, int32_t number)
{
    if (channel->bias > LIMIT || channel->bias < -LIMIT) {
        return kbc_refuse(node, "the bias of channel %ld is beyond 2^30", (long)number);
    }
    if (!is_multiplier(channel->multiplier)) {
        return kbc_refuse(node, "the multiplier of channel %ld has not 31 bits", (long)number);
    }
    return is_shift(channel->shift) ||
           kbc_refuse(node, "the shift of channel %ld is %ld, expected 1 to 62", (long)number,
                      (long)channel->shift);
}

static bool check_channels(const kbc_node *node, int32_t outs)
{
    const int64_t shape[2] = {outs, CHANNEL_FIELDS};

    if (!kbc_check_constant(node, KBC_CHANNELS, "the channels", KBC_INT32, 2, shape)) {
        return false;
    }
    const kbc_channel *channels = kbc_input(node, KBC_CHANNELS)->data;
    for (int32_t o = 0; o < outs; ++o) {
        if (!check_channel(node, &channels[o], o)) {
            return false;
        }
    }
    return true;
}

static bool check_float_channels(const kbc_node *node, int32_t outs)
{
    const int64_t shape[2] = {outs, FLOAT_FIELDS};

    if (!kbc_check_constant(node, KBC_CHANNELS, "the channels", KBC_FLOAT32, 2, shape)) {
        return false;
    }
    const float *values = kbc_input(node, KBC_CHANNELS)->data;
    const kbc_float_channel *channels = kbc_input(node, KBC_CHANNELS)->data;
    for (int32_t i = 0; i < outs * FLOAT_FIELDS; ++i) {
        if (!(values[i] >= -FLT_MAX && values[i] <= FLT_MAX)) {
            return kbc_refuse(node, "channel %ld is not finite", (long)(i / FLOAT_FIELDS));
        }
    }
    for (int32_t o = 0; o < outs; ++o) {
        const kbc_float_channel *c = &channels[o];
        const float range = c->high - c->low;
        const bool steps =
            c->step == 0.0f || (range <= FLT_MAX && range / c->step <= MOST_LEVELS);
        if (c->low > c->high || c->step < 0.0f || !steps) {
            return kbc_refuse(node, "the bounds or the step of channel %ld are wrong", (long)o);
        }
    }
    return true;
}

static bool check_thresholds(const kbc_node *node, int32_t outs)
{
    const int64_t shape[2] = {outs, THRESHOLD_FIELDS};

    if (!kbc_check_constant(node, KBC_CHANNELS, "the channels", KBC_INT32, 2, shape)) {
        return false;
    }
    const kbc_threshold *channels = kbc_input(node, KBC_CHANNELS)->data;
    for (int32_t o = 0; o < outs; ++o) {
        if (channels[o].threshold > LIMIT || channels[o].threshold < -LIMIT) {
            return kbc_refuse(node, "the threshold of channel %ld is beyond 2^30", (long)o);
        }
        if (channels[o].direction != 1 && channels[o].direction != -1) {
            return kbc_refuse(node, "the direction of channel %ld is neither 1 nor -1", (long)o);
        }
    }
    return true;
}

static bool has_shape(const kbc_tensor *tensor, int rank, const int *shape)
{
    bool same = tensor->shape != NULL && tensor->rank == rank;

    for (int i = 0; same && i < rank; ++i) {
        same = tensor->shape[i] == shape[i];
    }
    return same;
}

static bool check_shortcut(const kbc_node *node, const kbc_tensor *tensor, int type, int rank,
                           const int *shape)
{
    if (!kbc_check_activation(node, tensor, "the shortcut") ||
        !kbc_check_type(node, tensor, "the shortcut", type)) {
        return false;
    }
    return (has_shape(tensor, rank, shape) && tensor->number != node->output.number) ||
           kbc_refuse(node, "the shortcut has another shape than the output, or is it");
}

static bool prepare_shortcut(const kbc_node *node, int rank, const int *shape, kbc_finish *finish)
{
    const kbc_tensor *tensor = kbc_input(node, KBC_SHORTCUT);
    kbc_shortcut *shortcut = &finish->shortcut;

    if (!check_shortcut(node, tensor, KBC_INT8, rank, shape) ||
        !kbc_option(node, "shortcut_multiplier", -INT32_MAX, INT32_MAX, &shortcut->multiplier) ||
        !kbc_option(node, "shortcut_shift", 1, 62, &shortcut->shift)) {
        return false;
    }
    if (!is_multiplier(shortcut->multiplier)) {
        return kbc_refuse(node, "option `shortcut_multiplier` has not 31 bits");
    }
    shortcut->zero_point = tensor->zero_point;
    finish->function = kbc_finish_s8_shortcut;
    return true;
}

static bool prepare_int8(const kbc_node *node, int32_t outs, int rank, const int *shape,
                         kbc_finish *finish)
{
    kbc_output *output = &finish->output;

    if (!check_channels(node, outs) ||
        !kbc_option(node, "activation_min", INT8_MIN, INT8_MAX, &output->min) ||
        !kbc_option(node, "activation_max", output->min, INT8_MAX, &output->max)) {
        return false;
    }
    output->zero_point = kbc_output_of(node)->zero_point;
    finish->function = kbc_finish_s8;
    return kbc_input(node, KBC_SHORTCUT) == NULL || prepare_shortcut(node, rank, shape, finish);
}

static bool prepare_floats(const kbc_node *node, int32_t outs, int rank, const int *shape,
                           kbc_finish *finish)
{
    const kbc_tensor *shortcut = kbc_input(node, KBC_SHORTCUT);

    finish->function = kbc_finish_f32;
    return kbc_check_type(node, kbc_input(node, KBC_X), "the input", KBC_FLOAT32) &&
           kbc_check_type(node, kbc_output_of(node), "the output", KBC_FLOAT32) &&
           check_float_channels(node, outs) &&
           (shortcut == NULL || check_shortcut(node, shortcut, KBC_FLOAT32, rank, shape));
}

static bool prepare_bits(const kbc_node *node, int32_t outs, int rank, int *shape,
                         kbc_finish *finish)
{
    if (kbc_input(node, KBC_SHORTCUT) != NULL) {
        return kbc_refuse(node, "a shortcut leads to bits");
    }
    shape[rank - 1] = (int)words_for(outs);
    finish->function = kbc_finish_b1;
    return check_thresholds(node, outs);
}

static bool prepare_output(const kbc_node *node, int32_t outs, int rank, int *shape,
                           kbc_finish *finish)
{
    const kbc_tensor *x = kbc_input(node, KBC_X), *y = kbc_output_of(node);

    if (x->type == KBC_FLOAT32 || y->type == KBC_FLOAT32) {
        return prepare_floats(node, outs, rank, shape, finish);
    }
    return kbc_is_bits(y) ? prepare_bits(node, outs, rank, shape, finish)
                          : prepare_int8(node, outs, rank, shape, finish);
}

bool kbc_prepare_finish(kbc_node *node, int64_t products, int32_t outs, int rank, int *shape,
                        const void **weights, kbc_finish *finish)
{
    shape[rank - 1] = outs;
    if (!prepare_output(node, outs, rank, shape, finish) ||
        !check_weights(node, products, outs) || !kbc_shape_output(node, rank, shape)) {
        return false;
    }
    *weights = kbc_input(node, KBC_WEIGHTS)->data;
    finish->channels = kbc_input(node, KBC_CHANNELS)->data;
    finish->size = outs;
    return true;
}

bool kbc_choose_few_bit_kernel(kbc_node *node, const char *const names[3][2],
                               kbc_any_function **scratch)
{
    const int type = kbc_input(node, KBC_X)->type;
    const int row = type == KBC_INT8 ? 0 : type == KBC_INT32 ? 1 : 2;

    return kbc_choose_kernel(node, names[row][is_ternary(node)], scratch);
}
