/* {{ title }}: written by keras_bc from a .tflite file, see {{ namespace }}.h. */
#include "{{ namespace }}.h"

#include "kbc/kbc.h"

{% if const_in_flash %}
#ifndef KBC_IN_FLASH
#error "Exported with --const-in-flash, but kbc_port.h does not know how to keep constants in this chip's flash: export without it, or define KBC_IN_FLASH."
#define KBC_IN_FLASH /* no more errors than that one */
#endif

{% endif %}
/* Where each tensor begins in the arena. Those that are never needed together share bytes. */
enum {
{% for input in inputs %}
    {{ input.id }}_offset = {{ input.offset }},
{% endfor %}
{% for layer in layers %}
    {{ layer.id }}_output_offset = {{ layer.output_offset }},
{% endfor %}
{% for step in steps if step.scratch_offset is not none %}
    {{ step.scratch }} = {{ step.scratch_offset }},
{% endfor %}
};
{% for layer in layers %}

/* {{ loop.index0 }}: {{ layer.description }}
 *    {{ layer.shapes }}, {{ layer.macs }} MACs, {{ layer.constant_bytes }} bytes of constants */
{% for constant in layer.constants %}
static const {{ flash }} {{ constant.type }} {{ layer.id }}_{{ constant.field }}[{{ constant.length }}] = {
{{ constant.text }}
};
{% endfor %}
{% for params in layer.params %}
static const {{ flash ~ " " if const_in_flash }}{{ layer.struct }} {{ params.name }} = {
{{ params.text }}
};
{% endfor %}
{% endfor %}

{% for input in inputs %}
int8_t *{{ namespace }}_{{ input.id }}(void *arena)
{
    return (int8_t *)arena + {{ input.symbol }};
}

{% endfor %}
{% for output in outputs %}
const int8_t *{{ namespace }}_{{ output.id }}(const void *arena)
{
    return (const int8_t *)arena + {{ output.symbol }};
}

{% endfor %}
kbc_status {{ namespace }}_invoke(void *arena)
{
    int8_t *const memory = (int8_t *)arena;
    kbc_status status;
{% for step in steps %}
{% for call in step.calls %}

    status = {{ call }}
    if (status != KBC_OK) {
        return status;
    }
{% endfor %}
    KBC_LAYER_DONE({{ loop.index0 }}, memory + {{ step.output }}, {{ step.output_bytes }});
{% endfor %}

    return KBC_OK;
}
