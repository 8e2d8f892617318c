/* A layer with few-bit weights, on the host: its weights laid out anew, and its memory.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_LAYER_H
#define KBC_LAYER_H

#include <stddef.h>

#include "relay.h"
#include "threads.h"

typedef struct {
    kbc_conv_2d_params params;
    bool bits; /* inputs */
    const kbc_instruction_set *set;

    /* Of the weights, as long as these are the same. */
    kbc_weights_shape shape;
    const void *source;
    uint8_t *weights;
    int32_t *numbers; /* [4][blocks * block]: offsets and channels */
    int32_t *offsets; /* what takes back what tables and pads add */
    kbc_channels channels;

    /* Of the tensors' shapes. */
    int32_t pixel_bytes; /* tables of a pixel */
    int32_t row_pixels;  /* of the image and its pads, as far as a window reaches */
    int32_t ring_rows;   /* of tables that are kept */
    int32_t runs, run_steps;
    size_t tables_bytes, sums_bytes, part_bytes;
    int32_t parts;       /* that may run at the same time */
    bool parts_are_rows; /* or else blocks of outputs */
    uint8_t *memory;     /* [parts][part_bytes] */
} kbc_layer;

/* A 1x1 convolution of an image of `rows` rows and one column. */
kbc_conv_2d_params kbc_as_convolution(const kbc_fully_connected_params *p);

/* Makes a layer of checked parameters, whose weights may have been laid out before. False where it
 * is not made for them, or has no memory; free it in either case. */
bool kbc_layer_prepare(kbc_layer *layer, const kbc_conv_2d_params *params, bool bits, bool ternary,
                       const kbc_instruction_set *set, int32_t threads);

void kbc_layer_free(kbc_layer *layer);

void kbc_layer_run(const kbc_layer *layer, kbc_pool *pool, const void *x, const void *shortcut,
                   void *y);

#endif /* KBC_LAYER_H */
