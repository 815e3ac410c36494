/*
 * Shapes, for LuaJIT: objects with the same names in the same order are made by one function that
 * was compiled for them, a table constructor, in half the time that lua_rawset takes. The names
 * come from the network: they are written as escaped bytes, and only names seen often are compiled.
 *
 * A shape once compiled stays, so a build may hold its number; there are at most AMP_SHAPES.
 */
#ifndef AMP_LUA_SHAPE_H
#define AMP_LUA_SHAPE_H

#include <string.h>

#include "json_scan.h"
#include "lua_compat.h"

#ifdef __GNUC__
#pragma GCC visibility push(hidden) /* also where the build gives no flags */
#endif

/* A name; its first and last bytes and its size tell names of up to 16 bytes apart. */
struct amp_key {
    uint64_t head, tail;
    size_t size;
    const char *text;
};

static inline struct amp_key amp_make_key(const char *text, size_t size)
{
    struct amp_key key = {0, 0, size, text};
    uint32_t first, last;
    if (size >= 8) {
        memcpy(&key.head, text, 8);
        memcpy(&key.tail, text + size - 8, 8);
    } else if (size >= 4) {
        memcpy(&first, text, 4);
        memcpy(&last, text + size - 4, 4);
        key.head = first;
        key.tail = last;
    } else if (size) {
        key.head = (unsigned char)text[0] | (unsigned)(unsigned char)text[size / 2] << 8;
        key.tail = (unsigned char)text[size - 1];
    }
    return key;
}

static inline uint64_t amp_hash_key(const struct amp_key *key)
{
    return (key->head ^ (key->tail << 23 | key->tail >> 41) ^ key->size) * 0x9e3779b97f4a7c15u;
}

static inline bool amp_is_key(const struct amp_key *a, const struct amp_key *b)
{
    return a->head == b->head && a->tail == b->tail && a->size == b->size && a->text &&
           (b->size <= 16 || memcmp(a->text, b->text, b->size) == 0);
}

enum { AMP_SHAPES = 256, AMP_SHAPE_NAMES = 32, AMP_GUESSES = 1024, AMP_CANDIDATES = 256 };

struct amp_shape {
    uint64_t hash;
    uint32_t count;
    struct amp_key name[AMP_SHAPE_NAMES]; /* their texts follow the struct */
};

/* An object met before, by its names. */
struct amp_candidate {
    uint64_t hash;
    uint16_t sightings;
    uint16_t shape; /* 0: not compiled */
};

/* Owned by a userdata; zero bytes are an empty one. */
struct amp_shapes {
    bool enabled;
    uint16_t count;
    struct amp_shape *shape[AMP_SHAPES + 1]; /* from 1; anchored with their functions */
    uint16_t guess[AMP_GUESSES];             /* by where an object stands and its size */
    uint8_t misses[AMP_GUESSES];             /* objects that were of no shape or another, lately */
    uint32_t objects;
    struct amp_candidate candidate[AMP_CANDIDATES];
};

enum { AMP_MANY_MISSES = 16 };

/* Whether an object that stands there is worth a look: where names never repeat, one in 16 is. */
static inline bool amp_may_learn(struct amp_shapes *shapes, uint32_t guess)
{
    return shapes->misses[guess] < AMP_MANY_MISSES || shapes->objects++ % 16 == 0;
}

static inline void amp_count_miss(struct amp_shapes *shapes, uint32_t guess, int weight)
{
    if (shapes->misses[guess] < 2 * AMP_MANY_MISSES)
        shapes->misses[guess] = (uint8_t)(shapes->misses[guess] + weight);
}

/* Pushes the table of constructors where this Lua makes tables well by them: LuaJIT with its
 * compiler on, and `load`. Else pushes nothing and returns false. */
bool amp_push_shapes(lua_State *L);

/*
 * An object has been made from the nodes between its own and its end. Remembers its shape as what
 * will stand in place `guess`, and compiles it when it has been seen often. The table at stack
 * index `anchors` holds function i at i, what anchors
 * its names at -i, and jit.off at 0. May raise what calling a Lua function may.
 */
void amp_learn_shape(lua_State *L, struct amp_shapes *shapes, int anchors,
                     const struct amp_node *object, const struct amp_node *end, uint32_t guess);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
