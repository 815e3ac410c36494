/*
 * Tape -> Lua values: tables of exact sizes, short strings from a bounded cache.
 */
#ifndef AMP_LUA_BUILD_H
#define AMP_LUA_BUILD_H

#include "json_scan.h"
#include "lua_compat.h"
#include "lua_shape.h"

#ifdef __GNUC__
#pragma GCC visibility push(hidden) /* also where the build gives no flags */
#endif

enum { AMP_PLACES = 2048 };

/* Short strings that came lately. A place gets a slot at its first use, and slots are given out in
 * turn: memory is touched as strings come. Slot i is anchored at i in a Lua table, so the texts
 * stay; slot 0 is unused. */
struct amp_strings {
    uint16_t place[AMP_PLACES];
    uint16_t used;
    uint32_t missed[AMP_PLACES]; /* the hash of the last string that was not in the place */
    struct amp_key slot[AMP_PLACES + 1];
    struct amp_shapes shapes; /* anchored in the table at 0 of the Lua table */
};

void amp_strings_init(struct amp_strings *strings);

/* What a build needs in addition to the tape; the last two are its own, 0 before it begins. */
struct amp_builder {
    struct amp_scan *scan;
    size_t first; /* the node that is built first: 1 of a part */
    struct amp_strings *strings;
    int anchors;    /* stack index of the strings' table */
    int array_mt;   /* stack index of the metatable of arrays */
    char **scratch; /* for strings with escapes; owned by a userdata */
    size_t *scratch_room;
    int shapes;             /* stack index of the table of constructors; 0: none are used */
    size_t depth;           /* tables that are open, on the Lua stack with their keys */
    struct amp_frame frame; /* of the innermost one; index 0: it is an object */
};

/* Pushes the value that the scan has recorded; of a part of a value, the tables that go on stay on
 * the stack. Returns false, nothing pushed, when this Lua's stack is too small. */
bool amp_build(lua_State *L, struct amp_builder *builder);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
