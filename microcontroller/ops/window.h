/* The options of windows, and where on an image a window fits.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_WINDOW_H
#define KBC_WINDOW_H

#include "node.h"

/* The options `kernel_h`, `kernel_w`, `kernel_stride_h` and so on. */
bool kbc_option_kernel(const kbc_node *node, kbc_window *kernel);

/* The same for a pooling, `pool_h` and so on: not dilated, and each position holds a pixel. */
bool kbc_option_pool(const kbc_node *node, kbc_window *pool);

/* Positions of a window on an image's side; 0 where it does not fit. */
int32_t kbc_rows_of(const kbc_window *w, int32_t height);
int32_t kbc_columns_of(const kbc_window *w, int32_t width);

#endif /* KBC_WINDOW_H */
