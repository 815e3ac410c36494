/*
 * Bytes that one C module hands to another without making a Lua string.
 *
 * A userdata whose metatable is registered under AMP_BYTE_SOURCE begins with this
 * struct. peek() answers how many bytes wait and where they are; they stay valid
 * until consume(), which says how many of them were taken. ended() answers whether
 * all bytes came and were taken. None of them ever waits.
 */
#ifndef AMP_BYTE_SOURCE_H
#define AMP_BYTE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#define AMP_BYTE_SOURCE "ampersand.source/2" /* metatable name in the registry */

struct amp_byte_source {
    size_t (*peek)(struct amp_byte_source *, const char **bytes);
    void (*consume)(struct amp_byte_source *, size_t n);
    bool (*ended)(struct amp_byte_source *);
};

#endif
