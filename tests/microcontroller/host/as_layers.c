/* An emitted model's few-bit layers, run as the delegate runs them: with `ld --wrap` its calls of
 * the plain kernels come here. SET names the instruction set, and THREADS, of the environment, how
 * many share a layer. */
#include <stdlib.h>

#include "choice.h"
#include "layer.h"

static int run(const kbc_conv_2d_params *params, bool bits, bool ternary, const void *x,
               const void *shortcut, void *y)
{
    const int threads = atoi(getenv("THREADS"));
    kbc_layer layer = {0};
    kbc_pool *pool = kbc_pool_new();
    const bool made = kbc_layer_prepare(&layer, params, bits, ternary, &SET, threads);

    if (made) {
        kbc_pool_grow(pool, threads);
        kbc_layer_run(&layer, pool, x, shortcut, y);
    }
    kbc_layer_free(&layer);
    kbc_pool_free(pool);
    return made;
}

#define CONV_2D(name, bits, ternary)                                                            \
    kbc_conv_2d_function __real_kbc_conv_2d_##name, __wrap_kbc_conv_2d_##name;                  \
    kbc_status __wrap_kbc_conv_2d_##name(const kbc_conv_2d_params *p, const void *x,            \
                                         const void *shortcut, void *y, void *scratch)          \
    {                                                                                           \
        return run(p, bits, ternary, x, shortcut, y)                                            \
                   ? KBC_OK                                                                     \
                   : __real_kbc_conv_2d_##name(p, x, shortcut, y, scratch);                     \
    }

#define FULLY_CONNECTED(name, bits, ternary)                                                    \
    kbc_fully_connected_function __wrap_kbc_fully_connected_##name;                             \
    kbc_status __wrap_kbc_fully_connected_##name(const kbc_fully_connected_params *p,           \
                                                 const void *x, const void *shortcut, void *y,  \
                                                 void *scratch)                                 \
    {                                                                                           \
        const kbc_conv_2d_params params = kbc_as_convolution(p);                                \
        (void)scratch;                                                                          \
        return run(&params, bits, ternary, x, shortcut, y) ? KBC_OK : KBC_INVALID;              \
    }

CONV_2D(s8, false, false)
CONV_2D(s8_ternary, false, true)
CONV_2D(b1, true, false)
CONV_2D(b1_ternary, true, true)
FULLY_CONNECTED(s8, false, false)
FULLY_CONNECTED(s8_ternary, false, true)
FULLY_CONNECTED(b1, true, false)
FULLY_CONNECTED(b1_ternary, true, true)
