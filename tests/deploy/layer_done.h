/* Included before anything else: sends an emitted model's layers to run_model.c. */
#include <stdint.h>

void layer_done(int index, const int8_t *tensor, int bytes);

#define KBC_LAYER_DONE layer_done
