#include "json_plan.h"

#include <string.h>

void amp_plan_free(struct amp_plan *plan)
{
    const struct amp_memory *memory = &plan->memory;
    amp_free(memory, plan->node, plan->node_room, sizeof *plan->node);
    amp_free(memory, plan->name, plan->name_room, sizeof *plan->name);
    amp_free(memory, plan->test, plan->test_room, sizeof *plan->test);
    amp_free(memory, plan->operand, plan->operand_room, sizeof *plan->operand);
    amp_free(memory, plan->id, plan->id_room, sizeof *plan->id);
    amp_free(memory, plan->program, plan->step_room, sizeof *plan->program);
    memset(plan, 0, sizeof *plan);
}

/* --- times ----------------------------------------------------------------------------------- */

struct cursor {
    const char *p, *end;
};

static int take(struct cursor *c, const char *set)
{
    if (c->p < c->end && *c->p && strchr(set, *c->p)) {
        c->p++;
        return 1;
    }
    return 0;
}

/* Exactly `count` digits whose value is between `low` and `high`, or -1. */
static int take_number(struct cursor *c, int count, int low, int high)
{
    int value = 0;
    if (c->end - c->p < count)
        return -1;
    for (; count; count--, c->p++) {
        if (*c->p < '0' || *c->p > '9')
            return -1;
        value = value * 10 + (*c->p - '0');
    }
    return value >= low && value <= high ? value : -1;
}

/* Days since 1970-01-01; the year begins in March, so that the leap day comes last. */
static int64_t days(int year, int month, int day)
{
    int64_t y = year - (month <= 2), m = (month + 9) % 12;
    return 365 * y + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1 - 719468;
}

static int month_length(int year, int month)
{
    int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 ? 28 + leap : 30 + ((month + month / 8) & 1);
}

static int take_date(struct cursor *c, struct amp_time *time)
{
    int year = take_number(c, 4, 1, 9999), dash = take(c, "-");
    int month = take_number(c, 2, 1, 12), other = take(c, "-");
    int day = take_number(c, 2, 1, 31);
    if (year < 0 || !dash || month < 0 || !other || day < 0 || day > month_length(year, month))
        return 0;
    time->seconds = days(year, month, day) * 86400;
    time->nanoseconds = 0;
    return 1;
}

static int take_fraction(struct cursor *c, int32_t *nanoseconds)
{
    int32_t unit = 100000000;
    const char *start = c->p;
    for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++, unit /= 10)
        *nanoseconds += (*c->p - '0') * unit;
    return c->p > start;
}

static int take_clock(struct cursor *c, struct amp_time *time)
{
    int hour = take_number(c, 2, 0, 23), colon = take(c, ":");
    int minute = take_number(c, 2, 0, 59), other = take(c, ":");
    int second = take_number(c, 2, 0, 60);
    if (hour < 0 || !colon || minute < 0 || !other || second < 0)
        return 0;
    time->seconds += hour * 3600 + minute * 60 + second;
    return !take(c, ".") || take_fraction(c, &time->nanoseconds);
}

static int take_zone(struct cursor *c, struct amp_time *time)
{
    if (take(c, "Zz"))
        return 1;
    int west = take(c, "-");
    if (!west && !take(c, "+"))
        return 0;
    int hour = take_number(c, 2, 0, 23), colon = take(c, ":"), minute = take_number(c, 2, 0, 59);
    if (hour < 0 || !colon || minute < 0)
        return 0;
    int offset = hour * 3600 + minute * 60;
    time->seconds += west ? offset : -offset;
    return 1;
}

int amp_read_time(struct amp_time *time, const char *text, size_t size)
{
    struct cursor c = {text, text + size};
    if (!take_date(&c, time))
        return 0;
    if (c.p == c.end)
        return 1;
    return take(&c, "Tt ") && take_clock(&c, time) && take_zone(&c, time) && c.p == c.end;
}

/* --- conditions ------------------------------------------------------------------------------ */

static int is_string(const struct amp_node *node)
{
    return node->kind == AMP_STRING || node->kind == AMP_ESCAPED_STRING;
}

static int is_number(const struct amp_node *node)
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

static int compare_numbers(const struct amp_node *a, const struct amp_node *b, int doubles)
{
    int left = a->kind == AMP_INTEGER, right = b->kind == AMP_INTEGER;
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

static int compare_times(const struct amp_time *a, const struct amp_time *b)
{
    if (a->seconds != b->seconds)
        return a->seconds < b->seconds ? -1 : 1;
    return a->nanoseconds < b->nanoseconds ? -1 : a->nanoseconds > b->nanoseconds;
}

/* Values of one type: 1 equal, 0 different; -1 for values that do not compare. */
static int equal(const struct amp_node *value, const struct amp_node *operand, int doubles)
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

static int is_one_of(const struct amp_plan *plan, const struct amp_test *test,
                     const struct amp_node *value, int doubles)
{
    for (uint32_t i = 0; i < test->count; i++)
        if (equal(value, &plan->operand[test->first + i], doubles) == 1)
            return 1;
    return 0;
}

/* Reads the value as a time; an escaped one is spelt out first. */
static int value_time(const struct amp_node *value, struct amp_time *time)
{
    char text[256];
    if (value->kind == AMP_STRING)
        return amp_read_time(time, value->as.text, value->size);
    if (!is_string(value) || value->size > sizeof text)
        return 0;
    return amp_read_time(time, text, amp_unescape(text, value->as.text, value->size));
}

/* Orders the value against the test's operand. Returns 0 when they do not compare. */
static int order(const struct amp_plan *plan, const struct amp_test *test,
                 const struct amp_node *value, int doubles, int *result)
{
    struct amp_time time;
    if (test->is_time) {
        if (!value_time(value, &time))
            return 0;
        *result = compare_times(&time, &test->time);
        return 1;
    }
    if (!is_number(value))
        return 0;
    *result = compare_numbers(value, &plan->operand[test->first], doubles);
    return 1;
}

static int fits(const struct amp_plan *plan, const struct amp_test *test,
                const struct amp_node *value, int doubles)
{
    int result;
    switch (test->operation) {
    case AMP_ONE_OF:
        return is_one_of(plan, test, value, doubles);
    case AMP_NOT:
        return plan->operand[test->first].kind == AMP_NULL
                   ? value->kind != AMP_NULL
                   : equal(value, &plan->operand[test->first], doubles) == 0;
    case AMP_PREFIX:
        return is_string(value) && amp_node_begins(value, plan->operand[test->first].as.text,
                                                   plan->operand[test->first].size);
    case AMP_PRESENT:
        return 1;
    case AMP_LESS:
        return order(plan, test, value, doubles, &result) && result < 0;
    case AMP_LESS_EQUAL:
        return order(plan, test, value, doubles, &result) && result <= 0;
    case AMP_MORE:
        return order(plan, test, value, doubles, &result) && result > 0;
    case AMP_MORE_EQUAL:
        return order(plan, test, value, doubles, &result) && result >= 0;
    }
    return 0;
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
    const struct amp_plan_name *name = w->plan->name + node->first_name, *end = name + node->names;
    int plain = key->kind == AMP_KEY;
    for (; name < end; name++)
        if ((!plain || key->size == name->size) && amp_node_is(key, name->text, name->size))
            return name->child;
    return node->star;
}

static void reset(struct walk *w, const struct amp_plan_node *node)
{
    for (uint32_t i = 0; i < node->resets; i++)
        w->hits[w->plan->id[node->first_reset + i]] = 0;
}

static void run_tests(struct walk *w, const struct amp_plan_node *node,
                      const struct amp_node *value)
{
    int doubles = w->scan->integer_bits == 53;
    for (uint32_t i = 0; i < node->tests; i++) {
        uint32_t id = w->plan->id[node->first_test + i];
        const struct amp_test *test = &w->plan->test[id];
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
        reset(w, &w->plan->node[child]);
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
    int is_object = *p == '{', record = !w->hits;
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
    const struct amp_plan_node *node = &w->plan->node[place];
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
static int decide(const struct amp_plan *plan, unsigned char *hits)
{
    unsigned char *top = hits + plan->tests;
    *top = 1;
    for (size_t i = 0; i < plan->steps; i++) {
        int32_t step = plan->program[i];
        if (step >= 0) {
            *++top = hits[step] != plan->test[step].negated;
        } else {
            top--;
            top[0] = step == AMP_PLAN_AND ? top[0] & top[1] : top[0] | top[1];
        }
    }
    return *top;
}

const char *amp_plan_filter(const struct amp_plan *plan, struct amp_scan *scan, const char *p,
                            unsigned char *hits, int *accepted)
{
    struct walk w;
    w.plan = plan;
    w.scan = scan;
    w.hits = hits;
    memset(hits, 0, plan->tests);
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
