/* The inner product of a few taps, one for each type of weights and inputs: what the plain
 * convolutions and fully connected kernels differ in.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_DOTS_H
#define KBC_DOTS_H

#include "float_dot.h"
#include "int8_dot.h"
#include "one_bit.h"

/* What sums are: int32_t, unless a kernel says float before it includes this. */
#ifndef KBC_ACC
#define KBC_ACC int32_t
#endif

/* Weights [first, first + n) of output channel o, which has `size` of them, times channels
 * [channel, channel + n) of a pixel. */
typedef struct {
    const void *weights;
    int32_t outs, o, size, first;
    const void *pixel;
    int32_t channel, n, zero_point;
} kbc_taps;

typedef KBC_ACC kbc_dot(kbc_taps t);

static inline const uint32_t *kbc_row(kbc_taps t)
{
    return (const uint32_t *)t.weights + t.o * kbc_words(t.size);
}

/* The same row of the second plane. */
static inline const uint32_t *kbc_used(kbc_taps t)
{
    return kbc_row(t) + t.outs * kbc_words(t.size);
}

static inline int32_t kbc_dot_s8(kbc_taps t)
{
    return kbc_one_bit_dot(kbc_row(t), t.first, (const int8_t *)t.pixel + t.channel, t.n,
                           t.zero_point);
}

static inline int32_t kbc_dot_s8_ternary(kbc_taps t)
{
    return kbc_ternary_dot(kbc_row(t), kbc_used(t), t.first, (const int8_t *)t.pixel + t.channel,
                           t.n, t.zero_point);
}

static inline int32_t kbc_dot_b1(kbc_taps t)
{
    return kbc_xor_dot(kbc_row(t), t.first, t.pixel, t.channel, t.n);
}

static inline int32_t kbc_dot_b1_ternary(kbc_taps t)
{
    return kbc_ternary_xor_dot(kbc_row(t), kbc_used(t), t.first, t.pixel, t.channel, t.n);
}

static inline float kbc_dot_f32(kbc_taps t)
{
    return kbc_float_dot(kbc_row(t), t.first, (const float *)t.pixel + t.channel, t.n);
}

static inline float kbc_dot_f32_ternary(kbc_taps t)
{
    return kbc_ternary_float_dot(kbc_row(t), kbc_used(t), t.first,
                                 (const float *)t.pixel + t.channel, t.n);
}

static inline float kbc_dot_float(kbc_taps t)
{
    const float *w = (const float *)t.weights + t.o * t.size + t.first;
    const float *x = (const float *)t.pixel + t.channel;
    float acc = 0.0f;

    for (int32_t k = 0; k < t.n; ++k) {
        acc += w[k] * x[k];
    }
    return acc;
}

static inline int32_t kbc_dot_int8(kbc_taps t)
{
    return kbc_int8_dot((const int8_t *)t.weights + t.o * t.size + t.first,
                        (const int8_t *)t.pixel + t.channel, t.n, t.zero_point);
}

/* The bytes of a pixel, or row, of as many channels. */
static inline int32_t kbc_bytes_s8(int32_t channels)
{
    return channels;
}

static inline int32_t kbc_bytes_b1(int32_t channels)
{
    return 4 * kbc_words(channels);
}

static inline int32_t kbc_bytes_f32(int32_t channels)
{
    return 4 * channels;
}

#endif /* KBC_DOTS_H */
