/* {{ title }}: {% for x in inputs %}{{ x.shape }}{{ ", " if not loop.last }}{% endfor %} -> {% for y in outputs %}{{ y.shape }}{{ ", " if not loop.last }}{% endfor %}, {{ macs }} multiply-accumulates.
 *
 * Written by keras_bc from a .tflite file. Run it like this:
 *
 *     static union { uint64_t align; uint8_t bytes[{{ NAMESPACE }}_ARENA_BYTES]; } arena;
 *
{% for input in inputs %}
 *     for (int i = 0; i < {{ NAMESPACE }}_{{ input.ID }}_BYTES; ++i)
 *         {{ namespace }}_{{ input.id }}(&arena)[i] = {{ NAMESPACE }}_{{ input.ID }}_QUANTIZE({{ input.id }}[i]);
{% endfor %}
 *     if ({{ namespace }}_invoke(&arena) == KBC_OK) {
{% for output in outputs %}
 *         for (int i = 0; i < {{ NAMESPACE }}_{{ output.ID }}_BYTES; ++i)
 *             {{ output.id }}[i] = {{ NAMESPACE }}_{{ output.ID }}_DEQUANTIZE({{ namespace }}_{{ output.id }}(&arena)[i]);
{% endfor %}
 *     }
 *
 * Inputs and outputs are int8, each contiguous, its last axis the fastest; the first axis is the
 * batch of 1. What a layer reads as single bits is packed inside, never by the caller.
 *
{% for end in inputs + outputs %}
 * {{ end.title }}: int8 {{ end.shape }}{{ end.layout }}, real = {{ end.real }}
{% endfor %}
 *
 * RAM: the arena's {{ arena_bytes }} bytes, and a stack.
 * Flash: {{ constant_bytes }} bytes of constants, the layers' parameters, and the kernels.
 * Each layer's multiply-accumulates and bytes of constants are in {{ namespace }}.c.
 */
#ifndef {{ NAMESPACE }}_H
#define {{ NAMESPACE }}_H

#include "kbc/kbc.h"

#ifdef __cplusplus
extern "C" {
#endif

{% for end in inputs + outputs %}
#define {{ NAMESPACE }}_{{ end.ID }}_BYTES {{ end.bytes }}
#define {{ NAMESPACE }}_{{ end.ID }}_SCALE {{ end.scale }}f
#define {{ NAMESPACE }}_{{ end.ID }}_ZERO_POINT ({{ end.zero_point }})
{% if loop.index0 < inputs | length %}
/* int8 of a real number, halves rounded away from zero, saturated: as the host quantizes it. */
#define {{ NAMESPACE }}_{{ end.ID }}_QUANTIZE(real) \
    kbc_quantize((real), {{ NAMESPACE }}_{{ end.ID }}_SCALE, {{ NAMESPACE }}_{{ end.ID }}_ZERO_POINT)
{% else %}
/* The float that an int8 stands for. */
#define {{ NAMESPACE }}_{{ end.ID }}_DEQUANTIZE(q) \
    kbc_dequantize((q), {{ NAMESPACE }}_{{ end.ID }}_SCALE, {{ NAMESPACE }}_{{ end.ID }}_ZERO_POINT)
{% endif %}

{% endfor %}
/* For programs that do not know the model: X(function, bytes) of each input, of each output. */
#define {{ NAMESPACE }}_INPUTS(X){% for end in inputs %} X({{ namespace }}_{{ end.id }}, {{ NAMESPACE }}_{{ end.ID }}_BYTES){% endfor %}

#define {{ NAMESPACE }}_OUTPUTS(X){% for end in outputs %} X({{ namespace }}_{{ end.id }}, {{ NAMESPACE }}_{{ end.ID }}_BYTES){% endfor %}


#define {{ NAMESPACE }}_ARENA_BYTES {{ arena_bytes }} /* RAM: all tensors and scratch */
#define {{ NAMESPACE }}_CONSTANT_BYTES {{ constant_bytes }} /* flash: weights, channels and tables */
#define {{ NAMESPACE }}_LAYERS {{ steps | length }} /* calls of KBC_LAYER_DONE */
#define {{ NAMESPACE }}_MACS {{ macs }} /* multiply-accumulates of one inference */

/* Where the caller writes {{ "the input" if inputs | length == 1 else "each input" }} before each run. A run may overwrite it. */
{% for input in inputs %}
int8_t *{{ namespace }}_{{ input.id }}(void *arena);
{% endfor %}

/* Where a run leaves {{ "the output" if outputs | length == 1 else "each output" }}, until the next input is written. */
{% for output in outputs %}
const int8_t *{{ namespace }}_{{ output.id }}(const void *arena);
{% endfor %}

/* One inference in `arena`: {{ NAMESPACE }}_ARENA_BYTES bytes, aligned to 8. */
kbc_status {{ namespace }}_invoke(void *arena);

#ifdef __cplusplus
}
#endif

#endif /* {{ NAMESPACE }}_H */
