/*
 * Filters and projections, compiled: which paths of a value are wanted, which conditions it must
 * meet. Applied while the text is scanned, before any Lua value exists. Knows no Lua.
 */
#ifndef AMP_JSON_PLAN_H
#define AMP_JSON_PLAN_H

#include "json_scan.h"

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

/* A moment, comparable. */
struct amp_time {
    int64_t seconds;
    int32_t nanoseconds;
};

/* One condition on the value at one path. */
struct amp_test {
    enum amp_operation operation;
    uint32_t first, count; /* operands */
    int is_time;           /* compares with `time` */
    int is_any;            /* the path has a `*`: one value that fits is enough */
    int negated;
    struct amp_time time;
};

enum { AMP_PLAN_AND = -1, AMP_PLAN_OR = -2, AMP_NO_CHILD = 0 };

struct amp_plan_name {
    const char *text;
    size_t size;
    uint32_t child;
};

/* A place in the values looked at. Node 0 is no place; children are indexes. */
struct amp_plan_node {
    uint32_t first_name, names;
    uint32_t star;
    uint32_t first_test, tests; /* indexes into `ids`: conditions on the value here */
    uint32_t first_reset,
        resets; /* likewise: conditions at or below here that a repeated key makes void */
    int keep;   /* all of the value is wanted */
};

struct amp_plan {
    struct amp_memory memory;
    struct amp_plan_node *node;
    struct amp_plan_name *name;
    struct amp_test *test;
    struct amp_node *operand;
    uint32_t *id;
    int32_t *program; /* postfix: a test, AMP_PLAN_AND or AMP_PLAN_OR of the two values before */
    size_t nodes, names, tests, operands, ids, steps;
    size_t node_room, name_room, test_room, operand_room, id_room, step_room;
    size_t height;          /* values that the program needs at once */
    uint32_t where, select; /* root nodes, or 0 */
};

void amp_plan_free(struct amp_plan *plan);

/*
 * Validates the value at `p`, records nothing and says in `*accepted` whether it meets the
 * conditions. `hits` has room for plan->tests + plan->height + 1 bytes. Returns the byte after the
 * value or NULL.
 */
const char *amp_plan_filter(const struct amp_plan *plan, struct amp_scan *scan, const char *p,
                            unsigned char *hits, int *accepted);

/* Records what the plan selects of the value at `p`, which is validated in full. */
const char *amp_plan_select(const struct amp_plan *plan, struct amp_scan *scan, const char *p);

/* Reads YYYY-MM-DD or an RFC 3339 time. Returns 0 when the text is neither. */
int amp_read_time(struct amp_time *time, const char *text, size_t size);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#endif
