/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <stdint.h>
#include <stdlib.h>

/* C99 aligns nothing: the address that malloc gave stands before the one that is given on. */
void *kbc_allocate(size_t bytes)
{
    char *whole = malloc(bytes + sizeof whole + KBC_ALIGNMENT);

    if (whole == NULL) {
        return NULL;
    }
    char *first = whole + sizeof whole;
    char *aligned = first + (KBC_ALIGNMENT - (uintptr_t)first % KBC_ALIGNMENT) % KBC_ALIGNMENT;
    ((void **)(void *)aligned)[-1] = whole;
    return aligned;
}

void kbc_release(void *memory)
{
    if (memory != NULL) {
        free(((void **)memory)[-1]);
    }
}
