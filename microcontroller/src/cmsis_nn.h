/* Int8 builtins computed by CMSIS-NN, where a build has it: KBC_HAS_CMSIS_NN is 1 then.
 *
 * These variants take the same parameters as ours, with the channels as three arrays instead of
 * structs: int32 bias[n], multiplier[n] and shift[n], of which the last is CMSIS-NN's, to the left.
 * CMSIS-NN rounds halves of negative numbers away from zero where ours, and LiteRT, round them up.
 *
 * The bytes of scratch are worked out on the host, for all cores alike: each call compares them
 * with what CMSIS-NN asks for on its own core, and returns KBC_INVALID where they are too few.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_CMSIS_NN_H
#define KBC_CMSIS_NN_H

#include "kbc/kbc.h"

#if KBC_HAS_CMSIS_NN

#include <arm_nnfunctions.h>

static inline cmsis_nn_activation kbc_cmsis_activation(const kbc_output *out)
{
    const cmsis_nn_activation activation = {out->min, out->max};
    return activation;
}

static inline cmsis_nn_dims kbc_cmsis_dims(int32_t n, int32_t height, int32_t width, int32_t c)
{
    const cmsis_nn_dims dims = {n, height, width, c};
    return dims;
}

static inline cmsis_nn_tile kbc_cmsis_tile(int32_t height, int32_t width)
{
    const cmsis_nn_tile tile = {width, height};
    return tile;
}

static inline kbc_status kbc_cmsis_status(arm_cmsis_nn_status status)
{
    return status == ARM_CMSIS_NN_SUCCESS ? KBC_OK : KBC_INVALID;
}

#endif

#endif /* KBC_CMSIS_NN_H */
