#include "json_plan.h"

#include <string.h>

void amp_plan_init(struct amp_plan *plan, const struct amp_memory *memory)
{
    static const size_t sizes[AMP_PLAN_VECTORS] = {sizeof(struct amp_plan_node),
                                                   sizeof(struct amp_plan_name),
                                                   sizeof(struct amp_test),
                                                   sizeof(struct amp_node),
                                                   sizeof(uint32_t),
                                                   sizeof(int32_t)};
    memset(plan, 0, sizeof *plan);
    plan->memory = *memory;
    for (int i = 0; i < AMP_PLAN_VECTORS; i++)
        plan->vector[i].size = sizes[i];
}

void amp_plan_free(struct amp_plan *plan)
{
    for (int i = 0; i < AMP_PLAN_VECTORS; i++)
        amp_vector_free(&plan->memory, &plan->vector[i]);
}

/* --- conditions ------------------------------------------------------------------------------ */

static bool is_string(const struct amp_node *node)
{
    return node->kind == AMP_STRING || node->kind == AMP_ESCAPED_STRING;
}

static bool is_number(const struct amp_node *node)
{
    return node->kind == AMP_INTEGER || node->kind == AMP_DOUBLE;
}

static int compare_doubles(double a, double b)
{
    return a < b ? -1 : a > b;
}

/* Exact, although the double may be no integer and the integer no double. */
static int compare_mixed(int64_t a, double b)
{
    if (b >= 9223372036854775808.0)
        return -1;
    if (b < -9223372036854775808.0)
        return 1;
    int64_t whole = (int64_t)b;
    if (a != whole)
        return a < whole ? -1 : 1;
    return compare_doubles(0, b - (double)whole);
}

static int compare_numbers(const struct amp_node *a, const struct amp_node *b, bool doubles)
{
    bool left = a->kind == AMP_INTEGER, right = b->kind == AMP_INTEGER;
    if (doubles)
        return compare_doubles(left ? (double)a->as.integer : a->as.number,
                               right ? (double)b->as.integer : b->as.number);
    if (left && right)
        return a->as.integer < b->as.integer ? -1 : a->as.integer > b->as.integer;
    if (left)
        return compare_mixed(a->as.integer, b->as.number);
    return right ? -compare_mixed(b->as.integer, a->as.number)
                 : compare_doubles(a->as.number, b->as.number);
}

/* Values of one type: 1 equal, 0 different; -1 for values that do not compare. */
static int equal(const struct amp_node *value, const struct amp_node *operand, bool doubles)
{
    if (is_string(value) && is_string(operand))
        return amp_node_is(value, operand->as.text, operand->size);
    if (is_number(value) && is_number(operand))
        return compare_numbers(value, operand, doubles) == 0;
    if (value->kind <= AMP_TRUE && operand->kind <= AMP_TRUE &&
        (value->kind == AMP_NULL) == (operand->kind == AMP_NULL))
        return value->kind == operand->kind;
    return operand->kind == AMP_NULL ? 0 : -1;
}

static bool is_one_of(const struct amp_plan *plan, const struct amp_test *test,
                      const struct amp_node *value, bool doubles)
{
    for (uint32_t i = 0; i < test->count; i++)
        if (equal(value, amp_plan_operand(plan, test->first + i), doubles) == 1)
            return true;
    return false;
}

/* Reads the value as a time; an escaped one is spelt out first. */
static bool value_time(const struct amp_node *value, struct amp_instant *time)
{
    char text[256];
    if (value->kind == AMP_STRING)
        return !amp_rfc3339_read(time, value->as.text, value->size, true);
    if (!is_string(value) || value->size > sizeof text)
        return false;
    return !amp_rfc3339_read(time, text, amp_unescape(text, value->as.text, value->size), true);
}

/* Orders the value against the test's operand. Returns 0 when they do not compare. */
static bool order(const struct amp_plan *plan, const struct amp_test *test,
                  const struct amp_node *value, bool doubles, int *result)
{
    struct amp_instant time;
    if (test->is_time) {
        if (!value_time(value, &time))
            return false;
        *result = amp_instant_compare(&time, &test->time);
        return true;
    }
    if (!is_number(value))
        return false;
    *result = compare_numbers(value, amp_plan_operand(plan, test->first), doubles);
    return true;
}

static bool fits(const struct amp_plan *plan, const struct amp_test *test,
                 const struct amp_node *value, bool doubles)
{
    int result;
    switch (test->operation) {
    case AMP_ONE_OF:
        return is_one_of(plan, test, value, doubles);
    case AMP_NOT:
        return amp_plan_operand(plan, test->first)->kind == AMP_NULL
                   ? value->kind != AMP_NULL
                   : equal(value, amp_plan_operand(plan, test->first), doubles) == 0;
    case AMP_PREFIX:
        return is_string(value) &&
               amp_node_begins(value, amp_plan_operand(plan, test->first)->as.text,
                               amp_plan_operand(plan, test->first)->size);
    case AMP_PRESENT:
        return true;
    case AMP_LESS:
        return order(plan, test, value, doubles, &result) && result < 0;
    case AMP_LESS_EQUAL:
        return order(plan, test, value, doubles, &result) && result <= 0;
    case AMP_MORE:
        return order(plan, test, value, doubles, &result) && result > 0;
    case AMP_MORE_EQUAL:
        return order(plan, test, value, doubles, &result) && result >= 0;
    }
    return false;
}

/* --- walking --------------------------------------------------------------------------------- */

struct walk {
    const struct amp_plan *plan;
    struct amp_scan *scan;
    unsigned char *hits; /* NULL: record what is wanted */
};

/* Recursion is as deep as the plan's longest path. */
static const char *walk_value(struct walk *w, const char *p, uint32_t place);

static uint32_t child_of(const struct walk *w, const struct amp_plan_node *node,
                         const struct amp_node *key)
{
    const struct amp_plan_name *name = amp_plan_name(w->plan, node->first_name),
                               *end = name + node->names;
    bool plain = key->kind == AMP_KEY;
    for (; name < end; name++)
        if ((!plain || key->size == name->size) && amp_node_is(key, name->text, name->size))
            return name->child;
    return node->star;
}

static void reset(struct walk *w, const struct amp_plan_node *node)
{
    for (uint32_t i = 0; i < node->resets; i++)
        w->hits[*amp_plan_id(w->plan, node->first_reset + i)] = 0;
}

static void run_tests(struct walk *w, const struct amp_plan_node *node,
                      const struct amp_node *value)
{
    bool doubles = w->scan->integer_bits == 53;
    for (uint32_t i = 0; i < node->tests; i++) {
        uint32_t id = *amp_plan_id(w->plan, node->first_test + i);
        const struct amp_test *test = amp_plan_test(w->plan, id);
        if (!(test->is_any && w->hits[id]))
            w->hits[id] = (unsigned char)fits(w->plan, test, value, doubles);
    }
}

/* A member of an object on a path: goes on with its value, marks it absent when nothing of it is
 * wanted. */
static const char *walk_member(struct walk *w, const char *p, const struct amp_plan_node *node)
{
    struct amp_scan *s = w->scan;
    struct amp_node key;
    p = amp_scan_key(s, p, &key);
    if (!p)
        return NULL;
    uint32_t child = child_of(w, node, &key);
    if (child == AMP_NO_CHILD)
        return amp_scan_skip(s, p);
    if (w->hits) {
        reset(w, amp_plan_node(w->plan, child));
        return walk_value(w, p, child);
    }
    if (!amp_scan_put(s, key))
        return NULL;
    size_t used = s->used;
    p = walk_value(w, p, child);
    if (!p)
        return NULL;
    if (s->used == used + 1 && s->node[used].kind == AMP_NULL && s->drop_nulls)
        s->used = used;
    if (s->used > used) {
        amp_scan_count(s);
        return p;
    }
    key.kind = AMP_ABSENT;
    return amp_scan_put(s, key) ? p : NULL;
}

static const char *walk_element(struct walk *w, const char *p, const struct amp_plan_node *node)
{
    size_t used = w->scan->used;
    if (node->star == AMP_NO_CHILD)
        return amp_scan_skip(w->scan, p);
    p = walk_value(w, p, node->star);
    if (p && !w->hits && w->scan->used > used)
        amp_scan_count(w->scan);
    return p;
}

static const char *walk_container(struct walk *w, const char *p, const struct amp_plan_node *node)
{
    struct amp_scan *s = w->scan;
    bool is_object = *p == '{', record = !w->hits;
    char closing = is_object ? '}' : ']';
    if (!amp_scan_enter(s, p, is_object, record))
        return NULL;
    p = amp_skip_space(p + 1);
    while (*p != closing) {
        p = is_object ? walk_member(w, p, node) : walk_element(w, p, node);
        if (!p)
            return NULL;
        p = amp_skip_space(p);
        if (*p == closing)
            break;
        if (*p != ',')
            return amp_scan_fail(s, p, is_object ? "',' or '}'" : "',' or ']'");
        p = amp_skip_space(p + 1);
        if (*p == closing)
            return amp_scan_fail(s, p, is_object ? "a member's name in quotes" : "a value");
    }
    return amp_scan_leave(s, record) ? p + 1 : NULL;
}

/* Tests a scalar: it is recorded for a moment. */
static const char *test_scalar(struct walk *w, const char *p, const struct amp_plan_node *node)
{
    size_t used = w->scan->used;
    p = amp_scan_record(w->scan, p);
    if (p)
        run_tests(w, node, &w->scan->node[used]);
    w->scan->used = used;
    return p;
}

static const char *walk_value(struct walk *w, const char *p, uint32_t place)
{
    const struct amp_plan_node *node = amp_plan_node(w->plan, place);
    p = amp_skip_space(p);
    if (node->keep)
        return amp_scan_record(w->scan, p);
    if (*p != '{' && *p != '[')
        return w->hits && node->tests ? test_scalar(w, p, node) : amp_scan_skip(w->scan, p);
    if (w->hits && node->tests) {
        struct amp_node container;
        memset(&container, 0, sizeof container);
        container.kind = AMP_OBJECT;
        run_tests(w, node, &container);
    }
    return node->names || node->star || !w->hits ? walk_container(w, p, node)
                                                 : amp_scan_skip(w->scan, p);
}

/* Runs the program on the hits; its values follow them. Without a program all fits. */
static bool decide(const struct amp_plan *plan, unsigned char *hits)
{
    unsigned char *top = hits + plan->vector[AMP_PLAN_TESTS].used;
    *top = 1;
    for (size_t i = 0; i < plan->vector[AMP_PLAN_PROGRAM].used; i++) {
        int32_t step = *amp_plan_step(plan, i);
        if (step >= 0) {
            *++top = hits[step] != amp_plan_test(plan, step)->negated;
        } else {
            top--;
            top[0] = step == AMP_PLAN_AND ? top[0] & top[1] : top[0] | top[1];
        }
    }
    return *top;
}

const char *amp_plan_filter(const struct amp_plan *plan, struct amp_scan *scan, const char *p,
                            unsigned char *hits, bool *accepted)
{
    struct walk w;
    w.plan = plan;
    w.scan = scan;
    w.hits = hits;
    memset(hits, 0, plan->vector[AMP_PLAN_TESTS].used);
    p = walk_value(&w, p, plan->where);
    *accepted = p && decide(plan, hits);
    return p;
}

const char *amp_plan_select(const struct amp_plan *plan, struct amp_scan *scan, const char *p)
{
    struct walk w;
    w.plan = plan;
    w.scan = scan;
    w.hits = NULL;
    p = amp_skip_space(p);
    /* What has no members is given as it is. */
    return *p == '{' || *p == '[' ? walk_value(&w, p, plan->select) : amp_scan_record(scan, p);
}
