/* SPDX-License-Identifier: Apache-2.0 */
#include "choice.h"

#include <stdlib.h>
#include <string.h>

#if KBC_X86_64
/* cpuid, and whether the operating system keeps the registers. */
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
}

static bool has_avx512_icelake(void)
{
    return has_avx512() && __builtin_cpu_supports("avx512vbmi") &&
           __builtin_cpu_supports("avx512vpopcntdq");
}
#elif KBC_AARCH64
static bool always(void)
{
    return true;
}
#endif

typedef struct {
    const kbc_instruction_set *set; /* NULL: plain C */
    bool (*is_here)(void);          /* NULL: always */
} candidate;

/* The best first. */
static const candidate CANDIDATES[] = {
#if KBC_X86_64
    {&kbc_avx512_icelake, has_avx512_icelake},
    {&kbc_avx512, has_avx512},
    {&kbc_avx2, has_avx2},
#elif KBC_AARCH64
    {&kbc_neon, always},
#endif
    {NULL, NULL},
};

bool kbc_choose_instruction_set(const kbc_instruction_set **chosen)
{
    const char *wanted = getenv("KERAS_BC_KERNELS");

    for (size_t i = 0; i < sizeof CANDIDATES / sizeof CANDIDATES[0]; ++i) {
        const candidate *c = &CANDIDATES[i];
        const char *name = c->set == NULL ? "plain" : c->set->name;
        if ((wanted == NULL || *wanted == '\0' || strcmp(wanted, name) == 0) &&
            (c->is_here == NULL || c->is_here())) {
            *chosen = c->set;
            return true;
        }
    }
    return false;
}
