/*
 * Encoding: core.encode for whole texts, encoder objects for texts piece by piece.
 *
 * The tables that are open are on the Lua stack, two slots each: the table and its current key.
 * Strings and tables are not anchored elsewhere, so nothing may be collected while their addresses
 * are compared: within one call no Lua value is made but for errors and sorted keys.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json_bytes.h"
#include "json_number.h"
#include "json_scan.h"
#include "lua_json.h"

#define ENCODER "ampersand.encoder/1"
#define WATCH "ampersand.encoder.watch/1"

enum { MAX_INDENT = 16 };

enum shape {
    SHAPE_OBJECT,
    SHAPE_SORTED,
    SHAPE_ARRAY, /* its keys have come in order so far */
    SHAPE_LIST   /* a sequence whose keys do not */
};

struct sorted_key {
    const char *text;
    size_t size;
};

/* A table that is being written. */
struct level {
    enum shape shape;
    bool marked;       /* a metatable gives the shape */
    const void *table; /* its address, against cycles */
    size_t index, length;
    const struct sorted_key *sorted; /* anchored by the table in the key's slot */
};

/* Member names as they were written before, `"name":`, found by the string's address, which is its
 * own as long as the tables that are written hold it. */
enum { NAME_SLOTS = 512, NAME_BYTES = 32 };
struct names {
    const char *text[NAME_SLOTS];
    unsigned char size[NAME_SLOTS];
    char bytes[NAME_SLOTS][NAME_BYTES];
};

/* Owned by a userdata, and all that it points to. */
struct encoder {
    struct amp_memory memory;
    char *text;
    size_t used, room;
    size_t full; /* bytes at which writing pauses */
    struct level *level;
    size_t depth, level_room, max_depth;
    size_t reserved; /* levels for which this Lua's stack has room */
    struct names names;
    char indent[MAX_INDENT + 1]; /* of one level */
    size_t indent_size;
    int base; /* stack index of the outermost table */
    bool sort_keys;
    bool indented;
    bool busy;
    bool watched;         /* by a userdata that the next collection finds */
    bool failed, started; /* an encoder object's */
    size_t given;         /* bytes of the text that were handed out as pieces */
    size_t last;          /* the size of the text before */
    int idle;             /* collections since the buffer was used */
};

static void release(struct encoder *e)
{
    amp_free(&e->memory, e->text, e->room, 1);
    amp_free(&e->memory, e->level, e->level_room, sizeof *e->level);
    e->text = NULL;
    e->level = NULL;
    e->room = e->level_room = 0;
}

/* --- bytes ----------------------------------------------------------------------------------- */

static void grow(lua_State *L, struct encoder *e, size_t size)
{
    void *grown = amp_grow(&e->memory, e->text, &e->room, e->used + size, 1);
    if (!grown)
        luaL_error(L, "not enough memory");
    e->text = (char *)grown;
}

static inline void reserve(lua_State *L, struct encoder *e, size_t size)
{
    if (e->room - e->used < size)
        grow(L, e, size);
}

static inline void put(lua_State *L, struct encoder *e, const char *bytes, size_t size)
{
    reserve(L, e, size);
    memcpy(e->text + e->used, bytes, size);
    e->used += size;
}

static inline void put_byte(lua_State *L, struct encoder *e, char byte)
{
    reserve(L, e, 1);
    e->text[e->used++] = byte;
}

/* Copies eight or 16 bytes. Not 0 when one of them is not plain. */
AMP_INLINE uint64_t copy_8(char *out, const char *p)
{
    memcpy(out, p, 8);
    return amp_not_plain_8(p);
}

AMP_INLINE uint64_t copy_16(char *out, const char *p)
{
    memcpy(out, p, 16);
    return amp_not_plain_16(p);
}

/* Copies the bytes, the last ones as a block that overlaps the one before, and says whether all of
 * them are plain. */
AMP_INLINE bool copy_plain(char *out, const char *p, size_t size)
{
    uint64_t found = 0;
    if (size >= 16) {
        for (size_t i = 0; i + 16 < size; i += 16)
            found |= copy_16(out + i, p + i);
        found |= copy_16(out + size - 16, p + size - 16);
    } else if (size >= 8) {
        found = copy_8(out, p) | copy_8(out + size - 8, p + size - 8);
    } else if (size >= 4) {
        uint32_t first, last;
        memcpy(&first, p, 4);
        memcpy(&last, p + size - 4, 4);
        memcpy(out, &first, 4);
        memcpy(out + size - 4, &last, 4);
        found = amp_not_plain_word((uint64_t)first << 32 | last);
    } else {
        for (size_t i = 0; i < size; i++) {
            out[i] = p[i];
            found |= (uint64_t)!amp_is_plain(p[i]);
        }
    }
    return !found;
}

/* --- what cannot be encoded ------------------------------------------------------------------ */

static int level_slot(const struct encoder *e, size_t level)
{
    return e->base + 2 * (int)level;
}

static bool is_name(const char *text, size_t size)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    return size && length == size && !(*text >= '0' && *text <= '9');
}

static void add_quoted(luaL_Buffer *b, const char *text, size_t size)
{
    luaL_addstring(b, "[\"");
    for (size_t i = 0; i < size; i++)
        if (text[i] == '"' || text[i] == '\\')
            luaL_addstring(b, text[i] == '"' ? "\\x22" : "\\x5c");
        else
            amp_add_byte(b, text[i]);
    luaL_addstring(b, "\"]");
}

static void add_key(luaL_Buffer *b, const char *key, size_t size, bool first)
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
    luaL_addchar(b, '[');
    amp_add_number(b, index);
    luaL_addchar(b, ']');
}

static void add_level(lua_State *L, luaL_Buffer *b, const struct encoder *e, size_t i)
{
    const struct level *level = &e->level[i];
    int key = level_slot(e, i) + 1;
    if (level->shape >= SHAPE_ARRAY) {
        add_index(b, (double)level->index);
    } else if (level->shape == SHAPE_SORTED) {
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
static bool refuse(lua_State *L, const struct encoder *e, const char *what)
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
    return false;
}

/* --- strings --------------------------------------------------------------------------------- */

static void put_escape(lua_State *L, struct encoder *e, char c)
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
static const char *put_special(lua_State *L, struct encoder *e, const char *p)
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

/* A string's text piece by piece, with escapes, and the closing quote. */
static bool put_escaped(lua_State *L, struct encoder *e, const char *p, const char *end)
{
    while (p < end) {
        const char *stop = amp_scan_plain(p, end);
        put(L, e, p, (size_t)(stop - p));
        p = stop < end ? put_special(L, e, stop) : stop;
        if (!p)
            return false;
    }
    put_byte(L, e, '"');
    return true;
}

/* The string in quotes. */
static inline bool put_string(lua_State *L, struct encoder *e, const char *text, size_t size)
{
    reserve(L, e, size + 2);
    char *out = e->text + e->used;
    *out++ = '"';
    if (!copy_plain(out, text, size)) {
        e->used++;
        return put_escaped(L, e, text, text + size);
    }
    out[size] = '"';
    e->used += size + 2;
    return true;
}

/* --- scalars --------------------------------------------------------------------------------- */

static bool put_number(lua_State *L, struct encoder *e)
{
    reserve(L, e, AMP_NUMBER_ROOM);
#if LUA_VERSION_NUM >= 503
    if (lua_isinteger(L, -1)) {
        e->used += amp_print_integer(e->text + e->used, (int64_t)lua_tointeger(L, -1));
        return true;
    }
#endif
    double value = (double)lua_tonumber(L, -1);
    if (isnan(value) || isinf(value))
        return refuse(L, e,
                      isnan(value) ? "a number that is not a number (nan)" : "an infinite number");
    e->used += amp_print_double(e->text + e->used, value);
    return true;
}

static bool put_other(lua_State *L, struct encoder *e, int type)
{
    switch (type) {
    case LUA_TNUMBER:
        return put_number(L, e);
    case LUA_TBOOLEAN:
        if (lua_toboolean(L, -1))
            put(L, e, "true", 4);
        else
            put(L, e, "false", 5);
        return true;
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, -1) == NULL) {
            put(L, e, "null", 4);
            return true;
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

/* The value on top, unless it is a table. */
static inline bool put_scalar(lua_State *L, struct encoder *e, int type)
{
    if (type != LUA_TSTRING)
        return put_other(L, e, type);
    size_t size;
    const char *text = lua_tolstring(L, -1, &size);
    return put_string(L, e, text, size);
}

/* --- tables ---------------------------------------------------------------------------------- */

/* What the metatable says: an array, an object, or -1 for nothing. */
static int told_shape(lua_State *L)
{
    int shape = -1;
    if (!lua_getmetatable(L, -1))
        return -1;
    if (lua_rawequal(L, -1, lua_upvalueindex(UP_ARRAY_MT))) {
        lua_pop(L, 1);
        return SHAPE_ARRAY;
    }
    /* Not a new string: that may collect, and names would lose their addresses. */
    lua_pushvalue(L, lua_upvalueindex(UP_SHAPE_NAME));
    lua_rawget(L, -2);
    if (lua_type(L, -1) == LUA_TSTRING)
        shape = strcmp(lua_tostring(L, -1), "array") == 0    ? SHAPE_ARRAY
                : strcmp(lua_tostring(L, -1), "object") == 0 ? SHAPE_OBJECT
                                                             : -1;
    lua_pop(L, 2);
    return shape;
}

static bool is_index(lua_State *L, int slot, size_t length)
{
    if (lua_type(L, slot) != LUA_TNUMBER)
        return false;
    lua_Number key = lua_tonumber(L, slot);
    return key >= 1 && key <= (lua_Number)length && key == floor((double)key);
}

/* Whether the keys of the table on top are 1 … length and nothing else. */
static bool is_sequence(lua_State *L, size_t length)
{
    size_t count = 0;
    int table = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        if (!is_index(L, -1, length)) {
            lua_pop(L, 1);
            return false;
        }
        count++;
    }
    return count == length;
}

static int compare_keys(const void *a, const void *b)
{
    const struct sorted_key *left = (const struct sorted_key *)a;
    const struct sorted_key *right = (const struct sorted_key *)b;
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
static bool sort_members(lua_State *L, struct encoder *e, struct level *level)
{
    int table = lua_gettop(L) - 1;
    size_t room = count_members(L, table), size = 0;
    lua_createtable(L, (int)room + 1, 0);
    lua_replace(L, table + 1);
    struct sorted_key *sorted =
        (struct sorted_key *)lua_newuserdata(L, (room + 1) * sizeof *sorted);
    lua_rawseti(L, table + 1, 1);
    level->sorted = sorted;
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING || size == room)
            return refuse(L, e, "a key that is not a string");
        sorted[size].text = lua_tolstring(L, -1, &sorted[size].size);
        lua_pushvalue(L, -1);
        lua_rawseti(L, table + 1, (int)++size + 1);
    }
    qsort(sorted, size, sizeof *sorted, compare_keys);
    level->length = size;
    return true;
}

/* Deep down a table is compared with the level of the last power of two alone: a cycle comes by
 * there sooner or later (Brent). */
static bool is_cycle(const struct encoder *e, const void *table)
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
            return true;
    return false;
}

static struct level *new_level(lua_State *L, struct encoder *e, const void *table)
{
    if (e->depth == e->level_room) {
        void *grown =
            amp_grow(&e->memory, e->level, &e->level_room, e->depth + 1, sizeof *e->level);
        if (!grown)
            luaL_error(L, "not enough memory");
        e->level = (struct level *)grown;
    }
    struct level *level = &e->level[e->depth];
    level->table = table;
    level->index = 0;
    return level;
}

static void choose_shape(lua_State *L, struct encoder *e, struct level *level)
{
    int shape = told_shape(L);
    level->marked = shape >= 0;
    level->length = shape == SHAPE_OBJECT ? 0 : lua_rawlen(L, -1);
    if (shape < 0)
        shape = level->length ? SHAPE_ARRAY : SHAPE_OBJECT;
    level->shape = shape == SHAPE_OBJECT && e->sort_keys ? SHAPE_SORTED : (enum shape)shape;
}

/* Each level takes two slots; what writes the innermost one takes a few more. */
static bool reserve_level(lua_State *L, struct encoder *e)
{
    enum { LEVELS = 8 };
    if (e->depth < e->reserved)
        return true;
    e->reserved = e->depth + LEVELS;
    return amp_reserve_stack(L, 2 * LEVELS + 16);
}

/* The table on top becomes the innermost level, with a nil above it as its first key. */
static bool open_table(lua_State *L, struct encoder *e)
{
    const void *table = lua_topointer(L, -1);
    if (is_cycle(e, table))
        return refuse(L, e, "a table inside of itself");
    if (e->depth >= e->max_depth)
        return refuse(L, e, "tables nested deeper than max_depth");
    if (!reserve_level(L, e))
        return refuse(L, e, "tables nested deeper than this Lua's stack allows");
    struct level *level = new_level(L, e, table);
    choose_shape(L, e, level);
    put_byte(L, e, level->shape >= SHAPE_ARRAY ? '[' : '{');
    lua_pushnil(L);
    if (level->shape == SHAPE_SORTED && !sort_members(L, e, level))
        return false;
    e->depth++;
    return true;
}

/* --- between values -------------------------------------------------------------------------- */

/* A line break and the indentation of the innermost table's members. */
static void put_line(lua_State *L, struct encoder *e)
{
    put_byte(L, e, '\n');
    for (size_t i = 0; i < e->depth; i++)
        put(L, e, e->indent, e->indent_size);
}

static inline void put_separator(lua_State *L, struct encoder *e, bool first)
{
    if (!first)
        put_byte(L, e, ',');
    if (e->indented)
        put_line(L, e);
}

static bool write_name(lua_State *L, struct encoder *e, const char *text, size_t size)
{
    bool written = put_string(L, e, text, size);
    put(L, e, ": ", e->indented ? 2 : 1);
    return written;
}

/* A name is met in many tables: what was written for it once is copied, without a look at its
 * bytes. */
static inline bool put_name(lua_State *L, struct encoder *e, const char *text, size_t size)
{
    struct names *names = &e->names;
    size_t slot = ((uintptr_t)text >> 4 ^ (uintptr_t)text >> 12) % NAME_SLOTS;
    if (names->text[slot] == text) {
        reserve(L, e, NAME_BYTES);
        memcpy(e->text + e->used, names->bytes[slot], NAME_BYTES);
        e->used += names->size[slot];
        return true;
    }
    size_t begin = e->used;
    if (!write_name(L, e, text, size))
        return false;
    if (e->used - begin <= NAME_BYTES) {
        names->text[slot] = text;
        names->size[slot] = (unsigned char)(e->used - begin);
        memcpy(names->bytes[slot], e->text + begin, e->used - begin);
    }
    return true;
}

enum step { WRITTEN, NEXT_TABLE, NO_MORE, PAUSED, REFUSED };

/* The value on top: a scalar is written and popped, a table left for the caller to open. */
static inline enum step put_value(lua_State *L, struct encoder *e)
{
    int type = lua_type(L, -1);
    if (type == LUA_TTABLE)
        return NEXT_TABLE;
    if (!put_scalar(L, e, type))
        return REFUSED;
    lua_pop(L, 1);
    return e->used < e->full ? WRITTEN : PAUSED;
}

/* Members up to one that is a table, which is left on top. */
static enum step put_members(lua_State *L, struct encoder *e, struct level *level)
{
    while (lua_next(L, -2)) {
        size_t size;
        if (lua_type(L, -2) != LUA_TSTRING)
            return refuse(L, e, "a key that is not a string"), REFUSED;
        const char *name = lua_tolstring(L, -2, &size);
        put_separator(L, e, level->index++ == 0);
        if (!put_name(L, e, name, size))
            return REFUSED;
        enum step step = put_value(L, e);
        if (step != WRITTEN)
            return step;
    }
    return NO_MORE;
}

/* The value on top of an array is followed by none that JSON would lose, and so on: its keys are
 * 1 to its length. They are visited in the order in which the table has them, which mostly is
 * that one; else all of them are. Leaves the next element on top. */
static enum step next_in_order(lua_State *L, struct encoder *e, struct level *level)
{
    size_t index = level->index + 1;
    if (!lua_next(L, -2)) {
        if (level->index == level->length)
            return NO_MORE;
        lua_pushnil(L);
    } else if (lua_type(L, -2) == LUA_TNUMBER && lua_tonumber(L, -2) == (lua_Number)index) {
        level->index = index;
        return WRITTEN;
    } else {
        lua_pop(L, 1);
    }
    int table = level_slot(e, e->depth - 1);
    lua_pushvalue(L, table);
    bool fits = is_sequence(L, level->length);
    lua_pop(L, 1);
    lua_rawgeti(L, table, (int)index);
    level->shape = SHAPE_LIST;
    if (fits || (lua_isnil(L, -1) && index <= level->length)) {
        level->index = index; /* a nil is refused as a value */
        return WRITTEN;
    }
    e->depth--; /* the path leads to the table */
    return refuse(L, e,
                  level->marked ? "an array with other keys than 1 to its length"
                                : "a table that is neither a sequence nor an object"),
           REFUSED;
}

/* Leaves the next element of an array, or the value of the next sorted member, on top. */
static inline enum step next_value(lua_State *L, struct encoder *e, struct level *level)
{
    if (level->shape == SHAPE_ARRAY)
        return next_in_order(L, e, level);
    if (level->index == level->length)
        return NO_MORE;
    int table = level_slot(e, e->depth - 1);
    if (level->shape == SHAPE_LIST) {
        lua_rawgeti(L, table, (int)++level->index);
    } else {
        const struct sorted_key *key = &level->sorted[level->index++];
        lua_pushlstring(L, key->text, key->size);
        lua_rawget(L, table);
    }
    return WRITTEN;
}

static enum step put_elements(lua_State *L, struct encoder *e, struct level *level)
{
    enum step step;
    while ((step = next_value(L, e, level)) == WRITTEN) {
        put_separator(L, e, level->index == 1);
        if (level->shape == SHAPE_SORTED) {
            const struct sorted_key *key = &level->sorted[level->index - 1];
            if (!write_name(L, e, key->text, key->size))
                return REFUSED;
        }
        if ((step = put_value(L, e)) != WRITTEN)
            break;
    }
    return step;
}

static void close_table(lua_State *L, struct encoder *e)
{
    const struct level *level = &e->level[--e->depth];
    if (e->indented && level->index)
        put_line(L, e);
    put_byte(L, e, level->shape >= SHAPE_ARRAY ? ']' : '}');
    lua_settop(L, level_slot(e, e->depth) - 1);
}

/* Goes on with the innermost table until all are closed. */
static enum step put_tables(lua_State *L, struct encoder *e)
{
    while (e->depth) {
        struct level *level = &e->level[e->depth - 1];
        enum step step =
            level->shape == SHAPE_OBJECT ? put_members(L, e, level) : put_elements(L, e, level);
        if (step == PAUSED || step == REFUSED)
            return step;
        if (step == NO_MORE)
            close_table(L, e);
        else if (!open_table(L, e))
            return REFUSED;
    }
    return NO_MORE;
}

/* --- a text ---------------------------------------------------------------------------------- */

/* Ready for a text; its outermost table will be pushed next. */
static void prepare(lua_State *L, struct encoder *e)
{
    e->base = lua_gettop(L) + 1;
    e->used = e->reserved = 0;
    memset(e->names.text, 0, sizeof e->names.text);
}

/* Begins with the value on top, which is at e->base. */
static enum step begin(lua_State *L, struct encoder *e)
{
    int type = lua_type(L, -1);
    e->depth = 0;
    if (type != LUA_TTABLE)
        return put_scalar(L, e, type) ? NO_MORE : REFUSED;
    return open_table(L, e) ? put_tables(L, e) : REFUSED;
}

static struct encoder *new_encoder(lua_State *L)
{
    struct encoder *e = (struct encoder *)amp_newuserdata(L, sizeof *e);
    memset(e, 0, sizeof *e);
    e->memory = amp_memory_of(L);
    luaL_getmetatable(L, ENCODER);
    lua_setmetatable(L, -2);
    return e;
}

static void read_indent(lua_State *L, struct encoder *e, int options)
{
    e->indented = amp_get_option(L, options, "indent");
    e->indent_size = 0;
    if (!e->indented)
        return;
    size_t size;
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &size) : NULL;
    lua_Number count = lua_tonumber(L, -1);
    if (text ? strspn(text, " \t") != size || size > MAX_INDENT
             : !(lua_type(L, -1) == LUA_TNUMBER && count >= 0 && count <= MAX_INDENT))
        amp_argument_error(L,
                           "option indent: expected 0 to %d spaces, or a string of blanks, got %s",
                           (int)MAX_INDENT, amp_shown(L, -1));
    e->indent_size = text ? size : (size_t)count;
    memset(e->indent, ' ', MAX_INDENT);
    if (text)
        memcpy(e->indent, text, size);
    lua_pop(L, 1);
}

/* The options at stack index 2, which may be nil. */
static void read_options(lua_State *L, struct encoder *e)
{
    e->sort_keys = e->indented = false;
    e->max_depth = AMP_DEFAULT_DEPTH;
    if (lua_isnil(L, 2))
        return;
    luaL_checktype(L, 2, LUA_TTABLE);
    e->sort_keys = amp_flag(L, 2, "sort_keys");
    e->max_depth = amp_size_option(L, 2, "max_depth", e->max_depth);
    read_indent(L, e, 2);
}

/* --- encode ---------------------------------------------------------------------------------- */

enum {
    KEPT_BYTES = 1024 * 1024,         /* a buffer of this size stays */
    WATCHED_BYTES = 64 * 1024 * 1024, /* up to this, as long as it is used */
    IDLE_COLLECTIONS = 8              /* without use, then it goes */
};

/* The encoder that encode keeps from call to call, or a new one while that is in use. Pushes it. */
static struct encoder *borrow_encoder(lua_State *L)
{
    struct encoder *e = (struct encoder *)lua_touserdata(L, lua_upvalueindex(UP_CACHED));
    if (e && !e->busy) {
        lua_pushvalue(L, lua_upvalueindex(UP_CACHED));
        return e;
    }
    e = new_encoder(L);
    lua_pushvalue(L, -1);
    lua_replace(L, lua_upvalueindex(UP_CACHED));
    return e;
}

/* A large buffer is watched by a userdata that nothing refers to: each collection finds it. The
 * encoder is on top. */
static void watch_buffer(lua_State *L, struct encoder *e)
{
    if (e->watched || e->room <= KEPT_BYTES)
        return;
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, 1);
    *(struct encoder **)amp_newuserdata(L, sizeof(void *)) = e;
    lua_insert(L, -2);
    amp_setuservalue(L, -2);
    luaL_getmetatable(L, WATCH);
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
    e->watched = true;
}

/* The watch was collected: the buffer goes, or another watch follows. In 5.1 and LuaJIT encode
 * makes that one: they would call its finalizer when the state is closed and this library unloaded.
 */
static int l_watch_collected(lua_State *L)
{
    struct encoder *e = *(struct encoder **)luaL_checkudata(L, 1, WATCH);
    e->watched = false;
    if (!e->busy && ++e->idle > IDLE_COLLECTIONS)
        release(e);
#if LUA_VERSION_NUM >= 502
    amp_getuservalue(L, 1);
    lua_rawgeti(L, -1, 1);
    watch_buffer(L, e);
#endif
    return 0;
}

/* core.encode(value, opts) */
static int l_encode(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 2);
    struct encoder *e = borrow_encoder(L);
    e->busy = true; /* from now on a finalizer takes another */
    read_options(L, e);
    e->full = SIZE_MAX;
    prepare(L, e);
    lua_pushvalue(L, 1);
    if (!e->text && e->last > KEPT_BYTES)
        reserve(L, e, e->last);
    bool encoded = begin(L, e) != REFUSED;
    if (encoded)
        lua_pushlstring(L, e->text, e->used);
    e->busy = false;
    e->last = e->used;
    if (e->room > WATCHED_BYTES)
        release(e);
    if (e->used > KEPT_BYTES)
        e->idle = 0;
    lua_pushvalue(L, 3);
    watch_buffer(L, e);
    lua_pop(L, 1);
    if (encoded)
        return 1;
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

/* core.is_array(value): whether encode writes it as an array, as far as its metatable or its keys
 * tell. */
static int l_is_array(lua_State *L)
{
    lua_settop(L, 1);
    bool is_array = false;
    if (lua_istable(L, 1)) {
        int shape = told_shape(L);
        size_t length = lua_rawlen(L, 1);
        is_array = shape == SHAPE_ARRAY || (shape < 0 && length && is_sequence(L, length));
    }
    lua_pushboolean(L, is_array);
    return 1;
}

/* --- encoder objects ------------------------------------------------------------------------- */

enum { PIECE = 65536, PAUSE = PIECE - 4096 }; /* most scalars fit in between */

/* core.encoder(value, opts) */
static int l_encoder(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 2);
    struct encoder *e = new_encoder(L);
    read_options(L, e);
    e->full = PAUSE;
    lua_createtable(L, 8, 0); /* between two pieces it holds what was on the stack */
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, 1);
    amp_setuservalue(L, 3);
    return 1;
}

/* Writes on until a piece is there. The slots move between the stack and the table at `saved`. */
static enum step write_piece(lua_State *L, struct encoder *e, int saved)
{
    prepare(L, e);
    size_t slots = e->started ? 2 * e->depth : 1;
    if (!amp_reserve_stack(L, slots + 16))
        return refuse(L, e, "tables nested deeper than this Lua's stack allows"), REFUSED;
    for (size_t i = 1; i <= slots; i++)
        lua_rawgeti(L, saved, (int)i);
    enum step step = e->started ? put_tables(L, e) : begin(L, e);
    e->started = true;
    if (step == PAUSED)
        for (size_t i = 2 * e->depth; i; i--)
            lua_rawseti(L, saved, (int)i);
    return step;
}

/* Pushes at most PIECE bytes of those that are not handed out yet. */
static int push_piece(lua_State *L, struct encoder *e)
{
    size_t left = e->used - e->given, size = left < PIECE ? left : (size_t)PIECE;
    lua_pushlstring(L, e->text + e->given, size);
    e->given += size;
    return 1;
}

/* encoder:next(): the next piece; nil at the end; nil and a message when it cannot be encoded. */
static int l_next(lua_State *L)
{
    struct encoder *e = (struct encoder *)amp_check_self(L, UP_CLASS, ENCODER);
    if (e->busy)
        return amp_argument_error(L, "the encoder was interrupted");
    lua_settop(L, 1);
    if (e->given < e->used)
        return push_piece(L, e);
    amp_getuservalue(L, 1);
    if (e->failed || (e->started && e->depth == 0)) {
        lua_pushnil(L);
        lua_rawgeti(L, 2, -1); /* the message, or nil */
        return 2;
    }
    e->busy = true;
    e->given = 0;
    enum step step = write_piece(L, e, 2);
    e->busy = false;
    if (step != REFUSED)
        return push_piece(L, e);
    e->failed = true;
    e->used = 0;
    lua_pushvalue(L, -1);
    lua_rawseti(L, 2, -1);
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
}

static int l_collected(lua_State *L)
{
    release((struct encoder *)luaL_checkudata(L, 1, ENCODER));
    return 0;
}

void amp_open_encoder(lua_State *L, int module)
{
    static const luaL_Reg methods[] = {{"next", l_next}, {NULL, NULL}};
    amp_new_class(L, ENCODER, methods, l_collected);
    amp_new_class(L, WATCH, NULL, l_watch_collected);
    amp_set_function(L, module, "encode", l_encode);
    amp_set_function(L, module, "encoder", l_encoder);
    amp_set_function(L, module, "is_array", l_is_array);
}
