/* The depthwise convolution of bits with binary and ternary weights: see depthwise_b1.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_DEPTHWISE_B1_H
#define KBC_DEPTHWISE_B1_H

#include "kbc/kbc.h"

/* Or -1 where a channel has not just one filter. */
int32_t kbc_depthwise_b1_scratch(const kbc_conv_2d_params *p);

kbc_status kbc_depthwise_b1(const kbc_conv_2d_params *p, int ternary, const uint32_t *x,
                            const void *shortcut, void *y, void *scratch);

#endif /* KBC_DEPTHWISE_B1_H */
