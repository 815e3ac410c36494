/*
 * What the specs of JSON cannot say in Lua: allocators that fail, and a million doubles.
 *
 *     json_host allocations LUA_FILE...   each file's function with every k-th allocation failing
 *     json_host doubles COUNT             literals against strtod, printed doubles against
 * themselves
 *
 * Prints one line of what was done; exits with 1 at the first thing that is wrong.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ampersand.h"
#include "json_number.h"
#include "json_scan.h"
#include "lua_compat.h"

/* --- an allocator that fails --------------------------------------------------------------------
 */

struct budget {
    long allocations; /* so far */
    long fail_at;     /* the first that fails; 0 for none */
    long failures;    /* how many fail in a row */
    long blocks; /* held; bytes would not do, for LuaJIT itself miscounts them when a table fails */
};

static void *limited(void *context, void *block, size_t old_size, size_t new_size)
{
    struct budget *budget = (struct budget *)context;
    size_t old = block ? old_size : 0;
    if (new_size == 0) {
        budget->blocks -= block != NULL;
        free(block);
        return NULL;
    }
    if (new_size > old) { /* Lua takes it for granted that shrinking works */
        long n = ++budget->allocations - budget->fail_at;
        if (budget->fail_at && n >= 0 && n < budget->failures)
            return NULL;
    }
    void *grown = realloc(block, new_size);
    budget->blocks += grown && !block;
    return grown;
}

/* Not all libraries: a half-opened io closes the host's standard output. */
static void open_libraries(lua_State *L)
{
    static const luaL_Reg libraries[] = {
        {"", luaopen_base},
        {LUA_LOADLIBNAME, luaopen_package},
        {LUA_STRLIBNAME, luaopen_string},
#if LUA_VERSION_NUM >= 502
        {LUA_COLIBNAME, luaopen_coroutine},
#endif
        {NULL, NULL}
    };
    for (const luaL_Reg *library = libraries; library->name; library++) {
        lua_pushcfunction(L, library->func);
        lua_pushstring(L, library->name);
        lua_call(L, 1, 1);
        if (*library->name)
            lua_setglobal(L, library->name);
        lua_settop(L, 1);
    }
}

static int run(lua_State *L)
{
    open_libraries(L);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    lua_pushcfunction(L, luaopen_ampersand_core);
    lua_setfield(L, -2, "ampersand.core");
    lua_settop(L, 1);
    if (luaL_loadfile(L, (const char *)lua_touserdata(L, 1)))
        return lua_error(L);
    lua_call(L, 0, 0);
    return 0;
}

/* Before Lua 5.2 the push of a C function allocates. */
static int protected_run(lua_State *L, void *file)
{
#if LUA_VERSION_NUM < 502
    return lua_cpcall(L, run, file);
#else
    lua_pushcfunction(L, run);
    lua_pushlightuserdata(L, file);
    return lua_pcall(L, 1, 0, 0);
#endif
}

enum outcome { DONE, OUT_OF_MEMORY, WRONG };

/* One state from birth to death. Anything held afterwards is a leak. */
static enum outcome one_run(const char *file, struct budget *budget)
{
    enum outcome outcome = OUT_OF_MEMORY;
    long fail_at = budget->fail_at;
    budget->fail_at = 0; /* LuaJIT itself crashes when it cannot make a state */
#if LUA_VERSION_NUM >= 505
    lua_State *L = lua_newstate(limited, budget, 1);
#else
    lua_State *L = lua_newstate(limited, budget);
#endif
#ifdef LUA_JITLIBNAME /* shapes are compiled where there is jit, which survives no failure itself  \
                       */
    if (L) {
        lua_pushcfunction(L, luaopen_jit);
        lua_pushstring(L, LUA_JITLIBNAME);
        lua_call(L, 1, 0);
    }
#endif
    budget->fail_at = fail_at;
    budget->allocations = 0;
    if (L) {
        int status = protected_run(L, (void *)(uintptr_t)file);
        const char *message = status && lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
        if (status == 0)
            outcome = DONE;
        else if (status != LUA_ERRMEM && !strstr(message, "not enough memory") &&
                 !strstr(message, "stack overflow (")) { /* what luaL_checkstack makes of it */
            fprintf(stderr, "%s: allocation %ld: %s\n", file, budget->fail_at, message);
            outcome = WRONG;
        }
        budget->fail_at = 0;
        lua_close(L);
    }
    if (budget->blocks) {
        fprintf(stderr, "%s: allocation %ld: %ld blocks leaked\n", file, fail_at, budget->blocks);
        outcome = WRONG;
    }
    return outcome;
}

/* Fails the k-th allocation (and the one after it) for every k until a run needs fewer. */
static long fail_each(const char *file, long failures)
{
    for (long k = 1;; k++) {
        struct budget budget = {0, k, failures, 0};
        enum outcome outcome = one_run(file, &budget);
        if (outcome == WRONG)
            return -1;
        if (outcome == DONE && budget.allocations < k)
            return k - 1;
    }
}

static int allocations(int count, char **files)
{
    for (int i = 0; i < count; i++) {
        long once = fail_each(files[i], 1), twice = once < 0 ? -1 : fail_each(files[i], 2);
        if (twice < 0)
            return 1;
        printf("%s: %ld allocations failed once, %ld twice in a row: no leak, no crash\n", files[i],
               once, twice);
    }
    return 0;
}

/* --- doubles
 * --------------------------------------------------------------------------------------- */

static uint64_t next_random(void)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static double random_double(void)
{
    uint64_t bits = next_random() & 0x7fffffffffffffffu;
    double value;
    if (next_random() % 8 == 0)
        bits &= 0xfffffffffffffu; /* subnormal */
    if (next_random() % 16 == 0)
        bits &= 0x7ff0000000000000u; /* a power of two */
    memcpy(&value, &bits, sizeof value);
    return isfinite(value) ? value : 1;
}

/* Digits of all lengths, with and without a point, with exponents far and near. */
static void random_literal(char *out)
{
    char *p = out;
    int digits = 1 + (int)(next_random() % (next_random() % 4 ? 20 : 60));
    int point = next_random() % 2 ? (int)(next_random() % (uint64_t)(digits + 1)) : -1;
    for (int i = 0; i < digits; i++) {
        *p++ = (char)('0' + (i == 0 ? 1 + next_random() % 9 : next_random() % 10));
        if (i == point && i + 1 < digits)
            *p++ = '.';
    }
    if (next_random() % 3)
        snprintf(p, 8, "e%d", (int)(next_random() % 640) - 330);
    else
        *p = '\0';
}

/* Exactly between two doubles, or a hair beside it; a long double holds one bit more, or this is a
 * double. */
static void halfway_literal(char *out, size_t room)
{
    double low = random_double();
    long double middle = ((long double)low + (long double)nextafter(low, INFINITY)) / 2;
    char exponent[16];
    snprintf(out, room, "%.1100Le", middle);
    char *e = strchr(out, 'e');
    snprintf(exponent, sizeof exponent, "%s", e);
    while (e[-1] == '0')
        e--;
    const char *hair = next_random() % 2   ? ""
                       : next_random() % 2 ? "1"
                                           : "0000000000000000000000000000001";
    snprintf(e, room - (size_t)(e - out), "%s%s%s", e[-1] == '.' ? "0" : "", hair, exponent);
}

static int check_literal(struct amp_scan *scan, const char *literal)
{
    double expected = strtod(literal, NULL);
    if (isinf(expected))
        return 1;
    if (!amp_scan_start(scan, literal + strlen(literal), 0) || !amp_scan_record(scan, literal))
        return fprintf(stderr, "refused: %s\n", literal) < 0;
    const struct amp_node *node = &scan->node[0];
    double value = node->kind == AMP_INTEGER ? (double)node->as.integer : node->as.number;
    return value == expected ||
           fprintf(stderr, "%s: got %.17g, strtod %.17g\n", literal, value, expected) < 0;
}

static int check_printed(double value)
{
    char text[AMP_NUMBER_ROOM + 1], printf_text[64];
    text[amp_print_double(text, value)] = '\0';
    snprintf(printf_text, sizeof printf_text, "%.17g", value);
    int digits = 0;
    for (const char *p = text; *p && *p != 'e'; p++)
        digits += *p >= '0' && *p <= '9';
    return (strtod(text, NULL) == value && strlen(text) <= 25 && digits <= 22) ||
           fprintf(stderr, "%s printed as %s\n", printf_text, text) < 0;
}

static int doubles(long count)
{
    static void *(*const allocate)(void *, void *, size_t, size_t) = limited;
    struct budget budget = {0, 0, 0, 0};
    struct amp_memory memory = {allocate, &budget};
    struct amp_scan scan;
    char literal[2500];
    amp_scan_init(&scan, &memory);
    scan.max_depth = scan.max_values = 1;
    scan.integer_bits = 63;
    for (long i = 0; i < count; i++) {
        if (i % 16 == 0)
            halfway_literal(literal, sizeof literal);
        else if (i % 16 < 4)
            snprintf(literal, sizeof literal, "%.*g", 14 + (int)(next_random() % 6),
                     random_double());
        else
            random_literal(literal);
        if (!check_literal(&scan, literal) || !check_printed(random_double()))
            return 1;
    }
    amp_scan_free(&scan);
    printf("%ld literals equal strtod, %ld doubles printed read back equal\n", count, count);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "allocations") == 0)
        return allocations(argc - 2, argv + 2);
    if (argc == 3 && strcmp(argv[1], "doubles") == 0)
        return doubles(atol(argv[2]));
    fprintf(stderr, "usage: %s allocations LUA_FILE... | doubles COUNT\n", argv[0]);
    return 2;
}
