/* CONV_2D of TensorFlow Lite, int8, of one group, with per-channel weights of zero point 0
 * [out][height][width][in]: each patch is a row that meets all filters (int8_dots.h).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "int8_dots.h"
#include "patch.h"

int32_t kbc_int8_conv_2d_scratch(const kbc_conv_2d_params *p)
{
    return kbc_patch_is_pixel(p) ? 0 : kbc_patch_inputs(p);
}

kbc_status kbc_int8_conv_2d(const kbc_conv_2d_params *p, const void *x, const void *shortcut,
                            void *y, void *scratch)
{
    const int8_t *image = x;
    int32_t pixel = 0;

    for (int32_t b = 0; b < p->batch; ++b) {
        for (int32_t cy = 0; cy < p->conv_height; ++cy) {
            for (int32_t cx = 0; cx < p->conv_width; ++cx, ++pixel) {
                const int8_t *patch = kbc_patch(p, image, cy, cx, scratch);
                kbc_int8_outputs(&p->finish, p->weights, patch, kbc_patch_inputs(p),
                                 p->input_zero_point, pixel, shortcut, y);
            }
        }
        image += p->in_height * p->in_width * p->in_channels;
    }
    return KBC_OK;
}
