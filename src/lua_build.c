#include "lua_build.h"

#include <stddef.h>
#include <string.h>

/* --- keys ------------------------------------------------------------------------------------ */

/* LuaJIT looks at a few bytes of a string to hash it: another cache before that one does not pay.
 */
enum { LONGEST_KEY = 64, LONGEST_VALUE = LUA_VERSION_NUM >= 502 ? 40 : 0 };

static inline struct amp_key make_key(const char *text, size_t size)
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

static inline uint64_t hash_key(const struct amp_key *key)
{
    return (key->head ^ (key->tail << 23 | key->tail >> 41) ^ key->size) * 0x9e3779b97f4a7c15u;
}

static inline bool is_key(const struct amp_key *slot, const struct amp_key *key)
{
    return slot->head == key->head && slot->tail == key->tail && slot->size == key->size &&
           slot->text && (key->size <= 16 || memcmp(slot->text, key->text, key->size) == 0);
}

void amp_keys_init(struct amp_keys *keys)
{
    memset(keys, 0, offsetof(struct amp_keys, slot) + sizeof keys->slot[0]);
}

static void push_new_key(lua_State *L, const struct amp_builder *b, struct amp_key *key,
                         size_t place)
{
    struct amp_keys *keys = b->keys;
    lua_pushlstring(L, key->text, key->size);
    /* A finalizer may have decoded meanwhile: what was read from the slots no longer counts. */
    uint16_t slot = keys->place[place] ? keys->place[place] : (uint16_t)(keys->used + 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, b->anchors, slot);
    key->text = lua_tostring(L, -1);
    keys->slot[slot] = *key;
    keys->place[place] = slot;
    if (slot > keys->used)
        keys->used = slot;
}

/* A key has two places; a stranger takes the second, so that a flood cannot evict both. */
static void push_key(lua_State *L, const struct amp_builder *b, const char *text, size_t size)
{
    const struct amp_keys *keys = b->keys;
    struct amp_key key = make_key(text, size);
    uint64_t hash = hash_key(&key);
    size_t first = hash >> 54, second = hash >> 44 & (AMP_KEY_PLACES - 1);
    if (is_key(&keys->slot[keys->place[first]], &key))
        lua_rawgeti(L, b->anchors, keys->place[first]);
    else if (is_key(&keys->slot[keys->place[second]], &key))
        lua_rawgeti(L, b->anchors, keys->place[second]);
    else if (size > LONGEST_KEY)
        lua_pushlstring(L, text, size);
    else
        push_new_key(L, b, &key, keys->place[first] ? second : first);
}

/* Enumerations, references to other objects and times repeat: whoever comes twice in turn takes the
 * place. */
static void push_string(lua_State *L, const struct amp_builder *b, const char *text, size_t size)
{
    struct amp_keys *keys = b->keys;
    if (size > LONGEST_VALUE) {
        lua_pushlstring(L, text, size);
        return;
    }
    struct amp_key key = make_key(text, size);
    uint64_t hash = hash_key(&key);
    size_t value = hash >> 55, place = AMP_KEY_PLACES + value;
    if (is_key(&keys->slot[keys->place[place]], &key)) {
        lua_rawgeti(L, b->anchors, keys->place[place]);
    } else if (keys->missed[value] == (uint32_t)hash) {
        push_new_key(L, b, &key, place);
    } else {
        keys->missed[value] = (uint32_t)hash;
        lua_pushlstring(L, text, size);
    }
}

/* --- strings with escapes -------------------------------------------------------------------- */

static const char *unescape(lua_State *L, const struct amp_builder *b, const struct amp_node *node,
                            size_t *size)
{
    if (*b->scratch_room < node->size) {
        void *grown = amp_grow(&b->scan->memory, *b->scratch, b->scratch_room, node->size, 1);
        if (!grown)
            luaL_error(L, "not enough memory");
        *b->scratch = (char *)grown;
    }
    *size = amp_unescape(*b->scratch, node->as.text, node->size);
    return *b->scratch;
}

static void push_escaped(lua_State *L, const struct amp_builder *b, const struct amp_node *node)
{
    size_t size;
    const char *text = unescape(L, b, node, &size);
    lua_pushlstring(L, text, size);
}

/* --- values ---------------------------------------------------------------------------------- */

/* The key on top has no value, not even an earlier one. */
static void remove_member(lua_State *L)
{
    lua_pushvalue(L, -1);
    lua_rawget(L, -3);
    bool was_there = !lua_isnil(L, -1);
    lua_pop(L, 1);
    if (was_there) {
        lua_pushnil(L);
        lua_rawset(L, -3);
    } else {
        lua_pop(L, 1);
    }
}

static void push_scalar(lua_State *L, const struct amp_builder *b, const struct amp_node *node)
{
    switch (node->kind) {
    case AMP_STRING:
        push_string(L, b, node->as.text, node->size);
        break;
    case AMP_ESCAPED_STRING:
        push_escaped(L, b, node);
        break;
    case AMP_INTEGER:
        amp_pushinteger(L, node->as.integer);
        break;
    case AMP_DOUBLE:
        lua_pushnumber(L, node->as.number);
        break;
    case AMP_NULL:
        lua_pushlightuserdata(L, NULL);
        break;
    default:
        lua_pushboolean(L, node->kind == AMP_TRUE);
    }
}

/* The value on top is complete: into the table below it. `index` is the array's next one, 0 in an
 * object. */
static uint32_t store(lua_State *L, uint32_t index)
{
    if (index) {
        lua_rawseti(L, -2, (int)index);
        return index + 1;
    }
    lua_rawset(L, -3);
    return 0;
}

/* A new table, of the size that the tape tells. Returns the index of its first element. */
static uint32_t open_table(lua_State *L, const struct amp_builder *b, const struct amp_node *node)
{
    int size = node->size > INT32_MAX ? INT32_MAX : (int)node->size;
    if (node->kind == AMP_OBJECT) {
        lua_createtable(L, 0, size);
        return 0;
    }
    lua_createtable(L, size, 0);
    lua_pushvalue(L, b->array_mt);
    lua_setmetatable(L, -2);
    return 1;
}

/* Goes on with the value at `node`, up to its end or the tape's. */
static void build(lua_State *L, struct amp_builder *b, const struct amp_node *node)
{
    struct amp_level *outer = b->scan->open;
    uint32_t index = b->index;
    size_t depth = b->depth;
    for (;; node++) {
        switch (node->kind) {
        case AMP_KEY:
            push_key(L, b, node->as.text, node->size);
            continue;
        case AMP_ESCAPED_KEY:
            push_escaped(L, b, node);
            continue;
        case AMP_ABSENT:
            remove_member(L);
            continue;
        case AMP_OBJECT:
        case AMP_ARRAY:
            outer[depth++].index = index;
            index = open_table(L, b, node);
            continue;
        case AMP_END:
            index = outer[--depth].index;
            break;
        case AMP_PAUSE:
            b->depth = depth;
            b->index = index;
            return;
        default:
            push_scalar(L, b, node);
        }
        if (depth == 0)
            return;
        index = store(L, index);
    }
}

/* Room for a table and a key at each new level, and what the steps above push. */
static bool reserve_levels(lua_State *L, const struct amp_builder *b)
{
    size_t deepest = b->scan->deepest;
    return amp_reserve_stack(L, 2 * (deepest > b->depth ? deepest - b->depth : 0) + 8);
}

bool amp_build(lua_State *L, struct amp_builder *b)
{
    if (!reserve_levels(L, b))
        return false;
    build(L, b, b->scan->node);
    return true;
}

bool amp_build_part(lua_State *L, struct amp_builder *b)
{
    if (!reserve_levels(L, b))
        return false;
    build(L, b, b->scan->node + 1);
    return true;
}
