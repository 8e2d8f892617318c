/* What the two poolings by CMSIS-NN share: they differ in the function.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_CMSIS_NN_POOL_H
#define KBC_CMSIS_NN_POOL_H

#include "cmsis_nn.h"

#if KBC_HAS_CMSIS_NN

typedef arm_cmsis_nn_status kbc_cmsis_pool_function(const cmsis_nn_context *context,
                                                    const cmsis_nn_pool_params *params,
                                                    const cmsis_nn_dims *in, const int8_t *x,
                                                    const cmsis_nn_dims *window,
                                                    const cmsis_nn_dims *out, int8_t *y);

static inline kbc_status kbc_cmsis_pool(const kbc_pool_2d_params *p,
                                        const cmsis_nn_context *context, const int8_t *x, int8_t *y,
                                        kbc_cmsis_pool_function *pool)
{
    const kbc_window *w = &p->window;
    const cmsis_nn_pool_params params = {kbc_cmsis_tile(w->stride_height, w->stride_width),
                                         kbc_cmsis_tile(w->pad_top, w->pad_left),
                                         kbc_cmsis_activation(&p->output)};
    const cmsis_nn_dims in = kbc_cmsis_dims(p->batch, p->in_height, p->in_width, p->channels);
    const cmsis_nn_dims window = kbc_cmsis_dims(1, w->height, w->width, 1);
    const cmsis_nn_dims out = kbc_cmsis_dims(p->batch, p->out_height, p->out_width, p->channels);

    return kbc_cmsis_status(pool(context, &params, &in, x, &window, &out, y));
}

#endif

#endif /* KBC_CMSIS_NN_POOL_H */
