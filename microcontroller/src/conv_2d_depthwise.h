/* Depthwise convolutions of int8 images: four channels at a time, two to a word.
 *
 * With u = x + 128 as 0..255, a byte m of 0xff for a weight of -1 and 0x00 for +1, and of ternary
 * weights a byte k of 0xff where they are not 0,
 *
 *     (u ^ m) & k = u, 255 - u or 0
 *     acc[c] = sum over the taps of (u ^ m) & k - 255 n[-1] - z (n[+1] - n[-1])
 *
 * where z is the zero point as u and n[w] the taps with weight w; absent pixels are zero points.
 * The bits become bytes once a call. The 16-bit lanes hold 128 taps of either sign, and begin
 * with what is to be subtracted.
 *
 * The floor: load, load, exclusive or and two UXTAB16 for 4 multiply-accumulates, 1.25 each; without
 * UXTAB16 2. Two words of channels at a time share the pointer of a tap. Flipping the top bits of x
 * goes into m.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_CONV_2D_DEPTHWISE_H
#define KBC_CONV_2D_DEPTHWISE_H

#include <string.h>

#include "one_bit.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Lanes are laid out for little-endian cores."
#endif

#if KBC_DEPTHWISE_TERNARY
enum { KBC_PLANES = 2 };
#else
enum { KBC_PLANES = 1 };
#endif

enum {
    KBC_DEPTHWISE_CAPACITY = 128,
    KBC_DEPTHWISE_MIDDLE = 0x8000, /* a lane whose sum is 0 */
};

/* Parts of the scratch, in bytes. */
typedef struct {
    int32_t taps, masks, begin, absent;
} kbc_depthwise_room;

static kbc_depthwise_room kbc_depthwise_room_of(const kbc_conv_2d_params *p)
{
    const int32_t taps = p->kernel.height * p->kernel.width;
    const kbc_depthwise_room room = {
        (taps + 1) * (int32_t)sizeof(const int8_t *), /* each tap's pixel; and one to align them */
        KBC_PLANES * taps * p->in_channels,           /* [tap][plane][channel] */
        2 * p->in_channels,                           /* what each lane begins with */
        p->in_channels,                               /* an absent pixel */
    };
    return room;
}

static int32_t kbc_conv_2d_depthwise_scratch(const kbc_conv_2d_params *p)
{
    const kbc_depthwise_room room = kbc_depthwise_room_of(p);

    if (p->groups != p->in_channels || p->out_channels != p->in_channels ||
        p->in_channels % 4 != 0 || p->in_channels < 8 || p->input_dilation_height != 1 ||
        p->input_dilation_width != 1 || p->out_height != p->conv_height ||
        p->out_width != p->conv_width || p->pool.height * p->pool.width != 1 ||
        p->kernel.height * p->kernel.width > KBC_DEPTHWISE_CAPACITY) {
        return -1;
    }
    return room.taps + room.masks + room.begin + room.absent;
}

/* Four channels of a pixel, or of its masks: both are aligned. */
static inline uint32_t kbc_depthwise_load(const void *x)
{
    uint32_t word;

#if defined(__GNUC__)
    x = __builtin_assume_aligned(x, 4);
#endif
    memcpy(&word, x, sizeof word);
    return word;
}

/* even += bytes 0 and 2, odd += bytes 1 and 3. */
static inline void kbc_depthwise_add(uint32_t *even, uint32_t *odd, uint32_t bytes)
{
#if defined(__ARM_FEATURE_SIMD32) && defined(__GNUC__)
    __asm__("uxtab16 %0, %0, %1" : "+r"(*even) : "r"(bytes));
    __asm__("uxtab16 %0, %0, %1, ror #8" : "+r"(*odd) : "r"(bytes));
#else
    *even += bytes & 0x00ff00ffu;
    *odd += bytes >> 8 & 0x00ff00ffu;
#endif
}

/* What a call works with. */
typedef struct {
    const int8_t **taps;
    uint8_t *masks;
    uint32_t *begin; /* [group of 4 channels]: of the even ones, and of the odd ones */
    int8_t *absent;
} kbc_depthwise_work;

static void kbc_depthwise_expand(const kbc_conv_2d_params *p, const kbc_depthwise_work *k)
{
    const int32_t taps = p->kernel.height * p->kernel.width, channels = p->in_channels;
    const int32_t words = kbc_words(taps), zero = p->input_zero_point + 128;
    const uint32_t *signs = p->weights;

    for (int32_t c = 0; c < channels; ++c, signs += words) {
        uint8_t *mask = k->masks + c;
        uint32_t begin = KBC_DEPTHWISE_MIDDLE;
        for (int32_t t = 0; t < taps; ++t, mask += KBC_PLANES * channels) {
            const uint32_t minus = kbc_bit(signs, t);
            const uint32_t used = KBC_PLANES > 1 ? kbc_bit(signs + words * channels, t) : 1;
            mask[0] = (uint8_t)(minus ? 0x7f : 0x80); /* and x becomes u */
            if (KBC_PLANES > 1) {
                mask[channels] = (uint8_t)(used ? 0xff : 0);
            }
            begin -= minus ? (uint32_t)(255 - zero) : used * (uint32_t)zero;
        }
        uint32_t *pair = &k->begin[c / 4 * 2 + c % 2];
        *pair = c % 4 < 2 ? begin : *pair + (begin << 16);
    }
}

/* (u ^ m) & k of four channels. */
static inline uint32_t kbc_depthwise_weigh(const int8_t *x, const uint8_t *mask, int32_t channels)
{
    const uint32_t bytes = kbc_depthwise_load(x) ^ kbc_depthwise_load(mask);

    return KBC_PLANES > 1 ? bytes & kbc_depthwise_load(mask + channels) : bytes;
}

static inline void kbc_depthwise_unpack(int32_t *acc, uint32_t even, uint32_t odd)
{
    acc[0] = (int32_t)(even & 0xffff) - KBC_DEPTHWISE_MIDDLE;
    acc[1] = (int32_t)(odd & 0xffff) - KBC_DEPTHWISE_MIDDLE;
    acc[2] = (int32_t)(even >> 16) - KBC_DEPTHWISE_MIDDLE;
    acc[3] = (int32_t)(odd >> 16) - KBC_DEPTHWISE_MIDDLE;
}

/* acc[i] of the eight channels from c on. */
static void kbc_depthwise_sum(const kbc_conv_2d_params *p, const kbc_depthwise_work *k, int32_t c,
                              int32_t *acc)
{
    const int32_t channels = p->in_channels, step = KBC_PLANES * channels;
    const int8_t *const *tap = k->taps, *const *end = tap + p->kernel.height * p->kernel.width;
    const uint8_t *mask = k->masks + c;
    const uint32_t *begin = k->begin + c / 2;
    uint32_t even0 = begin[0], odd0 = begin[1], even1 = begin[2], odd1 = begin[3];

    do {
        const int8_t *x = *tap++ + c;
        kbc_depthwise_add(&even0, &odd0, kbc_depthwise_weigh(x, mask, channels));
        kbc_depthwise_add(&even1, &odd1, kbc_depthwise_weigh(x + 4, mask + 4, channels));
        mask += step;
    } while (tap < end);
    kbc_depthwise_unpack(acc, even0, odd0);
    kbc_depthwise_unpack(acc + 4, even1, odd1);
}

/* Where the taps of (cy, cx) are. */
static void kbc_depthwise_taps(const kbc_conv_2d_params *p, const kbc_depthwise_work *k,
                               const int8_t *image, int32_t cy, int32_t cx)
{
    const kbc_window *kernel = &p->kernel;
    const int32_t left = cx * kernel->stride_width - kernel->pad_left;
    const int8_t **tap = k->taps;
    int32_t iy = cy * kernel->stride_height - kernel->pad_top;

    for (int32_t i = 0; i < kernel->height; ++i, iy += kernel->dilation_height) {
        const int8_t *row = image + iy * p->in_width * p->in_channels;
        int32_t ix = left;
        for (int32_t j = 0; j < kernel->width; ++j, ix += kernel->dilation_width) {
            const int inside = iy >= 0 && iy < p->in_height && ix >= 0 && ix < p->in_width;
            *tap++ = inside ? row + ix * p->in_channels : k->absent;
        }
    }
}

static void kbc_depthwise_pixel(const kbc_conv_2d_params *p, const kbc_depthwise_work *k,
                                int32_t pixel, const void *shortcut, void *y)
{
    for (int32_t first = 0; first < p->in_channels; first += KBC_BLOCK) {
        const int32_t count = kbc_block(p->in_channels - first);
        int32_t sums[4 + KBC_BLOCK], *const acc = sums + 4;
        for (int32_t i = 0; i < count; i += 8) {
            const int32_t at = kbc_least(i, count - 8); /* four a second time, where 8 are no divisor */
            kbc_depthwise_sum(p, k, first + at, acc + at);
        }
        p->finish.function(&p->finish, acc, pixel, first, count, shortcut, y);
    }
}

static kbc_status kbc_conv_2d_depthwise(const kbc_conv_2d_params *p, const void *x,
                                        const void *shortcut, void *y, void *scratch)
{
    const kbc_depthwise_room room = kbc_depthwise_room_of(p);
    uint8_t *const masks = (uint8_t *)scratch + room.taps;
    const uintptr_t aligned = (uintptr_t)scratch + sizeof(void *) - 1;
    kbc_depthwise_work k = {(void *)(aligned - aligned % sizeof(void *)), masks,
                            (void *)(masks + room.masks), 0};
    const int8_t *image = x;
    int32_t pixel = 0;

    k.absent = (int8_t *)masks + room.masks + room.begin;
    memset(k.absent, (int)p->input_zero_point, (size_t)room.absent);
    kbc_depthwise_expand(p, &k);
    for (int32_t b = 0; b < p->batch; ++b) {
        for (int32_t cy = 0; cy < p->conv_height; ++cy) {
            for (int32_t cx = 0; cx < p->conv_width; ++cx, ++pixel) {
                kbc_depthwise_taps(p, &k, image, cy, cx);
                kbc_depthwise_pixel(p, &k, pixel, shortcut, y);
            }
        }
        image += p->in_height * p->in_width * p->in_channels;
    }
    return KBC_OK;
}

#endif /* KBC_CONV_2D_DEPTHWISE_H */
