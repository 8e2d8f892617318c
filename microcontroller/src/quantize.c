/* Between real numbers and a model's int8 inputs and outputs.
 *
 *     q = clamp(round(real / scale) + zero_point),    real = scale * (q - zero_point)
 *
 * with halves away from zero, in single precision: the integers that keras_bc.deploy.interpreter
 * makes of the same numbers. It needs no library: a float of this size keeps its integer part.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "kbc/kbc.h"

enum { FAR = 512 }; /* steps from zero beyond which the result is an end, whatever the zero point */

int8_t kbc_quantize(float real, float scale, int32_t zero_point)
{
    float steps = real / scale;
    int32_t q;

    steps = steps > -(float)FAR ? steps : -(float)FAR; /* and so is what is no number */
    steps = steps < (float)FAR ? steps : (float)FAR;
    q = (int32_t)(steps < 0.0f ? steps - 0.5f : steps + 0.5f) + zero_point;
    return (int8_t)(q < -128 ? -128 : q > 127 ? 127 : q);
}

float kbc_dequantize(int8_t q, float scale, int32_t zero_point)
{
    return scale * (float)(q - zero_point);
}
