/*
 * Lua values -> JSON text.
 */
#ifndef AMP_JSON_ENCODE_H
#define AMP_JSON_ENCODE_H

#include "json_scan.h"
#include "lua_compat.h"

#ifdef __GNUC__
#pragma GCC visibility push(hidden) /* also where the build gives no flags */
#endif

enum amp_shape { AMP_SHAPE_OBJECT, AMP_SHAPE_SORTED, AMP_SHAPE_ARRAY };

/* A table that is being written; it and its current key (or the table of its sorted keys) are on
 * the Lua stack. */
struct amp_encoder_level {
    enum amp_shape shape;
    const void *table; /* its address, against cycles */
    size_t index, length;
    const struct amp_sorted_key *sorted;
};

/* Member names as they were written before, `,"name":`. Within one call a string's address tells
 * it: the tables that are written hold it. */
enum { AMP_NAME_SLOTS = 256, AMP_NAME_BYTES = 32 };
struct amp_names {
    const char *text[AMP_NAME_SLOTS];
    unsigned char size[AMP_NAME_SLOTS];
    char bytes[AMP_NAME_SLOTS][AMP_NAME_BYTES];
};

struct amp_encoder {
    struct amp_memory memory;
    char *text;
    size_t used, room;
    struct amp_encoder_level *level;
    size_t depth, level_room, max_depth;
    size_t reserved; /* levels for which this Lua's stack has room */
    struct amp_names names;
    int base; /* stack index of the outermost table */
    int sort_keys;
    int array_mt; /* stack index of the metatable of arrays */
    int told;     /* and of the name under which other metatables tell a shape */
    int busy;
};

void amp_encoder_free(struct amp_encoder *encoder);

/*
 * Writes the value at stack index `value` to `encoder->text`. Returns 0 with a message pushed
 * when it cannot be said in JSON. Raises a Lua error when memory ends.
 */
int amp_encode(lua_State *L, struct amp_encoder *encoder, int value);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
