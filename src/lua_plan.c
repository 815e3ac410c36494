/*
 * core.plan: what query.lua compiles from `where` and `select`, loaded into arrays of C.
 *
 * A node is a table of `keep`, `tests`, `resets`, `star` (a node) and `names`, in which names and
 * nodes alternate. Strings stay where they are: the plan anchors the table it was made from.
 */
#include <string.h>

#include "json_plan.h"
#include "lua_json.h"

static size_t add(lua_State *L, struct amp_plan *plan, void *array, size_t *used, size_t *room,
                  size_t item, size_t count)
{
    void *block, *grown;
    memcpy(&block, array, sizeof block);
    grown = amp_grow(&plan->memory, block, room, *used + count, item);
    if (!grown)
        luaL_error(L, "not enough memory");
    memcpy(array, &grown, sizeof grown);
    memset((char *)grown + *used * item, 0, count * item);
    *used += count;
    return *used - count;
}

#define ADD(L, plan, array, used, room, count)                                                     \
    (uint32_t)                                                                                     \
        add(L, plan, &(plan)->array, &(plan)->used, &(plan)->room, sizeof *(plan)->array, count)

/* Field `name` of the table on top: an array of test numbers. */
static void load_ids(lua_State *L, struct amp_plan *plan, const char *name, uint32_t *first,
                     uint32_t *count)
{
    lua_getfield(L, -1, name);
    if (lua_istable(L, -1)) {
        *count = (uint32_t)lua_rawlen(L, -1);
        *first = ADD(L, plan, id, ids, id_room, *count);
        for (uint32_t i = 0; i < *count; i++) {
            lua_rawgeti(L, -1, (int)i + 1);
            lua_Number id = lua_tonumber(L, -1);
            if (!(id >= 1 && id <= (lua_Number)plan->tests))
                luaL_error(L, "plan: no such test");
            plan->id[*first + i] = (uint32_t)id - 1;
            lua_pop(L, 1);
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
    uint32_t first = ADD(L, plan, name, names, name_room, count);
    plan->node[node].first_name = first;
    plan->node[node].names = count;
    for (uint32_t i = 0; i < count; i++) {
        struct amp_plan_name name;
        lua_rawgeti(L, -1, (int)(2 * i + 1));
        if (lua_type(L, -1) != LUA_TSTRING)
            luaL_error(L, "plan: a name that is no string");
        name.text = lua_tolstring(L, -1, &name.size);
        lua_rawgeti(L, -2, (int)(2 * i + 2));
        name.child = load_node(L, plan, depth + 1);
        plan->name[first + i] = name;
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
    uint32_t place = ADD(L, plan, node, nodes, node_room, 1);
    node.keep = amp_flag(L, lua_gettop(L), "keep");
    load_ids(L, plan, "tests", &node.first_test, &node.tests);
    load_ids(L, plan, "resets", &node.first_reset, &node.resets);
    lua_getfield(L, -1, "star");
    if (lua_istable(L, -1))
        node.star = load_node(L, plan, depth + 1);
    lua_pop(L, 1);
    plan->node[place] = node;
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
    test->first = ADD(L, plan, operand, operands, operand_room, test->count);
    for (uint32_t i = 0; i < test->count; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        plan->operand[test->first + i] = operand(L);
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
        const struct amp_node *text = &plan->operand[test.first];
        if (text->kind != AMP_STRING || !amp_read_time(&test.time, text->as.text, text->size))
            luaL_error(L, "plan: no time");
    }
    return test;
}

static void load_tests(lua_State *L, struct amp_plan *plan)
{
    lua_getfield(L, 1, "tests");
    size_t count = lua_istable(L, -1) ? lua_rawlen(L, -1) : 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t place = ADD(L, plan, test, tests, test_room, 1);
        lua_rawgeti(L, -1, (int)i + 1);
        struct amp_test test = load_test(L, plan);
        plan->test[place] = test;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* The postfix program: test numbers, "and", "or". */
static void load_program(lua_State *L, struct amp_plan *plan)
{
    lua_getfield(L, 1, "program");
    size_t count = lua_istable(L, -1) ? lua_rawlen(L, -1) : 0, height = 0;
    uint32_t first = ADD(L, plan, program, steps, step_room, count);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (int)i + 1);
        int is_test = lua_type(L, -1) == LUA_TNUMBER;
        lua_Number id = is_test ? lua_tonumber(L, -1) : 0;
        if ((!is_test && height < 2) || (is_test && !(id >= 1 && id <= (lua_Number)plan->tests)))
            luaL_error(L, "plan: no such program");
        height += is_test ? 1 : (size_t)-1;
        if (height > plan->height)
            plan->height = height;
        int is_or = !is_test && lua_rawequal(L, -1, 2);
        plan->program[first + i] = is_test ? (int32_t)id - 1 : is_or ? AMP_PLAN_OR : AMP_PLAN_AND;
        lua_pop(L, 1);
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
int amp_new_plan(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_pushliteral(L, "or");
    struct amp_plan *plan = (struct amp_plan *)amp_newuserdata(L, sizeof *plan);
    memset(plan, 0, sizeof *plan);
    plan->memory = amp_memory_of(L);
    luaL_getmetatable(L, AMP_PLAN);
    lua_setmetatable(L, 3);
    lua_pushvalue(L, 1); /* anchors the strings */
    amp_setuservalue(L, 3);
    (void)ADD(L, plan, node, nodes, node_room, 1); /* node 0 is none */
    load_tests(L, plan);
    load_program(L, plan);
    plan->where = load_root(L, plan, "where");
    plan->select = load_root(L, plan, "select");
    lua_settop(L, 3);
    return 1;
}

int amp_plan_collected(lua_State *L)
{
    amp_plan_free((struct amp_plan *)luaL_checkudata(L, 1, AMP_PLAN));
    return 0;
}
