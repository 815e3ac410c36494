/*
 * Tape -> Lua values: tables of exact sizes, keys from a bounded cache.
 */
#ifndef AMP_JSON_DECODE_H
#define AMP_JSON_DECODE_H

#include "json_scan.h"
#include "lua_compat.h"

#ifdef __GNUC__
#pragma GCC visibility push(hidden) /* also where the build gives no flags */
#endif

enum {
    AMP_KEY_PLACES = 1024,
    AMP_VALUE_PLACES = 512,
    AMP_PLACES = AMP_KEY_PLACES + AMP_VALUE_PLACES
};

/* The first and the last bytes of a key: up to 16 bytes are told apart by them and the size alone.
 */
struct amp_key {
    uint64_t head, tail;
    size_t size;
    const char *text;
};

/* Strings lately used as keys, then short ones used as values. A place gets a slot at its first
 * use, and slots are given out in turn: memory is touched as strings come. Slot i is anchored at i
 * in a Lua table, so the texts stay; slot 0 is nobody's. */
struct amp_keys {
    uint16_t place[AMP_PLACES];
    uint16_t used;
    uint32_t missed[AMP_VALUE_PLACES]; /* the hash of the last value that was not in the place */
    struct amp_key slot[AMP_PLACES + 1];
};

void amp_keys_init(struct amp_keys *keys);

/* What a build needs beside the tape; the last two are its own, 0 before it begins. */
struct amp_builder {
    struct amp_scan *scan;
    struct amp_keys *keys;
    int anchors;    /* stack index of the keys' table */
    int array_mt;   /* stack index of the metatable of arrays */
    char **scratch; /* for strings with escapes; owned by a userdata */
    size_t *scratch_room;
    size_t depth;   /* tables that are open, on the Lua stack with their keys */
    uint32_t index; /* of the innermost one's next element; 0: it is an object */
};

/* Pushes the value that the scan has recorded. Returns false, nothing pushed, when this Lua's stack
 * is too small. */
bool amp_build(lua_State *L, struct amp_builder *builder);

/* The same with a part of a value; the tables that go on stay on the stack. */
bool amp_build_part(lua_State *L, struct amp_builder *builder);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
