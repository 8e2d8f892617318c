/* The convolution of bits with binary and ternary weights: see convolve_b1.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_CONVOLVE_B1_H
#define KBC_CONVOLVE_B1_H

#include "filter_tables.h"
#include "pool_2d.h"

int32_t kbc_convolve_b1_scratch(const kbc_conv_2d_params *p);

/* The arguments of a kbc_conv_2d_function, and whether weights are ternary. */
kbc_status kbc_convolve_b1(const kbc_conv_2d_params *p, int ternary, const uint32_t *x,
                           const void *shortcut, void *y, void *scratch);

/* Output rows whose sums are held at once, for eight filters. */
typedef struct {
    const kbc_conv_2d_params *p;
    const uint32_t *image;
    kbc_span out, rows; /* of outputs, and of the accumulators that they need */
    kbc_filter_tables *tables;
    kbc_sums *used; /* [taps]: how many weights are not 0 */
    kbc_sums *line; /* [conv_width], for the way to the outputs */
    kbc_sums *sums; /* [rows][conv_width]: differ, from KBC_START on */
} kbc_band;

enum {
    KBC_BASE = 0x2000,              /* makes differences of counts positive */
    KBC_START = 0x8000 + KBC_BASE, /* leaves bit 15 set where no less is taken than what came */
};

/* From the sums of eight filters, from `filter` on, to the band's outputs. */
void kbc_finish_band(const kbc_band *b, int32_t filter, int32_t first_pixel, const void *shortcut,
                     void *y);

/* Of these positions those at which something `offset` from them lies inside the image. */
static inline kbc_span kbc_inside(kbc_span positions, int32_t stride, int32_t offset, int32_t size)
{
    while (positions.first < positions.last && positions.first * stride + offset < 0) {
        ++positions.first;
    }
    while (positions.last > positions.first && (positions.last - 1) * stride + offset >= size) {
        --positions.last;
    }
    return positions;
}

#endif /* KBC_CONVOLVE_B1_H */
