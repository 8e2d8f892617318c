/* A few threads that share the parts of a layer.
 *
 * A delegate has one pool, which starts a thread when a layer wants it, and none for one alone.
 * Who finds the pool at work for another interpreter does all parts itself; so does the child of a
 * process that forked, in which the threads are missing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_THREADS_H
#define KBC_THREADS_H

#include <stdint.h>

typedef struct kbc_pool kbc_pool;

typedef void kbc_part_function(void *context, int32_t part);

/* NULL where there is no memory. */
kbc_pool *kbc_pool_new(void);

/* Sees that with the caller there are as many threads, as far as the system gives them. */
void kbc_pool_grow(kbc_pool *pool, int32_t threads);

/* Calls `function` for each part, and returns when all are done. */
void kbc_pool_run(kbc_pool *pool, int32_t parts, kbc_part_function *function, void *context);

void kbc_pool_free(kbc_pool *pool);

#endif /* KBC_THREADS_H */
