/* What newlib asks a bare board for: an end, and a heap, of which there is none.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stddef.h>

#include "semihosting.h"

void _exit(int code);
void *_sbrk(ptrdiff_t bytes);

void _exit(int code)
{
    semihosting_exit((uint32_t)code);
}

void *_sbrk(ptrdiff_t bytes)
{
    (void)bytes;
    semihosting_print("error: something asks for a heap\n");
    semihosting_exit(1);
}
