/* {{ title }}: {{ input.shape }} -> {{ output.shape }}, {{ macs }} multiply-accumulates.
 *
 * Written by keras_bc from a .tflite file. Run it like this:
 *
 *     static union { uint64_t align; uint8_t bytes[{{ NAMESPACE }}_ARENA_BYTES]; } arena;
 *
 *     memcpy({{ namespace }}_input(&arena), input, {{ NAMESPACE }}_INPUT_BYTES);
 *     if ({{ namespace }}_invoke(&arena) == KBC_OK) {
 *         use({{ namespace }}_output(&arena));
 *     }
 *
 * Input:  int8 {{ input.shape }}{{ input.layout }}, real = {{ input.real }}
 * Output: int8 {{ output.shape }}{{ output.layout }}, real = {{ output.real }}
 */
#ifndef {{ NAMESPACE }}_H
#define {{ NAMESPACE }}_H

#include "kbc/kbc.h"

#ifdef __cplusplus
extern "C" {
#endif

#define {{ NAMESPACE }}_INPUT_BYTES {{ input.bytes }}
#define {{ NAMESPACE }}_INPUT_SCALE {{ input.scale }}f
#define {{ NAMESPACE }}_INPUT_ZERO_POINT ({{ input.zero_point }})

#define {{ NAMESPACE }}_OUTPUT_BYTES {{ output.bytes }}
#define {{ NAMESPACE }}_OUTPUT_SCALE {{ output.scale }}f
#define {{ NAMESPACE }}_OUTPUT_ZERO_POINT ({{ output.zero_point }})

#define {{ NAMESPACE }}_ARENA_BYTES {{ arena_bytes }} /* RAM: all tensors and scratch */
#define {{ NAMESPACE }}_CONSTANT_BYTES {{ constant_bytes }} /* flash: weights, channels and tables */
#define {{ NAMESPACE }}_LAYERS {{ layers | length }}
#define {{ NAMESPACE }}_MACS {{ macs }}

/* Where the caller writes the input before each run. A run may overwrite it. */
int8_t *{{ namespace }}_input(void *arena);

/* Where a run leaves the output, until the next input is written. */
const int8_t *{{ namespace }}_output(const void *arena);

/* One inference in `arena`: {{ NAMESPACE }}_ARENA_BYTES bytes, aligned to 8. */
kbc_status {{ namespace }}_invoke(void *arena);

#ifdef __cplusplus
}
#endif

#endif /* {{ NAMESPACE }}_H */
