/* Runs an emitted model over the inputs on stdin, and writes each layer's output to stdout.
 *
 * The arena is a heap block of exactly the emitted size, so that the address sanitizer sees a
 * byte written beside it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

void layer_done(int index, const int8_t *tensor, int bytes)
{
    (void)index;
    fwrite(tensor, 1, (size_t)bytes, stdout);
}

static int read_inputs(void *arena)
{
    size_t missing = 0;

#define READ(input, bytes) missing += (bytes) - fread(input(arena), 1, (bytes), stdin);
    MODEL_INPUTS(READ)
    return missing == 0;
}

int main(void)
{
    void *arena = malloc(MODEL_ARENA_BYTES);

    while (read_inputs(arena)) {
        if (model_invoke(arena) != KBC_OK) {
            return 1;
        }
#define WRITE(output, bytes) fwrite(output(arena), 1, (bytes), stdout);
        MODEL_OUTPUTS(WRITE)
    }
    free(arena);
    return 0;
}
