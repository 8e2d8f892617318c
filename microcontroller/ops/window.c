/* SPDX-License-Identifier: Apache-2.0 */
#include "window.h"

enum { PADS = 4, UNDILATED = 8, ALL = 10 };

/* In the order of the fields in `read_window`. */
#define NAMES(prefix)                                                                           \
    {                                                                                           \
        prefix "_pad_top", prefix "_pad_left", prefix "_pad_bottom", prefix "_pad_right",       \
            prefix "_h", prefix "_w", prefix "_stride_h", prefix "_stride_w",                   \
            prefix "_dilation_h", prefix "_dilation_w"                                          \
    }

static const char *const KERNEL[ALL] = NAMES("kernel");
static const char *const POOL[ALL] = NAMES("pool");

static bool read_window(const kbc_node *node, const char *const *names, int count, kbc_window *w)
{
    int32_t *const fields[ALL] = {&w->pad_top,         &w->pad_left,      &w->pad_bottom,
                                  &w->pad_right,       &w->height,        &w->width,
                                  &w->stride_height,   &w->stride_width,  &w->dilation_height,
                                  &w->dilation_width};

    w->dilation_height = w->dilation_width = 1;
    for (int i = 0; i < count; ++i) {
        if (!kbc_option(node, names[i], i < PADS ? 0 : 1, KBC_MAX_WINDOW, fields[i])) {
            return false;
        }
    }
    return true;
}

bool kbc_option_kernel(const kbc_node *node, kbc_window *kernel)
{
    return read_window(node, KERNEL, ALL, kernel);
}

bool kbc_option_pool(const kbc_node *node, kbc_window *pool)
{
    if (!read_window(node, POOL, UNDILATED, pool)) {
        return false;
    }
    return (pool->pad_top < pool->height && pool->pad_bottom < pool->height &&
            pool->pad_left < pool->width && pool->pad_right < pool->width) ||
           kbc_refuse(node, "the padding of its pooling is as wide as the window");
}

static int32_t positions(int32_t side, int32_t before, int32_t after, int32_t size,
                         int32_t dilation, int32_t stride)
{
    const int32_t room = side + before + after - ((size - 1) * dilation + 1);

    return room < 0 ? 0 : room / stride + 1;
}

int32_t kbc_rows_of(const kbc_window *w, int32_t height)
{
    return positions(height, w->pad_top, w->pad_bottom, w->height, w->dilation_height,
                     w->stride_height);
}

int32_t kbc_columns_of(const kbc_window *w, int32_t width)
{
    return positions(width, w->pad_left, w->pad_right, w->width, w->dilation_width,
                     w->stride_width);
}
