/* The kernel table (kernels.def) as data, for tests, benchmarks and the ops of ops/.
 *
 * An emitted model calls its kernels by name, so that the linker drops the others: it does not
 * link this.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_KERNELS_H
#define KBC_KERNELS_H

#include "kbc/kbc.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A function of any type: the op says which, see kbc.h. */
typedef void kbc_any_function(void);

typedef struct {
    const char *op;
    const char *variant;
    const char *layout;
    kbc_any_function *function;
    kbc_any_function *scratch;
} kbc_kernel;

/* The rows whose guard holds on this CPU, in the order of kernels.def. */
extern const kbc_kernel kbc_kernels[];
extern const int32_t kbc_kernel_count;

/* Those of them that read weights as the .tflite has them. Who uses only these links no others. */
extern const kbc_kernel kbc_canonical_kernels[];
extern const int32_t kbc_canonical_kernel_count;

#ifdef __cplusplus
}
#endif

#endif /* KBC_KERNELS_H */
