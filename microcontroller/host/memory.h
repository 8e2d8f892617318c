/* Memory whose address is a multiple of 64: a register of any instruction set, and a cache line.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_MEMORY_H
#define KBC_MEMORY_H

#include <stddef.h>

enum { KBC_ALIGNMENT = 64 };

static inline size_t kbc_aligned(size_t bytes)
{
    return (bytes + KBC_ALIGNMENT - 1) / KBC_ALIGNMENT * KBC_ALIGNMENT;
}

/* NULL where there is none. */
void *kbc_allocate(size_t bytes);
void kbc_release(void *memory);

#endif /* KBC_MEMORY_H */
