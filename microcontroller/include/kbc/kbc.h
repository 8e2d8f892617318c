/* keras_bc: kernels for networks with one-bit weights.
 *
 * C99, no malloc, no libc beyond <stdint.h> and <string.h>. Every function is re-entrant: all
 * memory is the caller's. Sizes are checked once, where a model is emitted or loaded, and not on
 * every call.
 *
 * Tensors are NHWC and contiguous. Activations are int8, real = scale * (q - zero_point), or one
 * bit, real = +1 or -1, packed 32 to a word along the channels: bit c % 32 of word c / 32, 1 means
 * -1, and each pixel starts at a word of its own, whose pad bits are 0.
 *
 * One-bit weights are packed alike, bit k % 32 of word k / 32, with k running over (kernel row,
 * kernel column, input channel); each output channel starts at a word of its own, and its pad bits
 * are 0. Ternary weights are two such planes, one behind the other: the signs, and in the second
 * 1 where the weight is not 0; where it is 0, its sign bit is 0 too.
 *
 * Names end in what the input is, s8, b1 or f32 (float, for hosts and chips that have floating
 * point), and in _ternary where the weights are. The output is what `finish` makes of the
 * accumulators:
 *
 *     int8  y = clamp(zero_point + ((acc + bias) * multiplier + 2^(shift - 1) >> shift), min, max)
 *     bit   y = +1 where acc >= threshold, or acc <= threshold, else -1
 *
 * in 64-bit arithmetic, which rounds half up. The multiplier is 0 or 2^30 <= |multiplier| < 2^31
 * and may be negative; 1 <= shift <= 62; |acc| and |bias| stay below 2^30. The int8 builtins take
 * the same parameters and round twice, as TensorFlow Lite does (see requantize.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_H
#define KBC_H

#include <stdint.h>

#include "kbc_port.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    KBC_OK = 0,
    KBC_INVALID = 1, /* sizes, options or a pointer that no model may have; room for kernels that
                      * look: today's trust what was checked, and all return KBC_OK */
} kbc_status;

/* Between real numbers and the int8 of a model's inputs and outputs, whose header has macros with
 * their scales. Rounded halves away from zero, and saturated; what is no number becomes -128. */
int8_t kbc_quantize(float real, float scale, int32_t zero_point);
float kbc_dequantize(int8_t q, float scale, int32_t zero_point);

/* How the accumulator of one output channel becomes its output. */
typedef struct {
    int32_t bias;       /* added to the accumulator */
    int32_t multiplier; /* signed, 31 bits */
    int32_t shift;      /* to the right, 1..62 */
} kbc_channel;

/* The same with all that is added in one number, `high` and `low`, in two's complement, and how far
 * the accumulator is shifted in its lowest byte (see finish_s8_line.c). */
typedef struct {
    uint32_t low;
    uint32_t high;
    uint32_t multiplier;
} kbc_line;

/* What all channels of an output tensor share. */
typedef struct {
    int32_t zero_point;
    int32_t min; /* the activation's bounds, in -128..127 */
    int32_t max;
} kbc_output;

/* How the accumulator of one output channel becomes a bit. */
typedef struct {
    int32_t threshold; /* -2^30 to 2^30 */
    int32_t direction; /* 1: +1 where acc >= threshold; -1: +1 where acc <= threshold */
} kbc_threshold;

/* How the sum of one output channel becomes its output, in floating point:
 *
 *     y = min(max(sum * scale + offset + shortcut, low), high)
 *
 * and where step > 0 the nearest of low, low + step, ... */
typedef struct {
    float scale, offset;
    float low, high;
    float step;
} kbc_float_channel;

/* An int8 tensor that is added to the outputs, before they are rounded. Both it and the
 * accumulators count in 1/256 of an output's step then, and each is rounded to that:
 *
 *     y = clamp(zero_point + (round((acc + bias) * multiplier * 2^-shift)
 *                             + round((x - zero_point) * multiplier * 2^-shift) + 128 >> 8)) */
typedef struct {
    int32_t zero_point;
    int32_t multiplier;
    int32_t shift;
} kbc_shortcut;

typedef struct kbc_finish kbc_finish;

/* Turns the accumulators of up to 32 channels, from a multiple of 32 on, of a pixel (or a row of a
 * matrix) into its outputs in y; those of one that makes no bits may also begin at another
 * multiple of 8. `acc` are int32, or float of the f32 kernels, `shortcut` is the whole tensor, or
 * NULL. */
typedef void kbc_finish_function(const kbc_finish *f, const void *acc, int32_t pixel,
                                 int32_t channel, int32_t count, const void *shortcut, void *y);

/* What becomes of the accumulators. */
struct kbc_finish {
    kbc_finish_function *function;
    const void *channels; /* of each its kbc_channel, kbc_line, kbc_threshold or kbc_float_channel */
    int32_t size;         /* how many there are */
    kbc_output output;
    kbc_shortcut shortcut;
};

kbc_finish_function kbc_finish_s8;
kbc_finish_function kbc_finish_s8_line; /* bounds: those of int8 */
kbc_finish_function kbc_finish_s8_shortcut;
kbc_finish_function kbc_finish_b1;
kbc_finish_function kbc_finish_s8_lpm; /* where KBC_HAS_LPM */
kbc_finish_function kbc_finish_b1_lpm;
kbc_finish_function kbc_finish_f32;
kbc_finish_function kbc_finish_int8;      /* of the builtins, rounded twice */
kbc_finish_function kbc_finish_int8_away; /* the same, at last away from zero: grouped CONV_2D */

/* y[rows][out_features] = x[rows][in_features] . w[out_features][in_features]
 *
 * `weights` are words in the layout that the kernel variant wants (see kernels.def), or int8
 * [out_features][in_features] for kbc_int8_fully_connected. */
typedef struct {
    int32_t rows;
    int32_t in_features;
    int32_t out_features;
    int32_t input_zero_point; /* of int8 */
    const void *weights;
    kbc_finish finish;
} kbc_fully_connected_params;

/* A window that slides over an image: taps outside of it count as absent. */
typedef struct {
    int32_t height, width;
    int32_t stride_height, stride_width;
    int32_t dilation_height, dilation_width;
    int32_t pad_top, pad_left, pad_bottom, pad_right;
} kbc_window;

/* y[batch][out_height][out_width][out_channels], a grouped 2-D convolution followed, on the
 * accumulators, by a max-pooling (an identity where pool is 1x1, stride 1, no padding).
 *
 * conv_height and conv_width are the image's size between the two. An absent tap contributes 0
 * to the accumulator, and nothing to the maximum. Where a channel's multiplier is negative the
 * *maximum* of the accumulators is still what is requantized, as in Keras, where batch norm comes
 * after the pooling.
 *
 * Group g of `groups` joins in_channels / groups inputs with out_channels / groups outputs;
 * groups == in_channels is a depthwise convolution.
 *
 * The input's pixels are moved `input_dilation` rows and columns apart first, and taps between them
 * are absent: with 2 or more that is a transposed convolution. */
typedef struct {
    int32_t batch;
    int32_t in_height, in_width, in_channels;
    int32_t conv_height, conv_width;
    int32_t out_height, out_width, out_channels;
    int32_t groups;
    int32_t input_dilation_height, input_dilation_width;
    int32_t input_zero_point; /* of int8 */
    kbc_window kernel;
    kbc_window pool; /* its dilation is 1 */
    const void *weights;
    kbc_finish finish;
} kbc_conv_2d_params;

/* Pooling of an int8 image whose output has the input's scale and zero point. */
typedef struct {
    int32_t batch;
    int32_t in_height, in_width, channels;
    int32_t out_height, out_width;
    kbc_window window; /* its dilation is 1 */
    kbc_output output;
} kbc_pool_2d_params;

/* y = x with `value` around it, in height and width. */
typedef struct {
    int32_t batch;
    int32_t in_height, in_width, channels;
    int32_t pad_top, pad_left, pad_bottom, pad_right;
    int8_t value;
} kbc_pad_2d_params;

/* y[rows][features] = softmax(x) with output scale 1/256 and zero point -128. */
typedef struct {
    int32_t rows;
    int32_t features;
    const float *exponentials; /* [256]: exp(-scale * d) of the distance d from the row's maximum */
} kbc_softmax_params;

/* A real factor: multiplier * 2^-shift, in the ranges of a kbc_channel. */
typedef struct {
    int32_t multiplier;
    int32_t shift;
} kbc_factor;

/* Two inputs of an element-wise operation with `size` outputs. The smaller one, whose size divides
 * `size`, serves again and again. */
typedef struct {
    int32_t size;
    int32_t a_size, b_size;
    int32_t a_zero_point, b_zero_point;
} kbc_operands;

/* y = a + b, or a - b (equation in int8_add.c). */
typedef struct {
    kbc_operands operands;
    int32_t b_sign; /* 1 or -1 */
    kbc_factor a_factor, b_factor, factor;
    kbc_output output;
} kbc_add_params;

/* y = a * b */
typedef struct {
    kbc_operands operands;
    kbc_factor factor;
    kbc_output output;
} kbc_mul_params;

/* y[rows] = the rows of all inputs, one behind the other */
typedef struct {
    int32_t rows;
    int32_t inputs;
    const uint32_t *sizes; /* [inputs]: values in a row of each */
} kbc_concatenation_params;

/* y = table[x + 128] */
typedef struct {
    int32_t size;
    const int8_t *table; /* [256] */
} kbc_table_params;

/* y = the part of an image that begins at (top, left, first_channel) */
typedef struct {
    int32_t batch;
    int32_t in_height, in_width, in_channels;
    int32_t top, left, first_channel;
    int32_t out_height, out_width, out_channels;
} kbc_slice_params;

/* y = x with each pixel factor_height times below itself, and factor_width times beside */
typedef struct {
    int32_t batch;
    int32_t in_height, in_width, channels;
    int32_t factor_height, factor_width;
} kbc_resize_2d_params;

/* y = x where it is positive, else alpha * x: a is x and b is alpha, the smaller. */
typedef struct {
    kbc_operands operands;
    kbc_factor factor, alpha_factor;
    kbc_output output;
    const int8_t *alpha; /* [b_size] */
} kbc_prelu_params;

/* Between int8 and float: `size` values. */
typedef struct {
    int32_t size;
    float scale;
    int32_t zero_point;
} kbc_conversion_params;

/* y = x, not below low nor above high: floats */
typedef struct {
    int32_t size;
    float low, high;
} kbc_float_bound_params;

/* y = a + b, or a - b: floats, the smaller operand again and again */
typedef struct {
    int32_t size;
    int32_t a_size, b_size;
    int32_t b_sign; /* 1 or -1 */
} kbc_float_add_params;

/* y = a * b */
typedef struct {
    int32_t size;
    int32_t a_size, b_size;
} kbc_float_mul_params;

/* All of one type: x is int8, words of bits or float, `shortcut` NULL where there is none, and y
 * what `finish` makes. The twin gives the bytes of `scratch`, which is aligned to 4, as is all that
 * is not int8, or -1 where a variant is not made for such parameters. */
typedef kbc_status kbc_fully_connected_function(const kbc_fully_connected_params *p, const void *x,
                                                const void *shortcut, void *y, void *scratch);
typedef int32_t kbc_fully_connected_scratch_function(const kbc_fully_connected_params *p);

kbc_fully_connected_function kbc_fully_connected_s8;
kbc_fully_connected_function kbc_fully_connected_s8_ternary;
kbc_fully_connected_function kbc_fully_connected_b1;
kbc_fully_connected_function kbc_fully_connected_b1_ternary;
kbc_fully_connected_function kbc_fully_connected_f32;
kbc_fully_connected_function kbc_fully_connected_f32_ternary;
kbc_fully_connected_scratch_function kbc_fully_connected_s8_scratch;
kbc_fully_connected_scratch_function kbc_fully_connected_s8_ternary_scratch;
kbc_fully_connected_scratch_function kbc_fully_connected_b1_scratch;
kbc_fully_connected_scratch_function kbc_fully_connected_b1_ternary_scratch;
kbc_fully_connected_scratch_function kbc_fully_connected_f32_scratch;
kbc_fully_connected_scratch_function kbc_fully_connected_f32_ternary_scratch;

kbc_fully_connected_function kbc_fully_connected_s8_nibbles;
kbc_fully_connected_scratch_function kbc_fully_connected_s8_nibbles_scratch;
kbc_fully_connected_function kbc_fully_connected_s8_tables;
kbc_fully_connected_scratch_function kbc_fully_connected_s8_tables_scratch;
kbc_fully_connected_function kbc_fully_connected_s8_ternary_nibbles;
kbc_fully_connected_scratch_function kbc_fully_connected_s8_ternary_nibbles_scratch;
kbc_fully_connected_function kbc_fully_connected_s8_ternary_tables;
kbc_fully_connected_scratch_function kbc_fully_connected_s8_ternary_tables_scratch;
kbc_fully_connected_function kbc_fully_connected_b1_carry_save;
kbc_fully_connected_scratch_function kbc_fully_connected_b1_carry_save_scratch;
kbc_fully_connected_function kbc_fully_connected_b1_ternary_carry_save;
kbc_fully_connected_scratch_function kbc_fully_connected_b1_ternary_carry_save_scratch;

/* Where KBC_HAS_MVE; the twins, which the emitter asks, are everywhere. */
kbc_fully_connected_function kbc_fully_connected_s8_mve;
kbc_fully_connected_function kbc_fully_connected_s8_ternary_mve;
kbc_fully_connected_function kbc_fully_connected_b1_mve;
kbc_fully_connected_function kbc_fully_connected_b1_ternary_mve;
kbc_fully_connected_scratch_function kbc_fully_connected_s8_mve_scratch;
kbc_fully_connected_scratch_function kbc_fully_connected_s8_ternary_mve_scratch;
kbc_fully_connected_scratch_function kbc_fully_connected_b1_mve_scratch;
kbc_fully_connected_scratch_function kbc_fully_connected_b1_ternary_mve_scratch;

kbc_fully_connected_function kbc_fully_connected_b1_popcount;
kbc_fully_connected_function kbc_fully_connected_b1_ternary_popcount;
kbc_fully_connected_scratch_function kbc_fully_connected_b1_popcount_scratch;
kbc_fully_connected_scratch_function kbc_fully_connected_b1_ternary_popcount_scratch;

/* Where KBC_HAS_LPM. */
kbc_fully_connected_function kbc_fully_connected_s8_lpm;
kbc_fully_connected_function kbc_fully_connected_s8_lpm_tables;
kbc_fully_connected_function kbc_fully_connected_b1_lpm;
kbc_fully_connected_function kbc_fully_connected_b1_lpm_popcount;
kbc_fully_connected_scratch_function kbc_fully_connected_s8_lpm_scratch;
kbc_fully_connected_scratch_function kbc_fully_connected_s8_lpm_tables_scratch;
kbc_fully_connected_scratch_function kbc_fully_connected_b1_lpm_scratch;
kbc_fully_connected_scratch_function kbc_fully_connected_b1_lpm_popcount_scratch;

typedef kbc_status kbc_conv_2d_function(const kbc_conv_2d_params *p, const void *x,
                                        const void *shortcut, void *y, void *scratch);
typedef int32_t kbc_conv_2d_scratch_function(const kbc_conv_2d_params *p);

kbc_conv_2d_function kbc_conv_2d_s8;
kbc_conv_2d_function kbc_conv_2d_s8_ternary;
kbc_conv_2d_function kbc_conv_2d_b1;
kbc_conv_2d_function kbc_conv_2d_b1_ternary;
kbc_conv_2d_function kbc_conv_2d_f32;
kbc_conv_2d_function kbc_conv_2d_f32_ternary;
kbc_conv_2d_scratch_function kbc_conv_2d_s8_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_s8_ternary_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_b1_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_b1_ternary_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_f32_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_f32_ternary_scratch;

kbc_conv_2d_function kbc_conv_2d_s8_octets;
kbc_conv_2d_function kbc_conv_2d_s8_patches;
kbc_conv_2d_function kbc_conv_2d_s8_depthwise;
kbc_conv_2d_function kbc_conv_2d_s8_ternary_octets;
kbc_conv_2d_function kbc_conv_2d_s8_ternary_patches;
kbc_conv_2d_function kbc_conv_2d_s8_ternary_depthwise;
kbc_conv_2d_scratch_function kbc_conv_2d_s8_octets_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_s8_patches_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_s8_depthwise_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_s8_ternary_octets_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_s8_ternary_patches_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_s8_ternary_depthwise_scratch;

kbc_conv_2d_function kbc_conv_2d_b1_depthwise;
kbc_conv_2d_function kbc_conv_2d_b1_ternary_depthwise;
kbc_conv_2d_function kbc_conv_2d_b1_tables;
kbc_conv_2d_function kbc_conv_2d_b1_ternary_tables;
kbc_conv_2d_scratch_function kbc_conv_2d_b1_depthwise_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_b1_ternary_depthwise_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_b1_tables_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_b1_ternary_tables_scratch;

/* Where KBC_HAS_MVE; the twins are everywhere. */
kbc_conv_2d_function kbc_conv_2d_s8_mve;
kbc_conv_2d_function kbc_conv_2d_s8_mve_patches;
kbc_conv_2d_function kbc_conv_2d_s8_mve_depthwise;
kbc_conv_2d_function kbc_conv_2d_s8_ternary_mve;
kbc_conv_2d_function kbc_conv_2d_s8_ternary_mve_patches;
kbc_conv_2d_function kbc_conv_2d_s8_ternary_mve_depthwise;
kbc_conv_2d_function kbc_conv_2d_b1_mve;
kbc_conv_2d_function kbc_conv_2d_b1_ternary_mve;
kbc_conv_2d_scratch_function kbc_conv_2d_s8_mve_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_s8_mve_patches_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_s8_mve_depthwise_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_s8_ternary_mve_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_s8_ternary_mve_patches_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_s8_ternary_mve_depthwise_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_b1_mve_scratch;
kbc_conv_2d_scratch_function kbc_conv_2d_b1_ternary_mve_scratch;

/* The greatest bits under a window: +1 where any tap is. x and y are words, params.channels words
 * a pixel. */
kbc_status kbc_max_pool_2d_b1(const kbc_pool_2d_params *p, const void *x, void *y);

/* Between int8, or float, and bits, for each of `rows` pixels: x >= zero_point is +1; a bit becomes
 * one of two values. */
typedef struct {
    int32_t rows;
    int32_t channels;
    int8_t zero_point;
} kbc_pack_params;

typedef struct {
    int32_t rows;
    int32_t channels;
    int8_t positive, negative;
} kbc_unpack_params;

typedef kbc_status kbc_pack_function(const kbc_pack_params *p, const void *x, void *y);
typedef kbc_status kbc_unpack_function(const kbc_unpack_params *p, const void *x, void *y);

kbc_pack_function kbc_pack;
kbc_pack_function kbc_pack_f32;
kbc_unpack_function kbc_unpack;
kbc_unpack_function kbc_unpack_f32;

/* The int8 builtins of TensorFlow Lite, with the integers of its interpreter. */
kbc_fully_connected_function kbc_int8_fully_connected;
kbc_fully_connected_scratch_function kbc_int8_fully_connected_scratch;

/* Of one group; depthwise, with weights [height][width][out]; and in any groups. */
kbc_conv_2d_function kbc_int8_conv_2d;
kbc_conv_2d_function kbc_int8_depthwise_conv_2d;
kbc_conv_2d_function kbc_int8_grouped_conv_2d;
kbc_conv_2d_scratch_function kbc_int8_conv_2d_scratch;
kbc_conv_2d_scratch_function kbc_int8_depthwise_conv_2d_scratch;
kbc_conv_2d_scratch_function kbc_int8_grouped_conv_2d_scratch;

kbc_status kbc_int8_max_pool_2d(const kbc_pool_2d_params *p, const int8_t *x, int8_t *y);
kbc_status kbc_int8_average_pool_2d(const kbc_pool_2d_params *p, const int8_t *x, int8_t *y);
kbc_status kbc_int8_pad_2d(const kbc_pad_2d_params *p, const int8_t *x, int8_t *y);
kbc_status kbc_int8_softmax(const kbc_softmax_params *p, const int8_t *x, int8_t *y);
kbc_status kbc_int8_add(const kbc_add_params *p, const int8_t *a, const int8_t *b, int8_t *y);
kbc_status kbc_int8_mul(const kbc_mul_params *p, const int8_t *a, const int8_t *b, int8_t *y);
kbc_status kbc_int8_table(const kbc_table_params *p, const int8_t *x, int8_t *y);
kbc_status kbc_int8_slice(const kbc_slice_params *p, const int8_t *x, int8_t *y);
kbc_status kbc_int8_resize_2d(const kbc_resize_2d_params *p, const int8_t *x, int8_t *y);
kbc_status kbc_int8_prelu(const kbc_prelu_params *p, const int8_t *x, int8_t *y);
kbc_status kbc_int8_concatenation(const kbc_concatenation_params *p, const int8_t *const *x,
                                  int8_t *y);

/* Where KBC_HAS_CMSIS_NN, by CMSIS-NN; the twins, which the emitter asks, are everywhere. */
kbc_fully_connected_function kbc_int8_fully_connected_cmsis_nn;
kbc_fully_connected_scratch_function kbc_int8_fully_connected_cmsis_nn_scratch;
kbc_conv_2d_function kbc_int8_conv_2d_cmsis_nn;
kbc_conv_2d_scratch_function kbc_int8_conv_2d_cmsis_nn_scratch;
kbc_conv_2d_function kbc_int8_depthwise_conv_2d_cmsis_nn;
kbc_conv_2d_scratch_function kbc_int8_depthwise_conv_2d_cmsis_nn_scratch;
kbc_status kbc_int8_max_pool_2d_cmsis_nn(const kbc_pool_2d_params *p, const int8_t *x, int8_t *y);
kbc_status kbc_int8_average_pool_2d_cmsis_nn(const kbc_pool_2d_params *p, const int8_t *x,
                                             int8_t *y, void *scratch);
int32_t kbc_int8_average_pool_2d_cmsis_nn_scratch(const kbc_pool_2d_params *p);
kbc_status kbc_int8_add_cmsis_nn(const kbc_add_params *p, const int8_t *a, const int8_t *b,
                                 int8_t *y);
kbc_status kbc_int8_mul_cmsis_nn(const kbc_mul_params *p, const int8_t *a, const int8_t *b,
                                 int8_t *y);

/* Layers that stay in floating point. What only moves values is the int8 function's, which moves
 * the bytes of floats as channels. */
kbc_conv_2d_function kbc_float_conv_2d;
kbc_conv_2d_scratch_function kbc_float_conv_2d_scratch;

kbc_status kbc_float_to_int8(const kbc_conversion_params *p, const void *x, int8_t *y);
kbc_status kbc_int8_to_float(const kbc_conversion_params *p, const int8_t *x, void *y);
kbc_status kbc_float_bound(const kbc_float_bound_params *p, const void *x, void *y);
kbc_status kbc_float_add(const kbc_float_add_params *p, const void *a, const void *b, void *y);
kbc_status kbc_float_mul(const kbc_float_mul_params *p, const void *a, const void *b, void *y);
kbc_status kbc_float_max_pool_2d(const kbc_pool_2d_params *p, const void *x, void *y);
kbc_status kbc_float_average_pool_2d(const kbc_pool_2d_params *p, const void *x, void *y);

#ifdef __cplusplus
}
#endif

#endif /* KBC_H */
