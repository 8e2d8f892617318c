/* Depthwise convolutions of int8 images: four channels at a time, two to a word.
 *
 * With u = x + 128 as 0..255, a byte m of 0xff for a weight of -1 and 0x00 for +1, and of ternary
 * weights a byte k of 0xff where they are not 0,
 *
 *     (u ^ m) & k = u, 255 - u or 0
 *     acc[c] = sum over the taps of (u ^ m) & k - 255 n[-1] - z (n[+1] - n[-1])
 *
 * where z is the zero point as u and n[w] the taps with weight w; absent pixels are zero points.
 * The bits become bytes once a call, for eight channels and all taps one behind the other, after
 * what is to be subtracted: that is what the 16-bit lanes begin with. They hold 128 taps of either
 * sign. Flipping the top bits of x goes into m.
 *
 * The floor: load, load, exclusive or and two UXTAB16 for 4 multiply-accumulates, 1.25 each;
 * without UXTAB16 1.75. Eight channels share the pointer of a tap and the loop: 13 instructions of
 * them on ARMv7E-M, 17 on ARMv7-M.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_CONV_2D_DEPTHWISE_H
#define KBC_CONV_2D_DEPTHWISE_H

#include <string.h>

#include "taps.h"
#include "thumb.h"

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
    KBC_DEPTHWISE_MIDDLE = 0x8000, /* a lane whose sum is 0, so that none runs over */
    KBC_GROUP = 8,
};

/* Parts of the scratch, in bytes. */
typedef struct {
    int32_t taps, groups, absent;
} kbc_depthwise_room;

/* Of a group of eight channels: four words that lanes begin with, and the masks. */
static int32_t kbc_depthwise_group_bytes(int32_t taps)
{
    return 4 * (int32_t)sizeof(uint32_t) + KBC_PLANES * taps * KBC_GROUP;
}

static kbc_depthwise_room kbc_depthwise_room_of(const kbc_conv_2d_params *p)
{
    const int32_t taps = kbc_taps_of(p);
    const int32_t groups = kbc_share(p->in_channels, KBC_GROUP);
    const kbc_depthwise_room room = {
        kbc_taps_room(p),
        groups * kbc_depthwise_group_bytes(taps),
        p->in_channels, /* an absent pixel */
    };
    return room;
}

static int32_t kbc_conv_2d_depthwise_scratch(const kbc_conv_2d_params *p)
{
    const kbc_depthwise_room room = kbc_depthwise_room_of(p);

    if (p->groups != p->in_channels || p->out_channels != p->in_channels ||
        p->in_channels % 4 != 0 || p->in_channels < KBC_GROUP || p->input_dilation_height != 1 ||
        p->input_dilation_width != 1 || p->out_height != p->conv_height ||
        p->out_width != p->conv_width || p->pool.height * p->pool.width != 1 ||
        kbc_taps_of(p) > KBC_DEPTHWISE_CAPACITY) {
        return -1;
    }
    return room.taps + room.groups + room.absent;
}

/* What a call works with. */
typedef struct {
    const int8_t **taps, **end;
    uint8_t *groups;
    int8_t *absent;
} kbc_depthwise_work;

/* The first channel of a group: the last one's are eight too, though it shares some. */
static int32_t kbc_depthwise_first(const kbc_conv_2d_params *p, int32_t group)
{
    return kbc_least(group * KBC_GROUP, p->in_channels - KBC_GROUP);
}

/* The masks of a channel, and what its lane begins with. */
static uint16_t kbc_depthwise_expand_channel(const kbc_conv_2d_params *p, int32_t channel,
                                             uint8_t *mask)
{
    const int32_t taps = kbc_taps_of(p), words = kbc_words(taps);
    const int32_t zero = p->input_zero_point + 128;
    const uint32_t *signs = (const uint32_t *)p->weights + words * channel;
    const uint32_t *uses = signs + words * p->in_channels;
    int32_t begin = KBC_DEPTHWISE_MIDDLE;

    for (int32_t t = 0; t < taps; ++t, mask += KBC_PLANES * KBC_GROUP) {
        const uint32_t minus = kbc_bit(signs, t), used = KBC_PLANES > 1 ? kbc_bit(uses, t) : 1;
        mask[0] = (uint8_t)(minus ? 0x7f : 0x80); /* and x becomes u */
        if (KBC_PLANES > 1) {
            mask[KBC_GROUP] = (uint8_t)(used ? 0xff : 0);
        }
        begin -= minus ? 255 - zero : used ? zero : 0;
    }
    return (uint16_t)begin;
}

static void kbc_depthwise_expand(const kbc_conv_2d_params *p, uint8_t *group)
{
    const int32_t bytes = kbc_depthwise_group_bytes(kbc_taps_of(p));

    for (int32_t g = 0; g * KBC_GROUP < p->in_channels; ++g, group += bytes) {
        /* Of channels 0 and 2, 1 and 3, 4 and 6, 5 and 7. */
        uint16_t *const begin = (uint16_t *)(void *)group;
        uint8_t *const masks = group + 4 * sizeof(uint32_t);
        for (int32_t c = 0; c < KBC_GROUP; ++c) {
            begin[c / 4 * 4 + c % 2 * 2 + c / 2 % 2] =
                kbc_depthwise_expand_channel(p, kbc_depthwise_first(p, g) + c, masks + c);
        }
    }
}

#if KBC_THUMB == 2 && defined(__OPTIMIZE__)

/* even += bytes 0 and 2, odd += bytes 1 and 3; of a core without UXTAB16, through r12. */
#if defined(__ARM_FEATURE_SIMD32)
#define ADD(even, odd, bytes) \
    "uxtab16 " even ", " even ", " bytes " \n uxtab16 " odd ", " odd ", " bytes ", ror #8 \n"
#else
#define ADD(even, odd, bytes)                                                            \
    "and r12, " bytes ", #0x00ff00ff \n add " even ", r12 \n bic " bytes ", #0x00ff00ff \n" \
    "add " odd ", " odd ", " bytes ", lsr #8 \n"
#endif
#if KBC_DEPTHWISE_TERNARY
#define USE "ldm %[mask]!, {r10, r11} \n and r8, r10 \n and r9, r11 \n"
#else
#define USE
#endif

/* sums: of channels 0 and 2, 1 and 3, 4 and 6, 5 and 7. */
static inline void kbc_depthwise_sum(const kbc_depthwise_work *k, const uint8_t *group, int32_t c,
                                     uint32_t *sums)
{
    const int8_t **tap = k->taps;
    const uint32_t *mask = (const uint32_t *)(const void *)group;
    register uint32_t even0 __asm__("r4");
    register uint32_t odd0 __asm__("r5");
    register uint32_t even1 __asm__("r6");
    register uint32_t odd1 __asm__("lr");

    __asm__("ldm %[mask]!, {r4, r5, r6, lr} \n"
            "1: ldr r12, [%[tap]], #4 \n"
            "add r12, %[c] \n"
            "ldrd r8, r9, [r12] \n"
            "ldm %[mask]!, {r10, r11} \n"
            "eor r8, r10 \n"
            "eor r9, r11 \n" USE ADD("r4", "r5", "r8") ADD("r6", "lr", "r9")
            "cmp %[tap], %[end] \n"
            "bne 1b \n"
            : "=&r"(even0), "=&r"(odd0), "=&r"(even1), "=&r"(odd1), [tap] "+&r"(tap),
              [mask] "+&r"(mask)
            : [c] "r"(c), [end] "r"(k->end)
            : "r8", "r9", "r10", "r11", "r12", "cc", "memory");
    sums[0] = even0;
    sums[1] = odd0;
    sums[2] = even1;
    sums[3] = odd1;
}

#undef ADD
#undef USE

#else

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

static inline void kbc_depthwise_add(uint32_t *sums, uint32_t bytes)
{
    sums[0] += bytes & 0x00ff00ffu;
    sums[1] += bytes >> 8 & 0x00ff00ffu;
}

/* (u ^ m) & k of four channels. */
static inline uint32_t kbc_depthwise_weigh(const int8_t *x, const uint8_t *mask)
{
    const uint32_t bytes = kbc_depthwise_load(x) ^ kbc_depthwise_load(mask);

    return KBC_PLANES > 1 ? bytes & kbc_depthwise_load(mask + KBC_GROUP) : bytes;
}

static inline void kbc_depthwise_sum(const kbc_depthwise_work *k, const uint8_t *group, int32_t c,
                                     uint32_t *sums)
{
    const int8_t *const *tap = k->taps;
    const uint8_t *mask = group + 4 * sizeof(uint32_t);

    memcpy(sums, group, 4 * sizeof(uint32_t));
    do {
        const int8_t *x = *tap++ + c;
        kbc_depthwise_add(sums, kbc_depthwise_weigh(x, mask));
        kbc_depthwise_add(sums + 2, kbc_depthwise_weigh(x + 4, mask + 4));
        mask += KBC_PLANES * KBC_GROUP;
    } while (tap < k->end);
}

#endif

static inline void kbc_depthwise_unpack(int32_t *acc, uint32_t even, uint32_t odd)
{
    const uint32_t both = 0x10001u * KBC_DEPTHWISE_MIDDLE;

    even ^= both;
    odd ^= both;
    acc[0] = (int16_t)(even & 0xffff);
    acc[1] = (int16_t)(odd & 0xffff);
    acc[2] = (int16_t)(even >> 16);
    acc[3] = (int16_t)(odd >> 16);
}

/* acc[i] of the eight channels from c on. */
static KBC_NOINLINE void kbc_depthwise_group(const kbc_depthwise_work *k, const uint8_t *group,
                                             int32_t c, int32_t *acc)
{
    uint32_t sums[4];

    kbc_depthwise_sum(k, group, c, sums);
    kbc_depthwise_unpack(acc, sums[0], sums[1]);
    kbc_depthwise_unpack(acc + 4, sums[2], sums[3]);
}

static void kbc_depthwise_pixel(const kbc_conv_2d_params *p, const kbc_depthwise_work *k,
                                int32_t pixel, const void *shortcut, void *y)
{
    const int32_t bytes = kbc_depthwise_group_bytes((int32_t)(k->end - k->taps));
    const uint8_t *group = k->groups;

    for (int32_t first = 0; first < p->in_channels; first += KBC_BLOCK) {
        const int32_t count = kbc_block(p->in_channels - first);
        int32_t sums[4 + KBC_BLOCK], *const acc = sums + 4;
        for (int32_t i = 0; i < count; i += KBC_GROUP, group += bytes) {
            /* Four of them again, if 8 is no divisor. */
            const int32_t at = kbc_least(i, count - KBC_GROUP);
            kbc_depthwise_group(k, group, first + at, acc + at);
        }
        p->finish.function(&p->finish, acc, pixel, first, count, shortcut, y);
    }
}

static kbc_status kbc_conv_2d_depthwise(const kbc_conv_2d_params *p, const void *x,
                                        const void *shortcut, void *y, void *scratch)
{
    const kbc_depthwise_room room = kbc_depthwise_room_of(p);
    uint8_t *const groups = (uint8_t *)scratch + room.taps;
    const int8_t **const taps = kbc_taps_in(scratch);
    const kbc_depthwise_work k = {taps, taps + kbc_taps_of(p), groups,
                                  (int8_t *)groups + room.groups};
    const int8_t *image = x;
    int32_t pixel = 0;

    memset(k.absent, (int)p->input_zero_point, (size_t)room.absent);
    kbc_depthwise_expand(p, groups);
    for (int32_t b = 0; b < p->batch; ++b) {
        for (int32_t cy = 0; cy < p->conv_height; ++cy) {
            for (int32_t cx = 0; cx < p->conv_width; ++cx, ++pixel) {
                kbc_find_taps(p, taps, image, cy, cx, k.absent);
                kbc_depthwise_pixel(p, &k, pixel, shortcut, y);
            }
        }
        image += p->in_height * p->in_width * p->in_channels;
    }
    return KBC_OK;
}

#endif /* KBC_CONV_2D_DEPTHWISE_H */
