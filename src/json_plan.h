/*
 * Filters and projections, compiled: which paths of a value are wanted, which conditions it must
 * meet. Applied while the text is scanned, before any Lua value exists. Knows no Lua.
 */
#ifndef AMP_JSON_PLAN_H
#define AMP_JSON_PLAN_H

#include "json_scan.h"
#include "rfc3339.h"

#ifdef __GNUC__
#pragma GCC visibility push(hidden) /* also where the build gives no flags */
#endif

enum amp_operation {
    AMP_ONE_OF,
    AMP_NOT,
    AMP_LESS,
    AMP_LESS_EQUAL,
    AMP_MORE,
    AMP_MORE_EQUAL,
    AMP_PREFIX,
    AMP_PRESENT
};

/* One condition on the value at one path. */
struct amp_test {
    enum amp_operation operation;
    uint32_t first, count; /* operands */
    bool is_time;          /* compares with `time` */
    bool is_any;           /* the path has a `*`: one value that fits is enough */
    bool negated;
    struct amp_instant time;
};

enum { AMP_PLAN_AND = -1, AMP_PLAN_OR = -2, AMP_NO_CHILD = 0 };

struct amp_plan_name {
    const char *text;
    size_t size;
    uint32_t child;
};

/* A place in the tested values. Node 0 is not a place; children are indexes. */
struct amp_plan_node {
    uint32_t first_name, names;
    uint32_t star;
    uint32_t first_test, tests; /* indexes into `ids`: conditions on the value here */
    uint32_t first_reset,
        resets; /* likewise: conditions at or below here that a repeated key makes void */
    bool keep;  /* all of the value is wanted */
};

enum {
    AMP_PLAN_NODES,
    AMP_PLAN_NAMES,
    AMP_PLAN_TESTS,
    AMP_PLAN_OPERANDS,
    AMP_PLAN_IDS,
    AMP_PLAN_PROGRAM, /* postfix: a test, AMP_PLAN_AND or AMP_PLAN_OR of the two values before */
    AMP_PLAN_VECTORS
};

struct amp_plan {
    struct amp_memory memory;
    struct amp_vector vector[AMP_PLAN_VECTORS];
    size_t height;          /* values that the program needs at once */
    uint32_t where, select; /* root nodes, or 0 */
};

/* The items by their indexes. */
#define AMP_PLAN_ITEMS(function, type, vector_id)                                                  \
    static inline type *function(const struct amp_plan *plan, size_t index)                        \
    {                                                                                              \
        return (type *)plan->vector[vector_id].items + index;                                      \
    }
AMP_PLAN_ITEMS(amp_plan_node, struct amp_plan_node, AMP_PLAN_NODES)
AMP_PLAN_ITEMS(amp_plan_name, struct amp_plan_name, AMP_PLAN_NAMES)
AMP_PLAN_ITEMS(amp_plan_test, struct amp_test, AMP_PLAN_TESTS)
AMP_PLAN_ITEMS(amp_plan_operand, struct amp_node, AMP_PLAN_OPERANDS)
AMP_PLAN_ITEMS(amp_plan_id, uint32_t, AMP_PLAN_IDS)
AMP_PLAN_ITEMS(amp_plan_step, int32_t, AMP_PLAN_PROGRAM)

/* An empty plan; its items come from `memory`. */
void amp_plan_init(struct amp_plan *plan, const struct amp_memory *memory);
void amp_plan_free(struct amp_plan *plan);

/* Bytes that a filter needs for its hits: one for each test and for each value of the program. */
static inline size_t amp_plan_room(const struct amp_plan *plan)
{
    return plan->vector[AMP_PLAN_TESTS].used + plan->height + 1;
}

/*
 * Validates the value at `p`, records nothing and says in `*accepted` whether it meets the
 * conditions. `hits` has room for amp_plan_room(plan) bytes. Returns the byte after the
 * value or NULL.
 */
const char *amp_plan_filter(const struct amp_plan *plan, struct amp_scan *scan, const char *p,
                            unsigned char *hits, bool *accepted);

/* Records what the plan selects of the value at `p`, which is validated in full. */
const char *amp_plan_select(const struct amp_plan *plan, struct amp_scan *scan, const char *p);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
