/* Reading a FlexBuffers map of integers and strings from bytes that nobody has checked.
 *
 * The format (google.github.io/flatbuffers, "FlexBuffers"): values lie before what refers to them,
 * and a reference is an unsigned distance back. Every read is bounded; a damaged buffer has
 * missing keys, never more bytes than it has.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef KBC_FLEXBUFFERS_H
#define KBC_FLEXBUFFERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *bytes;
    size_t size;
    size_t values; /* where the vector of values begins */
    size_t count;
    size_t width; /* bytes of one value */
    size_t keys;  /* where the vector of keys begins */
    size_t key_width;
} kbc_flexbuffers_map;

/* False where the bytes are no FlexBuffers whose root is a map. They must outlive the map. */
bool kbc_flexbuffers_open(kbc_flexbuffers_map *map, const uint8_t *bytes, size_t size);

bool kbc_flexbuffers_has(const kbc_flexbuffers_map *map, const char *key);

/* False where the key is missing or its value is no integer. */
bool kbc_flexbuffers_int(const kbc_flexbuffers_map *map, const char *key, int64_t *value);

/* True where the key's value is a string and equals `expected`. */
bool kbc_flexbuffers_equals(const kbc_flexbuffers_map *map, const char *key,
                            const char *expected);

#endif /* KBC_FLEXBUFFERS_H */
