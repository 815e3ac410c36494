#include "lua_shape.h"

#include <stddef.h>
#include <string.h>

enum { SIGHTINGS = 16, MOST_NODES = 512 };

bool amp_push_shapes(lua_State *L)
{
    bool pays = false;
    lua_newtable(L);
    lua_getglobal(L, "load");
    lua_getglobal(L, "jit");
    if (lua_isfunction(L, -2) && lua_istable(L, -1)) {
        lua_getfield(L, -1, "status");
        if (lua_isfunction(L, -1)) {
            lua_call(L, 0, 1);
            pays = lua_toboolean(L, -1);
        }
        lua_getfield(L, -2, "off");
        lua_rawseti(L, -5, 0);
        lua_pop(L, 1);
    }
    lua_pop(L, pays ? 2 : 3);
    return pays;
}

/* The object's names. Returns false for those that no shape can have. */
static bool read_names(struct amp_shape *shape, const struct amp_node *object,
                       const struct amp_node *end)
{
    size_t depth = 0;
    shape->count = 0;
    shape->hash = 0;
    if (end - object > MOST_NODES)
        return false;
    for (const struct amp_node *node = object + 1; node < end; node++) {
        if (node->kind == AMP_OBJECT || node->kind == AMP_ARRAY)
            depth++;
        else if (node->kind == AMP_END)
            depth--;
        else if (depth == 0 && node->kind == AMP_ESCAPED_KEY)
            return false;
        else if (depth == 0 && node->kind == AMP_KEY) {
            if (shape->count == AMP_SHAPE_NAMES)
                return false;
            struct amp_key *name = &shape->name[shape->count++];
            *name = amp_make_key(node->as.text, node->size);
            shape->hash = (shape->hash ^ amp_hash_key(name)) * 0x9e3779b97f4a7c15u;
        }
    }
    return shape->count > 2;
}

/* A shape with these names: names that come twice have none. */
static uint16_t find_shape(const struct amp_shapes *shapes, uint64_t hash)
{
    for (uint16_t i = 1; i <= shapes->count; i++)
        if (shapes->shape[i]->hash == hash)
            return i;
    return 0;
}

static bool names_differ(const struct amp_shape *shape)
{
    for (uint32_t i = 0; i < shape->count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (amp_is_key(&shape->name[i], &shape->name[j]))
                return false;
    return true;
}

static void add_list(luaL_Buffer *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        luaL_addchar(b, i ? ',' : '(');
        luaL_addchar(b, 'v');
        luaL_addchar(b, (char)('0' + i / 10));
        luaL_addchar(b, (char)('0' + i % 10));
    }
    luaL_addchar(b, ')');
}

/* As three decimal digits each, bytes mean the same to every parser of Lua. */
static void add_escaped(luaL_Buffer *b, const struct amp_key *name)
{
    luaL_addchar(b, '"');
    for (size_t i = 0; i < name->size; i++) {
        unsigned char c = (unsigned char)name->text[i];
        luaL_addchar(b, '\\');
        luaL_addchar(b, (char)('0' + c / 100));
        luaL_addchar(b, (char)('0' + c / 10 % 10));
        luaL_addchar(b, (char)('0' + c % 10));
    }
    luaL_addchar(b, '"');
}

/* Pushes return function(v00,v01) return{["\105\100"]=v00,…}end as a function, or nothing. Called
 * from C it cannot become part of a trace: the compiler is kept from trying again and again. */
static bool push_constructor(lua_State *L, int anchors, const struct amp_shape *shape)
{
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    luaL_addstring(&b, "return function");
    add_list(&b, shape->count);
    luaL_addstring(&b, "return{");
    for (uint32_t i = 0; i < shape->count; i++) {
        luaL_addchar(&b, '[');
        add_escaped(&b, &shape->name[i]);
        luaL_addstring(&b, "]=v");
        luaL_addchar(&b, (char)('0' + i / 10));
        luaL_addchar(&b, (char)('0' + i % 10));
        luaL_addchar(&b, ',');
    }
    luaL_addstring(&b, "}end");
    luaL_pushresult(&b);
    size_t size;
    const char *source = lua_tolstring(L, -1, &size);
    int failed = luaL_loadbuffer(L, source, size, "=ampersand.shape");
    lua_remove(L, -2);
    if (failed) {
        lua_pop(L, 1);
        return false;
    }
    lua_call(L, 0, 1);
    lua_rawgeti(L, anchors, 0); /* jit.off */
    lua_pushvalue(L, -2);
    lua_call(L, 1, 0);
    return true;
}

/* The names' texts move behind the shape in its userdata, which is pushed. */
static struct amp_shape *push_copy(lua_State *L, const struct amp_shape *shape)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < shape->count; i++)
        bytes += shape->name[i].size;
    struct amp_shape *copy = (struct amp_shape *)lua_newuserdata(L, sizeof *copy + bytes);
    char *text = (char *)(copy + 1);
    *copy = *shape;
    for (uint32_t i = 0; i < shape->count; i++) {
        memcpy(text, shape->name[i].text, shape->name[i].size);
        copy->name[i].text = text;
        text += shape->name[i].size;
    }
    return copy;
}

/* Returns the new shape's number, or 0. What may raise comes first. */
static uint16_t compile(lua_State *L, struct amp_shapes *shapes, int anchors,
                        const struct amp_shape *shape)
{
    if (shapes->count == AMP_SHAPES || !names_differ(shape) || !push_constructor(L, anchors, shape))
        return 0;
    struct amp_shape *copy = push_copy(L, shape);
    if (shapes->count == AMP_SHAPES) { /* filled meanwhile, by a finalizer or a hook */
        lua_pop(L, 2);
        return 0;
    }
    uint16_t id = (uint16_t)(shapes->count + 1);
    lua_rawseti(L, anchors, -(int)id);
    lua_rawseti(L, anchors, id);
    shapes->shape[id] = copy;
    return shapes->count = id;
}

void amp_learn_shape(lua_State *L, struct amp_shapes *shapes, int anchors,
                     const struct amp_node *object, const struct amp_node *end, uint32_t guess)
{
    struct amp_shape shape;
    amp_count_miss(shapes, guess, 1);
    if (!read_names(&shape, object, end))
        return;
    struct amp_candidate *candidate = &shapes->candidate[shape.hash >> 56];
    if (candidate->hash != shape.hash) {
        candidate->hash = shape.hash;
        candidate->sightings = 0;
        candidate->shape = find_shape(shapes, shape.hash);
    }
    if (!candidate->shape && ++candidate->sightings == SIGHTINGS && amp_reserve_stack(L, 16)) {
        uint16_t id = compile(L, shapes, anchors, &shape);
        if (candidate->hash == shape.hash)
            candidate->shape = id;
    }
    shapes->guess[guess] = candidate->shape;
    if (candidate->shape)
        shapes->misses[guess] /= 2;
}
