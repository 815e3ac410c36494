#include "lua_build.h"

#include <stddef.h>
#include <string.h>

#include "json_bytes.h"

/* --- strings --------------------------------------------------------------------------------- */

void amp_strings_init(struct amp_strings *strings)
{
    memset(strings, 0, offsetof(struct amp_strings, slot) + sizeof strings->slot[0]);
    memset(&strings->shapes, 0, sizeof strings->shapes);
}

static void push_new_string(lua_State *L, const struct amp_builder *b, struct amp_key *key,
                            size_t place)
{
    struct amp_strings *strings = b->strings;
    lua_pushlstring(L, key->text, key->size);
    /* A finalizer may have decoded meanwhile: what was read from the slots no longer counts. */
    uint16_t slot = strings->place[place] ? strings->place[place] : (uint16_t)(strings->used + 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, b->anchors, slot);
    key->text = lua_tostring(L, -1);
    strings->slot[slot] = *key;
    strings->place[place] = slot;
    if (slot > strings->used)
        strings->used = slot;
}

/* Keys, enumerations, references to other objects and times repeat: what comes twice in turn takes
 * its place. */
AMP_INLINE void push_string(lua_State *L, const struct amp_builder *b, const char *text,
                            size_t size)
{
    enum { LONGEST = 40 };
    struct amp_strings *strings = b->strings;
    if (size > LONGEST) {
        lua_pushlstring(L, text, size);
        return;
    }
    struct amp_key key = amp_make_key(text, size);
    uint64_t hash = amp_hash_key(&key);
    size_t place = hash / (UINT64_MAX / AMP_PLACES + 1);
    if (amp_is_key(&strings->slot[strings->place[place]], &key)) {
        lua_rawgeti(L, b->anchors, strings->place[place]);
    } else if (strings->missed[place] == (uint32_t)hash) {
        push_new_string(L, b, &key, place);
    } else {
        strings->missed[place] = (uint32_t)hash;
        lua_pushlstring(L, text, size);
    }
}

/* LuaJIT looks at a few bytes of a string to hash it: another cache before that one pays for keys
 * alone. */
static void push_value_string(lua_State *L, const struct amp_builder *b, const char *text,
                              size_t size)
{
    if (LUA_VERSION_NUM >= 502)
        push_string(L, b, text, size);
    else
        lua_pushlstring(L, text, size);
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
        push_value_string(L, b, node->as.text, node->size);
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

/* --- shapes ---------------------------------------------------------------------------------- */

/* How many slots the tables that may be open at once need from `depth` on: a table and a key each,
 * and what is pushed meanwhile. */
static size_t slots_from(const struct amp_builder *b, size_t depth)
{
    size_t deepest = b->scan->deepest;
    return 2 * (deepest > depth ? deepest - depth : 0) + 8;
}

/* An object begins: pushes the constructor of the shape that was here before. The values will be
 * its arguments. Returns false when there is none. */
static bool open_shape(lua_State *L, const struct amp_builder *b, const struct amp_node *node,
                       struct amp_frame *frame, size_t depth)
{
    const struct amp_shapes *shapes = &b->strings->shapes;
    frame->guess = (uint16_t)((frame->place * 31 + node->size) % AMP_GUESSES);
    frame->shape = shapes->guess[frame->guess];
    if (!frame->shape)
        return false;
    if (shapes->shape[frame->shape]->count != node->size ||
        shapes->misses[frame->guess] >= AMP_MANY_MISSES ||
        !lua_checkstack(L, (int)(node->size + 1 + slots_from(b, depth)))) {
        frame->shape = 0;
        return false;
    }
    lua_rawgeti(L, b->shapes, frame->shape);
    return true;
}

/* The object is not of the shape: what was to be arguments goes into a table. */
static void leave_shape(lua_State *L, const struct amp_builder *b, struct amp_frame *frame)
{
    const struct amp_shape *shape = b->strings->shapes.shape[frame->shape];
    int count = (int)frame->index, function = lua_gettop(L) - count;
    lua_createtable(L, 0, (int)shape->count);
    for (int i = 0; i < count; i++) {
        if (lua_isnil(L, function + 1 + i))
            continue;
        lua_pushlstring(L, shape->name[i].text, shape->name[i].size);
        lua_pushvalue(L, function + 1 + i);
        lua_rawset(L, -3);
    }
    lua_replace(L, function);
    lua_settop(L, function);
    amp_count_miss(&b->strings->shapes, frame->guess, 8);
    frame->shape = 0;
    frame->index = 0;
}

/* Whether the key is the next one of the shape; if not, the shape is left. */
static bool take_name(lua_State *L, const struct amp_builder *b, struct amp_frame *frame,
                      const struct amp_node *node)
{
    const struct amp_shape *shape = b->strings->shapes.shape[frame->shape];
    if (node->kind == AMP_KEY && frame->index < shape->count) {
        struct amp_key key = amp_make_key(node->as.text, node->size);
        if (amp_is_key(&shape->name[frame->index], &key)) {
            frame->index++;
            return true;
        }
    }
    leave_shape(L, b, frame);
    return false;
}

/* An object ends. */
static void close_object(lua_State *L, const struct amp_builder *b, struct amp_frame *frame,
                         const struct amp_node *node)
{
    struct amp_shapes *shapes = &b->strings->shapes;
    if (frame->shape) {
        if (frame->index == shapes->shape[frame->shape]->count) {
            lua_call(L, (int)frame->index, 1);
            shapes->misses[frame->guess] -= shapes->misses[frame->guess] > 0;
            return;
        }
        leave_shape(L, b, frame);
    }
    if (frame->start && amp_may_learn(shapes, frame->guess))
        amp_learn_shape(L, shapes, b->shapes, b->scan->node + frame->start - 1, node, frame->guess);
}

/* Where the next value stands: at a name of a shape, or anywhere in another table. */
static inline uint32_t place_of_value(const struct amp_frame *frame)
{
    return frame->shape ? (uint32_t)frame->shape * AMP_SHAPE_NAMES + frame->index
                        : frame->place + 7919;
}

/* --- tables ---------------------------------------------------------------------------------- */

/* The value on top is complete: into the table below it. `index` is the array's next one, 0 in an
 * object. */
static inline uint32_t store(lua_State *L, uint32_t index)
{
    if (index) {
        lua_rawseti(L, -2, (int)index);
        return index + 1;
    }
    lua_rawset(L, -3);
    return 0;
}

/* A new table, of the size on the tape. */
static void open_table(lua_State *L, const struct amp_builder *b, const struct amp_node *node)
{
    int size = node->size > INT32_MAX ? INT32_MAX : (int)node->size;
    if (node->kind == AMP_OBJECT) {
        lua_createtable(L, 0, size);
        return;
    }
    lua_createtable(L, size, 0);
    lua_pushvalue(L, b->array_mt);
    lua_setmetatable(L, -2);
}

/* Goes on with the value at `node`, up to its end or the tape's. */
static void build(lua_State *L, struct amp_builder *b, const struct amp_node *node)
{
    struct amp_level *outer = b->scan->open;
    struct amp_frame frame = b->frame;
    const bool shapes = AMP_HAS_SHAPES && b->shapes;
    size_t depth = b->depth;
    for (;; node++) {
        switch (node->kind) {
        case AMP_KEY:
            if (shapes && frame.shape && take_name(L, b, &frame, node))
                continue;
            push_string(L, b, node->as.text, node->size);
            continue;
        case AMP_ESCAPED_KEY:
            if (shapes && frame.shape)
                leave_shape(L, b, &frame);
            push_escaped(L, b, node);
            continue;
        case AMP_ABSENT:
            if (shapes && frame.shape)
                lua_pushnil(L);
            else
                remove_member(L);
            continue;
        case AMP_OBJECT:
        case AMP_ARRAY:
            outer[depth++].frame = frame;
            if (shapes) {
                frame.place = place_of_value(&frame);
                frame.shape = 0;
                frame.start = node->kind == AMP_OBJECT ? (uint32_t)(node - b->scan->node) + 1 : 0;
            }
            frame.index = node->kind == AMP_ARRAY;
            if (!shapes || frame.index || !open_shape(L, b, node, &frame, depth))
                open_table(L, b, node);
            continue;
        case AMP_END:
            if (shapes && (frame.shape || !frame.index))
                close_object(L, b, &frame, node);
            frame = outer[--depth].frame;
            break;
        case AMP_PAUSE:
            for (size_t i = 0; i < depth; i++)
                outer[i].frame.start = 0;
            b->depth = depth;
            b->frame = frame;
            b->frame.start = 0;
            return;
        default:
            push_scalar(L, b, node);
        }
        if (depth == 0)
            return;
        if (!shapes || !frame.shape)
            frame.index = store(L, frame.index);
    }
}

bool amp_build(lua_State *L, struct amp_builder *b)
{
    if (!amp_reserve_stack(L, slots_from(b, b->depth)))
        return false;
    build(L, b, b->scan->node + b->first);
    return true;
}
