#include "json_encode.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json_bytes.h"
#include "json_number.h"

struct amp_sorted_key {
    const char *text;
    size_t size;
};

void amp_encoder_free(struct amp_encoder *e)
{
    amp_free(&e->memory, e->text, e->room, 1);
    amp_free(&e->memory, e->level, e->level_room, sizeof *e->level);
    e->text = NULL;
    e->level = NULL;
    e->room = e->level_room = 0;
}

/* --- bytes ----------------------------------------------------------------------------------- */

static void grow(lua_State *L, struct amp_encoder *e, size_t size)
{
    void *grown = amp_grow(&e->memory, e->text, &e->room, e->used + size, 1);
    if (!grown)
        luaL_error(L, "not enough memory");
    e->text = (char *)grown;
}

static inline void reserve(lua_State *L, struct amp_encoder *e, size_t size)
{
    if (e->room - e->used < size)
        grow(L, e, size);
}

static inline void put(lua_State *L, struct amp_encoder *e, const char *bytes, size_t size)
{
    reserve(L, e, size);
    memcpy(e->text + e->used, bytes, size);
    e->used += size;
}

static inline void put_byte(lua_State *L, struct amp_encoder *e, char byte)
{
    reserve(L, e, 1);
    e->text[e->used++] = byte;
}

/* Not 0 when one of 16 bytes is not plain. */
AMP_INLINE uint64_t pair_not_plain(uint64_t a, uint64_t b)
{
#ifdef AMP_BIT_FOR_BYTE
    return (uint64_t)_mm_movemask_epi8(amp_compare_plain(_mm_set_epi64x((int64_t)b, (int64_t)a)));
#else
    return amp_not_plain_word(a) | amp_not_plain_word(b);
#endif
}

/* Copies fewer than 16 bytes, mostly as two words that overlap. Not 0 when one is not plain. */
AMP_INLINE uint64_t copy_short(char *out, const char *p, size_t size)
{
    uint32_t first, last;
    uint64_t found = 0;
    if (size >= 8) {
        memcpy(out, p, 8);
        memcpy(out + size - 8, p + size - 8, 8);
        return pair_not_plain(amp_load_word(p), amp_load_word(p + size - 8));
    }
    if (size >= 4) {
        memcpy(&first, p, 4);
        memcpy(&last, p + size - 4, 4);
        memcpy(out, &first, 4);
        memcpy(out + size - 4, &last, 4);
        uint64_t both = (uint64_t)first << 32 | last;
        return pair_not_plain(both, both);
    }
    for (size_t i = 0; i < size; i++) {
        out[i] = p[i];
        found |= (uint64_t)!amp_is_plain(p[i]);
    }
    return found;
}

AMP_INLINE uint64_t copy_block(char *out, const char *p)
{
#ifdef AMP_BIT_FOR_BYTE
    uint64_t found = amp_not_plain_16(p);
    memcpy(out, p, 16);
    return found;
#else
    return copy_short(out, p, 8) | copy_short(out + 8, p + 8, 8);
#endif
}

/* Copies the bytes and says whether all of them are plain. */
AMP_INLINE int copy_plain(char *out, const char *p, size_t size)
{
    uint64_t found = 0;
    if (size < 16)
        return !copy_short(out, p, size);
    for (size_t i = 0; i + 16 < size; i += 16)
        found |= copy_block(out + i, p + i);
    return !(found | copy_block(out + size - 16, p + size - 16));
}

/* --- what cannot be encoded ------------------------------------------------------------------ */

static int level_slot(const struct amp_encoder *e, size_t level)
{
    return e->base + 2 * (int)level;
}

static int is_name(const char *text, size_t size)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    return size && length == size && !(*text >= '0' && *text <= '9');
}

static void add_quoted(luaL_Buffer *b, const char *text, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    luaL_addstring(b, "[\"");
    for (const char *end = text + size; text < end; text++) {
        unsigned char c = (unsigned char)*text;
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            luaL_addchar(b, (char)c);
            continue;
        }
        luaL_addstring(b, "\\x");
        luaL_addchar(b, hex[c >> 4]);
        luaL_addchar(b, hex[c & 15]);
    }
    luaL_addstring(b, "\"]");
}

static void add_key(luaL_Buffer *b, const char *key, size_t size, int first)
{
    if (!is_name(key, size)) {
        add_quoted(b, key, size);
        return;
    }
    if (!first)
        luaL_addchar(b, '.');
    luaL_addstring(b, key);
}

static void add_index(luaL_Buffer *b, double index)
{
    char text[AMP_NUMBER_ROOM];
    luaL_addchar(b, '[');
    luaL_addlstring(b, text, amp_print_double(text, index));
    luaL_addchar(b, ']');
}

static void add_level(lua_State *L, luaL_Buffer *b, const struct amp_encoder *e, size_t i)
{
    const struct amp_encoder_level *level = &e->level[i];
    int key = level_slot(e, i) + 1;
    if (level->shape == AMP_SHAPE_ARRAY) {
        add_index(b, (double)level->index);
    } else if (level->shape == AMP_SHAPE_SORTED) {
        add_key(b, level->sorted[level->index - 1].text, level->sorted[level->index - 1].size,
                i == 0);
    } else if (lua_type(L, key) == LUA_TSTRING) {
        size_t size;
        const char *name = lua_tolstring(L, key, &size);
        add_key(b, name, size, i == 0);
    } else if (lua_type(L, key) == LUA_TNUMBER &&
               lua_tonumber(L, key) - lua_tonumber(L, key) == 0) {
        add_index(b, (double)lua_tonumber(L, key));
    } else {
        luaL_addstring(b, "[a ");
        luaL_addstring(b, luaL_typename(L, key));
        luaL_addchar(b, ']');
    }
}

/* Pushes "cannot encode WHAT at a.b[3]". Long paths are shown by their begin. */
static int refuse(lua_State *L, const struct amp_encoder *e, const char *what)
{
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    luaL_addstring(&b, "cannot encode ");
    luaL_addstring(&b, what);
    if (e->depth)
        luaL_addstring(&b, " at ");
    for (size_t i = 0; i < e->depth && i < 20; i++)
        add_level(L, &b, e, i);
    if (e->depth > 20)
        luaL_addstring(&b, "…");
    luaL_pushresult(&b);
    return 0;
}

/* --- strings --------------------------------------------------------------------------------- */

static void put_escape(lua_State *L, struct amp_encoder *e, char c)
{
    static const char letters[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt",
                      hex[] = "0123456789abcdef";
    const char *letter = c ? strchr(letters, c) : NULL;
    char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4 & 15], hex[c & 15]};
    if (letter) {
        escape[1] = names[letter - letters];
        put(L, e, escape, 2);
    } else {
        put(L, e, escape, 6);
    }
}

/* What stopped a run of plain bytes. Returns the byte after it, or NULL with a message. */
static const char *put_special(lua_State *L, struct amp_encoder *e, const char *p)
{
    if ((signed char)*p < 0) {
        const char *next = amp_scan_utf8(p);
        if (!next)
            return refuse(L, e, "a string that is not UTF-8"), (const char *)NULL;
        put(L, e, p, (size_t)(next - p));
        return next;
    }
    put_escape(L, e, *p);
    return p + 1;
}

/* A string's text piece by piece, with escapes. */
static int put_escaped(lua_State *L, struct amp_encoder *e, const char *p, const char *end)
{
    while (p < end) {
        const char *stop = amp_scan_plain(p, end);
        put(L, e, p, (size_t)(stop - p));
        p = stop < end ? put_special(L, e, stop) : stop;
        if (!p)
            return 0;
    }
    return 1;
}

/* The string in quotes, then `after` unless that is NUL. */
static inline int put_string(lua_State *L, struct amp_encoder *e, const char *text, size_t size,
                             char after)
{
    reserve(L, e, size + 3);
    char *out = e->text + e->used++;
    *out = '"';
    if (copy_plain(out + 1, text, size))
        e->used += size;
    else if (!put_escaped(L, e, text, text + size))
        return 0;
    reserve(L, e, 2);
    out = e->text + e->used;
    out[0] = '"';
    out[1] = after;
    e->used += after ? 2 : 1;
    return 1;
}

/* --- scalars --------------------------------------------------------------------------------- */

static int put_number(lua_State *L, struct amp_encoder *e)
{
    reserve(L, e, AMP_NUMBER_ROOM);
#if LUA_VERSION_NUM >= 503
    if (lua_isinteger(L, -1)) {
        e->used += amp_print_integer(e->text + e->used, (int64_t)lua_tointeger(L, -1));
        return 1;
    }
#endif
    double value = (double)lua_tonumber(L, -1);
    if (isnan(value) || isinf(value))
        return refuse(L, e,
                      isnan(value) ? "a number that is not a number (nan)" : "an infinite number");
    e->used += amp_print_double(e->text + e->used, value);
    return 1;
}

static int put_scalar(lua_State *L, struct amp_encoder *e, int type)
{
    size_t size;
    const char *text;
    switch (type) {
    case LUA_TSTRING:
        text = lua_tolstring(L, -1, &size);
        return put_string(L, e, text, size, '\0');
    case LUA_TNUMBER:
        return put_number(L, e);
    case LUA_TBOOLEAN:
        if (lua_toboolean(L, -1))
            put(L, e, "true", 4);
        else
            put(L, e, "false", 5);
        return 1;
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, -1) == NULL) {
            put(L, e, "null", 4);
            return 1;
        }
        break;
    case LUA_TNIL:
        return refuse(L, e, "nil");
    default:
        break;
    }
    lua_pushfstring(L, "a %s", luaL_typename(L, -1));
    return refuse(L, e, lua_tostring(L, -1));
}

/* --- tables ---------------------------------------------------------------------------------- */

/* What the metatable says: an array, an object, or -1 for nothing. */
static int told_shape(lua_State *L, const struct amp_encoder *e)
{
    int shape = -1;
    if (!lua_getmetatable(L, -1))
        return -1;
    if (lua_rawequal(L, -1, e->array_mt)) {
        lua_pop(L, 1);
        return AMP_SHAPE_ARRAY;
    }
    /* Not a new string: that may collect, and names would lose their addresses. */
    lua_pushvalue(L, e->told);
    lua_rawget(L, -2);
    if (lua_type(L, -1) == LUA_TSTRING)
        shape = strcmp(lua_tostring(L, -1), "array") == 0    ? AMP_SHAPE_ARRAY
                : strcmp(lua_tostring(L, -1), "object") == 0 ? AMP_SHAPE_OBJECT
                                                             : -1;
    lua_pop(L, 2);
    return shape;
}

static int is_index(lua_State *L, int slot, size_t length)
{
    if (lua_type(L, slot) != LUA_TNUMBER)
        return 0;
    lua_Number key = lua_tonumber(L, slot);
    return key >= 1 && key <= (lua_Number)length && key == floor((double)key);
}

/* Whether the keys of the table on top are 1 … length and nothing else. */
static int is_sequence(lua_State *L, size_t length)
{
    size_t count = 0;
    int table = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        if (!is_index(L, -1, length)) {
            lua_pop(L, 1);
            return 0;
        }
        count++;
    }
    return count == length;
}

static int compare_keys(const void *a, const void *b)
{
    const struct amp_sorted_key *left = (const struct amp_sorted_key *)a;
    const struct amp_sorted_key *right = (const struct amp_sorted_key *)b;
    size_t common = left->size < right->size ? left->size : right->size;
    int order = memcmp(left->text, right->text, common);
    return order ? order : left->size < right->size ? -1 : left->size > right->size;
}

static size_t count_members(lua_State *L, int table)
{
    size_t count = 0;
    lua_pushnil(L);
    for (; lua_next(L, table); lua_pop(L, 1))
        count++;
    return count;
}

/* Replaces the nil on top by a table that anchors the keys of the table below, sorted. */
static int sort_members(lua_State *L, struct amp_encoder *e, struct amp_encoder_level *level)
{
    int table = lua_gettop(L) - 1;
    size_t room = count_members(L, table), size = 0;
    lua_createtable(L, (int)room + 1, 0);
    lua_replace(L, table + 1);
    struct amp_sorted_key *sorted =
        (struct amp_sorted_key *)lua_newuserdata(L, (room + 1) * sizeof *sorted);
    lua_rawseti(L, table + 1, 1);
    level->sorted = sorted;
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING || size == room)
            return refuse(L, e, "a key that is no string");
        sorted[size].text = lua_tolstring(L, -1, &sorted[size].size);
        lua_pushvalue(L, -1);
        lua_rawseti(L, table + 1, (int)++size + 1);
    }
    qsort(sorted, size, sizeof *sorted, compare_keys);
    level->length = size;
    return 1;
}

/* Deep down a table is compared with the level of the last power of two alone: a cycle comes by
 * there sooner or later (Brent). */
static int is_cycle(const struct amp_encoder *e, const void *table)
{
    enum { FEW = 32 };
    size_t first = 0, last = e->depth;
    if (last > FEW) {
        for (first = FEW; first * 2 < e->depth; first *= 2) {
        }
        last = first + 1;
    }
    for (size_t i = first; i < last; i++)
        if (e->level[i].table == table)
            return 1;
    return 0;
}

static struct amp_encoder_level *new_level(lua_State *L, struct amp_encoder *e, const void *table)
{
    if (e->depth == e->level_room) {
        void *grown =
            amp_grow(&e->memory, e->level, &e->level_room, e->depth + 1, sizeof *e->level);
        if (!grown)
            luaL_error(L, "not enough memory");
        e->level = (struct amp_encoder_level *)grown;
    }
    struct amp_encoder_level *level = &e->level[e->depth];
    level->table = table;
    level->index = 0;
    return level;
}

static int choose_shape(lua_State *L, struct amp_encoder *e, struct amp_encoder_level *level)
{
    int shape = told_shape(L, e);
    level->length = shape == AMP_SHAPE_OBJECT ? 0 : lua_rawlen(L, -1);
    if (shape < 0) {
        shape = level->length ? AMP_SHAPE_ARRAY : AMP_SHAPE_OBJECT;
        if (level->length && !is_sequence(L, level->length))
            return refuse(L, e, "a table that is neither a sequence nor an object");
    }
    level->shape =
        shape == AMP_SHAPE_OBJECT && e->sort_keys ? AMP_SHAPE_SORTED : (enum amp_shape)shape;
    return 1;
}

/* Each level takes two slots; what writes the innermost one takes a few more. */
static int reserve_level(lua_State *L, struct amp_encoder *e)
{
    enum { LEVELS = 8 };
    if (e->depth < e->reserved)
        return 1;
    e->reserved = e->depth + LEVELS;
    return amp_reserve_stack(L, 2 * LEVELS + 16);
}

/* The table on top becomes the innermost level, with a nil above it as its first key. */
static int open_table(lua_State *L, struct amp_encoder *e)
{
    const void *table = lua_topointer(L, -1);
    if (is_cycle(e, table))
        return refuse(L, e, "a table inside of itself");
    if (e->depth >= e->max_depth)
        return refuse(L, e, "tables nested deeper than max_depth");
    if (!reserve_level(L, e))
        return refuse(L, e, "tables nested deeper than this Lua's stack allows");
    struct amp_encoder_level *level = new_level(L, e, table);
    if (!choose_shape(L, e, level))
        return 0;
    put_byte(L, e, level->shape == AMP_SHAPE_ARRAY ? '[' : '{');
    lua_pushnil(L);
    if (level->shape == AMP_SHAPE_SORTED && !sort_members(L, e, level))
        return 0;
    e->depth++;
    return 1;
}

/* A name is met in many tables: what was written for it once is copied, without a look at its
 * bytes. */
static int put_name(lua_State *L, struct amp_encoder *e, struct amp_encoder_level *level)
{
    struct amp_names *names = &e->names;
    size_t size;
    const char *text = lua_tolstring(L, -2, &size);
    size_t slot = ((uintptr_t)text >> 4 ^ (uintptr_t)text >> 12) % AMP_NAME_SLOTS;
    int first = level->index++ == 0;
    reserve(L, e, AMP_NAME_BYTES + 1);
    char *out = e->text + e->used;
    if (names->text[slot] == text) {
        memcpy(out, names->bytes[slot] + first, AMP_NAME_BYTES - 1);
        e->used += names->size[slot] - (size_t)first;
        return 1;
    }
    *out = ',';
    e->used += (size_t)!first;
    size_t begin = e->used;
    if (!put_string(L, e, text, size, ':'))
        return 0;
    if (size + 4 < AMP_NAME_BYTES && e->used - begin == size + 3) {
        names->text[slot] = text;
        names->size[slot] = (unsigned char)(size + 4);
        names->bytes[slot][0] = ',';
        memcpy(names->bytes[slot] + 1, e->text + begin, size + 3);
    }
    return 1;
}

enum { WRITTEN, NEXT_TABLE, NO_MORE, REFUSED };

/* The value on top: a scalar is written and popped, a table left for the caller to open. */
static inline int put_value(lua_State *L, struct amp_encoder *e, int type)
{
    if (type == LUA_TTABLE)
        return NEXT_TABLE;
    if (!put_scalar(L, e, type))
        return REFUSED;
    lua_pop(L, 1);
    return WRITTEN;
}

/* Members up to one that is a table, which is left on top. */
static int put_members(lua_State *L, struct amp_encoder *e, struct amp_encoder_level *level)
{
    while (lua_next(L, -2)) {
        int type = lua_type(L, -1);
        if (lua_type(L, -2) != LUA_TSTRING)
            return refuse(L, e, "a key that is no string"), REFUSED;
        if (!put_name(L, e, level))
            return REFUSED;
        int put = put_value(L, e, type);
        if (put != WRITTEN)
            return put;
    }
    return NO_MORE;
}

/* What stands before the next value of an array or of sorted members, which is left on top. */
static int next_value(lua_State *L, struct amp_encoder *e, struct amp_encoder_level *level)
{
    if (level->index == level->length)
        return 0;
    if (level->index)
        put_byte(L, e, ',');
    if (level->shape == AMP_SHAPE_ARRAY) {
        lua_rawgeti(L, level_slot(e, e->depth - 1), (int)++level->index);
        return 1;
    }
    const struct amp_sorted_key *key = &level->sorted[level->index++];
    lua_pushlstring(L, key->text, key->size);
    lua_rawget(L, level_slot(e, e->depth - 1));
    return 1;
}

static int put_elements(lua_State *L, struct amp_encoder *e, struct amp_encoder_level *level)
{
    while (next_value(L, e, level)) {
        if (level->shape == AMP_SHAPE_SORTED) {
            const struct amp_sorted_key *key = &level->sorted[level->index - 1];
            if (!put_string(L, e, key->text, key->size, ':'))
                return REFUSED;
        }
        int put = put_value(L, e, lua_type(L, -1));
        if (put != WRITTEN)
            return put;
    }
    return NO_MORE;
}

/* Nothing must follow the last element: JSON would lose it. */
static int ends_there(lua_State *L, const struct amp_encoder *e,
                      const struct amp_encoder_level *level)
{
    int table = level_slot(e, e->depth - 1);
    lua_rawgeti(L, table, 0); /* LuaJIT has it before the first */
    int has_zero = !lua_isnil(L, -1);
    lua_pop(L, 1);
    if (has_zero)
        return 0;
    if (level->length)
        lua_pushinteger(L, (lua_Integer)level->length);
    else
        lua_pushnil(L);
    if (!lua_next(L, table))
        return 1;
    lua_pop(L, 2);
    lua_pushvalue(L, table);
    int fine = is_sequence(L, level->length);
    lua_pop(L, 1);
    return fine;
}

static void close_table(lua_State *L, struct amp_encoder *e)
{
    const struct amp_encoder_level *level = &e->level[--e->depth];
    put_byte(L, e, level->shape == AMP_SHAPE_ARRAY ? ']' : '}');
    lua_settop(L, level_slot(e, e->depth) - 1);
}

static int put_tables(lua_State *L, struct amp_encoder *e)
{
    if (!open_table(L, e))
        return 0;
    while (e->depth) {
        struct amp_encoder_level *level = &e->level[e->depth - 1];
        int next =
            level->shape == AMP_SHAPE_OBJECT ? put_members(L, e, level) : put_elements(L, e, level);
        if (next == NO_MORE) {
            if (level->shape == AMP_SHAPE_ARRAY && !ends_there(L, e, level)) {
                e->depth--; /* the path leads to the array */
                return refuse(L, e, "an array with other keys than 1 to its length");
            }
            close_table(L, e);
        } else if (next == REFUSED || !open_table(L, e))
            return 0;
    }
    return 1;
}

int amp_encode(lua_State *L, struct amp_encoder *e, int value)
{
    e->used = e->depth = e->reserved = 0;
    memset(e->names.text, 0, sizeof e->names.text);
    lua_pushliteral(L, "__jsontype");
    e->told = lua_gettop(L);
    lua_pushvalue(L, value);
    e->base = lua_gettop(L);
    int type = lua_type(L, -1);
    return type == LUA_TTABLE ? put_tables(L, e) : put_scalar(L, e, type);
}
