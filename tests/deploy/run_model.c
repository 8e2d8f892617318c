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

int main(void)
{
    void *arena = malloc(MODEL_ARENA_BYTES);

    while (fread(model_input(arena), 1, MODEL_INPUT_BYTES, stdin) == MODEL_INPUT_BYTES) {
        if (model_invoke(arena) != KBC_OK) {
            return 1;
        }
        fwrite(model_output(arena), 1, MODEL_OUTPUT_BYTES, stdout);
    }
    free(arena);
    return 0;
}
