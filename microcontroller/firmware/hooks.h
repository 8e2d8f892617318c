/* kbc_port.h's hooks in a firmware; every source of a model is compiled with -include hooks.h.
 *
 * The model's constants get an output section of their own, so that its bytes and the code's are
 * told apart. After each layer the harness may write the layer's output, with the stopwatch
 * halted: the counted instructions are those of a model without hooks, but for one or two a layer,
 * by which the compiler's code around the hook differs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_HOOKS_H
#define KBC_HOOKS_H

#include "stopwatch.h"

#define KBC_FLASH __attribute__((section(".model")))
#define KBC_IN_FLASH KBC_FLASH
#define KBC_LPM_FLASH KBC_FLASH

#define KBC_LAYER_DONE(index, tensor, bytes)    \
    do {                                        \
        KBC_STOPWATCH_STOP();                   \
        harness_layer_done((tensor), (bytes));  \
        KBC_STOPWATCH_START();                  \
    } while (0)

void harness_layer_done(const void *tensor, unsigned int bytes);

#endif /* KBC_HOOKS_H */
