/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L

#include "threads.h"

#include <stdbool.h>
#include <stdlib.h>

static void run_all(int32_t parts, kbc_part_function *function, void *context)
{
    for (int32_t part = 0; part < parts; ++part) {
        function(context, part);
    }
}

#if defined(_WIN32)

struct kbc_pool {
    int none;
};

kbc_pool *kbc_pool_new(void)
{
    return calloc(1, sizeof(kbc_pool));
}

void kbc_pool_grow(kbc_pool *pool, int32_t threads)
{
    (void)pool, (void)threads;
}

void kbc_pool_run(kbc_pool *pool, int32_t parts, kbc_part_function *function, void *context)
{
    (void)pool;
    run_all(parts, function, context);
}

void kbc_pool_free(kbc_pool *pool)
{
    free(pool);
}

#else

#include <pthread.h>
#include <unistd.h>

enum { MOST_THREADS = 256 };

struct kbc_pool {
    pthread_mutex_t use;   /* held by who runs parts, or grows the pool */
    pthread_mutex_t state; /* of all that follows */
    pthread_cond_t work, done;
    pthread_t threads[MOST_THREADS];
    int32_t count; /* of them: one less than run parts */
    pid_t process;
    kbc_part_function *function;
    void *context;
    int32_t parts, next, finished;
    bool closes;
};

kbc_pool *kbc_pool_new(void)
{
    kbc_pool *pool = calloc(1, sizeof *pool);

    if (pool != NULL) {
        pthread_mutex_init(&pool->use, NULL);
        pthread_mutex_init(&pool->state, NULL);
        pthread_cond_init(&pool->work, NULL);
        pthread_cond_init(&pool->done, NULL);
        pool->process = getpid();
    }
    return pool;
}

/* Does parts as long as there are any. `state` is held, but not while a part runs. */
static void do_parts(kbc_pool *pool)
{
    while (pool->next < pool->parts) {
        const int32_t part = pool->next++;
        pthread_mutex_unlock(&pool->state);
        pool->function(pool->context, part);
        pthread_mutex_lock(&pool->state);
        if (++pool->finished == pool->parts) {
            pthread_cond_signal(&pool->done);
        }
    }
}

static void *serve(void *argument)
{
    kbc_pool *pool = argument;

    pthread_mutex_lock(&pool->state);
    while (!pool->closes) {
        do_parts(pool);
        if (!pool->closes) {
            pthread_cond_wait(&pool->work, &pool->state);
        }
    }
    pthread_mutex_unlock(&pool->state);
    return NULL;
}

void kbc_pool_grow(kbc_pool *pool, int32_t threads)
{
    if (threads < 2 || pool->process != getpid()) {
        return;
    }
    pthread_mutex_lock(&pool->use);
    while (pool->count < threads - 1 && pool->count < MOST_THREADS &&
           pthread_create(&pool->threads[pool->count], NULL, serve, pool) == 0) {
        ++pool->count;
    }
    pthread_mutex_unlock(&pool->use);
}

void kbc_pool_run(kbc_pool *pool, int32_t parts, kbc_part_function *function, void *context)
{
    if (parts < 2 || pool->process != getpid() || pthread_mutex_trylock(&pool->use) != 0) {
        run_all(parts, function, context);
        return;
    }
    pthread_mutex_lock(&pool->state);
    pool->function = function;
    pool->context = context;
    pool->parts = parts;
    pool->next = pool->finished = 0;
    pthread_cond_broadcast(&pool->work);
    do_parts(pool);
    while (pool->finished < parts) {
        pthread_cond_wait(&pool->done, &pool->state);
    }
    pool->parts = pool->next = 0;
    pthread_mutex_unlock(&pool->state);
    pthread_mutex_unlock(&pool->use);
}

void kbc_pool_free(kbc_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    if (pool->process == getpid()) {
        pthread_mutex_lock(&pool->state);
        pool->closes = true;
        pthread_cond_broadcast(&pool->work);
        pthread_mutex_unlock(&pool->state);
        for (int32_t i = 0; i < pool->count; ++i) {
            pthread_join(pool->threads[i], NULL);
        }
    }
    free(pool);
}

#endif
