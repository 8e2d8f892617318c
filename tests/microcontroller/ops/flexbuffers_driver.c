/* Reads buffers from standard input, each after its size as int32, into memory of just that size;
 * prints for each the integer at "key" or "-", and whether the string at "text" is "binary".
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "flexbuffers.h"

int main(void)
{
    int32_t size;

    while (fread(&size, sizeof size, 1, stdin) == 1) {
        kbc_flexbuffers_map map;
        int64_t value;
        uint8_t *bytes = malloc((size_t)size);
        if (bytes == NULL || fread(bytes, 1, (size_t)size, stdin) != (size_t)size) {
            return 1;
        }
        const bool open = kbc_flexbuffers_open(&map, bytes, (size_t)size);
        if (open && kbc_flexbuffers_int(&map, "key", &value)) {
            printf("%" PRId64, value);
        } else {
            printf("-");
        }
        puts(open && kbc_flexbuffers_equals(&map, "text", "binary") ? " binary" : " -");
        free(bytes);
    }
    return 0;
}
