/* The part of a layer that one thread runs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_CONVOLVE_H
#define KBC_CONVOLVE_H

#include "layer.h"

/* Of its memory, beside tables and sums. */
size_t kbc_convolve_bytes(const kbc_layer *layer);

/* Makes the tables of taps outside of the image, which stay. */
void kbc_convolve_clear(const kbc_layer *layer, int32_t part);

#endif /* KBC_CONVOLVE_H */
