/* SPDX-License-Identifier: Apache-2.0 */
#include "flexbuffers.h"

#include <string.h>

enum { TYPE_INT = 1, TYPE_UINT = 2, TYPE_STRING = 5, TYPE_INDIRECT_INT = 6, TYPE_INDIRECT_UINT = 7 };
enum { TYPE_MAP = 9 };

/* A packed type: the type above the width of what it refers to, as a power of two. */
static int type_of(uint8_t packed)
{
    return packed >> 2;
}

static size_t width_of(uint8_t packed)
{
    return (size_t)1 << (packed & 3);
}

static bool read_unsigned(const kbc_flexbuffers_map *map, size_t at, size_t width, uint64_t *value)
{
    if (at > map->size || width > map->size - at) {
        return false;
    }
    *value = 0;
    for (size_t i = 0; i < width; ++i) {
        *value |= (uint64_t)map->bytes[at + i] << (8 * i);
    }
    return true;
}

static bool read_signed(const kbc_flexbuffers_map *map, size_t at, size_t width, int64_t *value)
{
    uint64_t bits;

    if (!read_unsigned(map, at, width, &bits)) {
        return false;
    }
    const uint64_t sign = (uint64_t)1 << (8 * width - 1);
    *value = (int64_t)((bits ^ sign) - sign);
    return true;
}

/* The place that the reference at `at` refers to. */
static bool follow(const kbc_flexbuffers_map *map, size_t at, size_t width, size_t *target)
{
    uint64_t distance;

    if (!read_unsigned(map, at, width, &distance) || distance > at) {
        return false;
    }
    *target = at - (size_t)distance;
    return true;
}

/* Before its values a map has, each `width` wide: the reference to its keys, the width of a key,
 * and the count. After its values stands a packed type for each. */
bool kbc_flexbuffers_open(kbc_flexbuffers_map *map, const uint8_t *bytes, size_t size)
{
    uint64_t key_width, count;

    *map = (kbc_flexbuffers_map){.bytes = bytes, .size = size};
    if (bytes == NULL || size < 3) {
        return false;
    }
    const size_t root_width = bytes[size - 1];
    const uint8_t packed = bytes[size - 2];
    if (root_width == 0 || root_width > 8 || root_width > size - 2 || type_of(packed) != TYPE_MAP) {
        return false;
    }
    map->width = width_of(packed);
    if (!follow(map, size - 2 - root_width, root_width, &map->values) ||
        map->values < 3 * map->width ||
        !follow(map, map->values - 3 * map->width, map->width, &map->keys) ||
        !read_unsigned(map, map->values - 2 * map->width, map->width, &key_width) ||
        !read_unsigned(map, map->values - map->width, map->width, &count)) {
        return false;
    }
    if ((key_width != 1 && key_width != 2 && key_width != 4 && key_width != 8) ||
        count > (size - map->values) / (map->width + 1)) {
        return false;
    }
    map->key_width = (size_t)key_width;
    map->count = (size_t)count;
    return true;
}

/* True where `text` and its final 0 stand at `at`. */
static bool has_text(const kbc_flexbuffers_map *map, size_t at, const char *text)
{
    const size_t size = strlen(text) + 1;

    return at <= map->size && size <= map->size - at && memcmp(map->bytes + at, text, size) == 0;
}

static bool find(const kbc_flexbuffers_map *map, const char *key, size_t *value, uint8_t *packed)
{
    for (size_t i = 0; i < map->count; ++i) {
        size_t name;

        if (follow(map, map->keys + i * map->key_width, map->key_width, &name) &&
            has_text(map, name, key)) {
            *value = map->values + i * map->width;
            *packed = map->bytes[map->values + map->count * map->width + i];
            return true;
        }
    }
    return false;
}

bool kbc_flexbuffers_has(const kbc_flexbuffers_map *map, const char *key)
{
    size_t value;
    uint8_t packed;

    return find(map, key, &value, &packed);
}

bool kbc_flexbuffers_int(const kbc_flexbuffers_map *map, const char *key, int64_t *value)
{
    size_t at, target;
    uint8_t packed;

    if (!find(map, key, &at, &packed)) {
        return false;
    }
    switch (type_of(packed)) {
    case TYPE_INT:
        return read_signed(map, at, map->width, value);
    case TYPE_UINT:
        return read_unsigned(map, at, map->width, (uint64_t *)value) && *value >= 0;
    case TYPE_INDIRECT_INT:
        return follow(map, at, map->width, &target) &&
               read_signed(map, target, width_of(packed), value);
    case TYPE_INDIRECT_UINT:
        return follow(map, at, map->width, &target) &&
               read_unsigned(map, target, width_of(packed), (uint64_t *)value) && *value >= 0;
    default:
        return false;
    }
}

bool kbc_flexbuffers_equals(const kbc_flexbuffers_map *map, const char *key, const char *expected)
{
    size_t at, target;
    uint8_t packed;

    return find(map, key, &at, &packed) && type_of(packed) == TYPE_STRING &&
           follow(map, at, map->width, &target) && has_text(map, target, expected);
}
