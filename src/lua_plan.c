/*
 * core.plan: what query.lua compiles from `where` and `select`, loaded into arrays of C.
 *
 * A node is a table of `keep`, `tests`, `resets`, `star` (a node) and `names`, in which names and
 * nodes alternate. Strings stay where they are: the plan anchors the table it was made from.
 */
#include <string.h>

#include "json_plan.h"
#include "lua_json.h"

/* Adds `count` empty items and returns the first one's index. */
static uint32_t add(lua_State *L, struct amp_plan *plan, int vector, size_t count)
{
    if (!amp_vector_add(&plan->memory, &plan->vector[vector], count))
        luaL_error(L, "not enough memory");
    return (uint32_t)(plan->vector[vector].used - count);
}

/* Pops the number of a test and returns its index. */
static uint32_t test_index(lua_State *L, const struct amp_plan *plan)
{
    lua_Number id = lua_tonumber(L, -1);
    if (!(id >= 1 && id <= (lua_Number)plan->vector[AMP_PLAN_TESTS].used))
        luaL_error(L, "plan: no such test");
    lua_pop(L, 1);
    return (uint32_t)id - 1;
}

/* Field `name` of the table on top: an array of test numbers. */
static void load_ids(lua_State *L, struct amp_plan *plan, const char *name, uint32_t *first,
                     uint32_t *count)
{
    lua_getfield(L, -1, name);
    if (lua_istable(L, -1)) {
        *count = (uint32_t)lua_rawlen(L, -1);
        *first = add(L, plan, AMP_PLAN_IDS, *count);
        for (uint32_t i = 0; i < *count; i++) {
            lua_rawgeti(L, -1, (int)i + 1);
            *amp_plan_id(plan, *first + i) = test_index(L, plan);
        }
    }
    lua_pop(L, 1);
}

static uint32_t load_node(lua_State *L, struct amp_plan *plan, int depth);

/* Names and their places alternate in field `names`. */
static void load_names(lua_State *L, struct amp_plan *plan, uint32_t node, int depth)
{
    lua_getfield(L, -1, "names");
    uint32_t count = lua_istable(L, -1) ? (uint32_t)lua_rawlen(L, -1) / 2 : 0;
    uint32_t first = add(L, plan, AMP_PLAN_NAMES, count);
    amp_plan_node(plan, node)->first_name = first;
    amp_plan_node(plan, node)->names = count;
    for (uint32_t i = 0; i < count; i++) {
        struct amp_plan_name name;
        lua_rawgeti(L, -1, (int)(2 * i + 1));
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "plan: a name that is not a string");
        name.text = lua_tolstring(L, -1, &name.size);
        lua_rawgeti(L, -2, (int)(2 * i + 2));
        name.child = load_node(L, plan, depth + 1);
        *amp_plan_name(plan, first + i) = name;
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}

/* The table on top becomes a node. */
static uint32_t load_node(lua_State *L, struct amp_plan *plan, int depth)
{
    enum { DEEPEST = 64 };
    struct amp_plan_node node;
    if (depth > DEEPEST || !lua_istable(L, -1))
        luaL_error(L, "plan: a path too long or no table");
    if (!amp_reserve_stack(L, 8))
        luaL_error(L, "plan: no stack left");
    memset(&node, 0, sizeof node);
    uint32_t place = add(L, plan, AMP_PLAN_NODES, 1);
    node.keep = amp_flag(L, lua_gettop(L), "keep");
    load_ids(L, plan, "tests", &node.first_test, &node.tests);
    load_ids(L, plan, "resets", &node.first_reset, &node.resets);
    lua_getfield(L, -1, "star");
    if (lua_istable(L, -1))
        node.star = load_node(L, plan, depth + 1);
    lua_pop(L, 1);
    *amp_plan_node(plan, place) = node;
    load_names(L, plan, place, depth);
    return place;
}

/* The value on top as an operand; strings are anchored by the table they come from. */
static struct amp_node operand(lua_State *L)
{
    struct amp_node node;
    size_t size;
    memset(&node, 0, sizeof node);
    switch (lua_type(L, -1)) {
    case LUA_TBOOLEAN:
        node.kind = lua_toboolean(L, -1) ? AMP_TRUE : AMP_FALSE;
        break;
    case LUA_TSTRING:
        node.kind = AMP_STRING;
        node.as.text = lua_tolstring(L, -1, &size);
        node.size = (uint32_t)size;
        break;
    case LUA_TNUMBER:
        node.kind = AMP_DOUBLE;
        node.as.number = (double)lua_tonumber(L, -1);
#if LUA_VERSION_NUM >= 503
        if (lua_isinteger(L, -1)) {
            node.kind = AMP_INTEGER;
            node.as.integer = (int64_t)lua_tointeger(L, -1);
        }
#endif
        break;
    default:
        node.kind = AMP_NULL;
    }
    return node;
}

static void load_operands(lua_State *L, struct amp_plan *plan, struct amp_test *test)
{
    lua_getfield(L, -1, "operands");
    test->count = lua_istable(L, -1) ? (uint32_t)lua_rawlen(L, -1) : 0;
    test->first = add(L, plan, AMP_PLAN_OPERANDS, test->count);
    for (uint32_t i = 0; i < test->count; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        *amp_plan_operand(plan, test->first + i) = operand(L);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* The table on top becomes a test. */
static struct amp_test load_test(lua_State *L, struct amp_plan *plan)
{
    static const char *const names[] = {"in",  "ne",     "lt",      "lte", "gt",
                                        "gte", "prefix", "present", NULL};
    struct amp_test test;
    luaL_checktype(L, -1, LUA_TTABLE);
    memset(&test, 0, sizeof test);
    lua_getfield(L, -1, "op");
    test.operation = (enum amp_operation)luaL_checkoption(L, lua_gettop(L), NULL, names);
    lua_pop(L, 1);
    test.is_any = amp_flag(L, lua_gettop(L), "any");
    test.negated = amp_flag(L, lua_gettop(L), "negated");
    test.is_time = amp_flag(L, lua_gettop(L), "time");
    load_operands(L, plan, &test);
    if (test.operation != AMP_PRESENT && test.operation != AMP_ONE_OF && test.count == 0)
        luaL_error(L, "plan: a test without an operand");
    if (test.is_time) {
        const struct amp_node *text = amp_plan_operand(plan, test.first);
        if (text->kind != AMP_STRING ||
            amp_rfc3339_read(&test.time, text->as.text, text->size, true))
            luaL_error(L, "plan: no time");
    }
    return test;
}

static void load_tests(lua_State *L, struct amp_plan *plan)
{
    lua_getfield(L, 1, "tests");
    size_t count = lua_istable(L, -1) ? lua_rawlen(L, -1) : 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t place = add(L, plan, AMP_PLAN_TESTS, 1);
        lua_rawgeti(L, -1, (int)i + 1);
        struct amp_test test = load_test(L, plan);
        *amp_plan_test(plan, place) = test;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* The postfix program: test numbers, "and", "or". */
static void load_program(lua_State *L, struct amp_plan *plan)
{
    lua_getfield(L, 1, "program");
    size_t count = lua_istable(L, -1) ? lua_rawlen(L, -1) : 0, height = 0;
    uint32_t first = add(L, plan, AMP_PLAN_PROGRAM, count);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        if (lua_type(L, -1) == LUA_TNUMBER) {
            *amp_plan_step(plan, first + i) = (int32_t)test_index(L, plan);
            height++;
        } else {
            if (height < 2)
                luaL_error(L, "plan: no such program");
            *amp_plan_step(plan, first + i) = lua_rawequal(L, -1, 2) ? AMP_PLAN_OR : AMP_PLAN_AND;
            lua_pop(L, 1);
            height--;
        }
        if (height > plan->height)
            plan->height = height;
    }
    lua_pop(L, 1);
}

static uint32_t load_root(lua_State *L, struct amp_plan *plan, const char *name)
{
    uint32_t root = 0;
    lua_getfield(L, 1, name);
    if (lua_istable(L, -1))
        root = load_node(L, plan, 0);
    lua_pop(L, 1);
    return root;
}

/* core.plan(compiled): see query.lua. The table must not change afterwards. */
static int l_plan(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_pushliteral(L, "or");
    struct amp_plan *plan = (struct amp_plan *)amp_newuserdata(L, sizeof *plan);
    struct amp_memory memory = amp_memory_of(L);
    amp_plan_init(plan, &memory);
    luaL_getmetatable(L, AMP_PLAN);
    lua_setmetatable(L, 3);
    lua_pushvalue(L, 1); /* anchors the strings */
    amp_setuservalue(L, 3);
    add(L, plan, AMP_PLAN_NODES, 1); /* node 0 is none */
    load_tests(L, plan);
    load_program(L, plan);
    plan->where = load_root(L, plan, "where");
    plan->select = load_root(L, plan, "select");
    lua_settop(L, 3);
    return 1;
}

static int l_collected(lua_State *L)
{
    amp_plan_free((struct amp_plan *)luaL_checkudata(L, 1, AMP_PLAN));
    return 0;
}

void amp_open_plan(lua_State *L, int module)
{
    amp_new_class(L, AMP_PLAN, NULL, l_collected);
    lua_pushcfunction(L, l_plan);
    lua_setfield(L, module, "plan");
}
