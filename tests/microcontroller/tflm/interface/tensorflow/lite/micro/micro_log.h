/* Where TensorFlow Lite Micro's messages go.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INTERFACE_MICRO_LOG_H
#define INTERFACE_MICRO_LOG_H

#include <stdarg.h>

void MicroPrintf(const char *format, ...);
void VMicroPrintf(const char *format, va_list arguments);

#endif /* INTERFACE_MICRO_LOG_H */
