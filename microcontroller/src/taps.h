/* Pointers to the pixels of an int8 image that the taps of a kernel meet: kernels that walk over all
 * taps for some channels at a time look for them once.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_TAPS_H
#define KBC_TAPS_H

#include "one_bit.h"

/* The bytes of scratch for them; one more than the taps, to align them where pointers have 8. */
static inline int32_t kbc_taps_room(const kbc_conv_2d_params *p)
{
    return (kbc_taps_of(p) + 1) * (int32_t)sizeof(const int8_t *);
}

static inline const int8_t **kbc_taps_in(void *scratch)
{
    const uintptr_t aligned = (uintptr_t)scratch + sizeof(void *) - 1;

    return (void *)(aligned - aligned % sizeof(void *));
}

/* Those of the output (cy, cx); `absent` is a pixel of zero points. */
static inline void kbc_find_taps(const kbc_conv_2d_params *p, const int8_t **tap,
                                 const int8_t *image, int32_t cy, int32_t cx,
                                 const int8_t *absent)
{
    const kbc_window *kernel = &p->kernel;
    const int32_t left = cx * kernel->stride_width - kernel->pad_left;
    int32_t iy = cy * kernel->stride_height - kernel->pad_top;

    for (int32_t i = 0; i < kernel->height; ++i, iy += kernel->dilation_height) {
        const int8_t *row = image + iy * p->in_width * p->in_channels;
        const uint32_t width = iy >= 0 && iy < p->in_height ? (uint32_t)p->in_width : 0;
        const int8_t **const end = tap + kernel->width;
        for (int32_t ix = left; tap < end; ix += kernel->dilation_width) {
            *tap++ = (uint32_t)ix < width ? row + ix * p->in_channels : absent;
        }
    }
}

#endif /* KBC_TAPS_H */
