/* The firmware's files and text (semihosting.h) on the host.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>

#include "semihosting.h"

enum { MOST = 8 };

static FILE *files[MOST];

int32_t semihosting_open(const char *name, enum semihosting_mode mode)
{
    for (int32_t handle = 0; handle < MOST; ++handle) {
        if (files[handle] == NULL) {
            files[handle] = fopen(name, mode == SEMIHOSTING_READ ? "rb" : "wb");
            return files[handle] != NULL ? handle : -1;
        }
    }
    return -1;
}

int32_t semihosting_close(int32_t handle)
{
    const int status = fclose(files[handle]);

    files[handle] = NULL;
    return status;
}

int32_t semihosting_read(int32_t handle, void *bytes, uint32_t count)
{
    return (int32_t)(count - fread(bytes, 1, count, files[handle]));
}

int32_t semihosting_write(int32_t handle, const void *bytes, uint32_t count)
{
    return (int32_t)(count - fwrite(bytes, 1, count, files[handle]));
}

void semihosting_print(const char *text)
{
    fputs(text, stdout);
    fflush(stdout);
}

void semihosting_exit(uint32_t code)
{
    exit((int)code);
}
